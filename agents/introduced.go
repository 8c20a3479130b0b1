package agents

import (
	"strings"

	"assay/review"
)

// Introduced is the findings about the head that the change brought about: of
// those that agree in rule and evidence, as many as there are more at the head
// than at the base. It is for analysers that read whole files on both sides.
//
// Findings on lines that the change adds count as its own first. One that it
// brought about from afar (a trigger was added above a step that was there) is
// kept for the file as a whole, without a fix, for its line is none that
// GitHub would take a comment on.
func Introduced(f review.File, head, base []review.Finding) []review.Finding {
	before := make(map[string]int, len(base))
	for _, b := range base {
		before[sameness(b)]++
	}
	added := AddedLines(f)
	stays := make([]bool, len(head)) // it was there before
	for _, onAdded := range []bool{false, true} {
		for i, h := range head {
			key := sameness(h)
			if stays[i] || added.Any(h.StartLine, h.EndLine) != onAdded || before[key] == 0 {
				continue
			}
			stays[i] = true
			before[key]--
		}
	}
	var out []review.Finding
	for i, h := range head {
		if stays[i] {
			continue
		}
		if h.StartLine > 0 && !added.Any(h.StartLine, h.EndLine) {
			h.StartLine, h.EndLine, h.Fix = 0, 0, nil
		}
		out = append(out, h)
	}
	return out
}

func sameness(f review.Finding) string {
	return f.Rule + "\x00" + strings.Join(strings.Fields(f.Evidence), " ")
}

// Lines is a set of lines of the head.
type Lines map[int]bool

// AddedLines are the lines that the change adds to the file.
func AddedLines(f review.File) Lines {
	lines := make(Lines)
	for l := range f.Added() {
		lines[l.New] = true
	}
	return lines
}

// Any reports whether one of the lines start to end is in the set.
func (l Lines) Any(start, end int) bool {
	for n := start; n <= end; n++ {
		if l[n] {
			return true
		}
	}
	return false
}

// WholeText is the text of a file as far as the diff alone tells: of an added
// file, all of it. ok is false for every other.
func WholeText(f review.File) (text string, ok bool) {
	if f.Status != review.Added || f.Unread != "" || f.Binary {
		return "", false
	}
	var b strings.Builder
	for l := range f.Added() {
		b.WriteString(l.Text)
		b.WriteByte('\n')
	}
	return b.String(), true
}

// OnAdded is the findings that stand on lines that the change adds, or on no
// line. It is what can be said where the base is not known.
func OnAdded(f review.File, findings []review.Finding) []review.Finding {
	added := AddedLines(f)
	var out []review.Finding
	for _, h := range findings {
		if h.StartLine == 0 || added.Any(h.StartLine, h.EndLine) {
			out = append(out, h)
		}
	}
	return out
}
