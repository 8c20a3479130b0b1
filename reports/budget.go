package reports

import (
	"cmp"
	"slices"
	"strings"
)

// section is a part of a report that can be cut where it does not fit.
type section struct {
	// name is what the section is called when it is left out as a whole.
	name string
	// rank says which section gets its room first: the lower, the earlier.
	rank int
	// head and tail stand around the items and are never shown without each
	// other. A section whose items are none is not shown at all.
	head, tail string
	// n items of which item gives each; at most show of them are wanted (0
	// means all).
	n    int
	show int
	item func(i int) string
	// more says that items were left out, after the last that was shown.
	more func(left int) string
}

// roomForNote is kept free for the line that names the sections left out.
const roomForNote = 512

// fit joins sections, in their order, to a text of at most limit bytes. What
// does not fit is cut from the sections of the highest rank, and said: more
// for items, note for whole sections.
func fit(limit int, sections []section, note func(names []string) string) string {
	order := make([]int, len(sections))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[a].rank, sections[b].rank) })

	room := limit - roomForNote
	shown := make([]string, len(sections))
	left := make([]bool, len(sections))
	for _, i := range order {
		if sections[i].empty() {
			continue
		}
		body, ok := sections[i].render(room - len("\n"))
		if !ok {
			left[i] = true
			continue
		}
		shown[i] = body
		room -= len(body) + len("\n")
	}

	var parts, names []string
	for i := range sections {
		if shown[i] != "" {
			parts = append(parts, shown[i])
		}
		if left[i] {
			names = append(names, sections[i].name)
		}
	}
	if len(names) > 0 {
		parts = append(parts, clip(note(names), roomForNote-len("\n")))
	}
	return strings.Join(parts, "\n")
}

func (s section) empty() bool { return s.n == 0 && (s.item != nil || s.head == "") }

// render gives the section in at most room bytes; not ok when there is not
// even room for its frame and one item.
func (s section) render(room int) (body string, ok bool) {
	want := s.n
	if s.show > 0 {
		want = min(want, s.show)
	}
	room -= len(s.head) + len(s.tail)
	var items []string
	used := 0
	for i := 0; i < want; i++ {
		it := s.item(i)
		if used+len(it) > room {
			break
		}
		items = append(items, it)
		used += len(it)
	}
	// Room for the line that says what is missing is made by taking back items.
	for len(items) < s.n {
		line := s.more(s.n - len(items))
		if used+len(line) <= room {
			items = append(items, line)
			break
		}
		if len(items) == 0 {
			return "", false
		}
		used -= len(items[len(items)-1])
		items = items[:len(items)-1]
	}
	if room < 0 {
		return "", false
	}
	return strings.TrimRight(s.head+strings.Join(items, "")+s.tail, "\n") + "\n", true
}
