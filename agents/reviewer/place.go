package reviewer

import (
	"regexp"
	"slices"
	"strings"

	"assay/review"
)

const (
	// maxQuote bounds a quote, in lines.
	maxQuote = 30
	// minPiece is the least length of a quote that is only a piece of a line, in
	// bytes without white space.
	minPiece = 12
)

// spot is where a quote stands.
type spot struct {
	span
	// exact says that the quote is these lines as they are, to the last blank.
	exact bool
	// code are the lines as they are shown.
	code string
}

// numbered is how prompts show lines; some models copy it.
var numbered = regexp.MustCompile(`(?m)^ {0,5}\d{1,7} [+ ] `)

// place finds a quote in the hunks of a part that were shown: exactly, else
// with white space folded, else as a piece of one line. Of several places it is
// the one nearest to the line hinted at.
func place(p *page, hunks []review.Hunk, quote string, hint int) (spot, bool) {
	want := strings.Split(strings.Trim(strings.ReplaceAll(quote, "\r", ""), "\n"), "\n")
	if len(want) > maxQuote || !telling(quote) {
		return spot{}, false
	}
	if s, ok := placeLines(p, hunks, want, hint); ok {
		return s, ok
	}
	if plain := numbered.ReplaceAllString(strings.Join(want, "\n"), ""); plain != strings.Join(want, "\n") {
		return placeLines(p, hunks, strings.Split(plain, "\n"), hint)
	}
	return spot{}, false
}

// telling reports whether a quote says anything: a bracket stands everywhere.
func telling(quote string) bool {
	n := 0
	for _, r := range quote {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7F {
			n++
		}
	}
	return n >= 2
}

func placeLines(p *page, hunks []review.Hunk, want []string, hint int) (spot, bool) {
	ways := []func(shown, wanted string) bool{
		func(shown, wanted string) bool { return shown == wanted },
		func(shown, wanted string) bool { return fold(shown) == fold(wanted) },
		func(shown, wanted string) bool {
			return len(want) == 1 && len(strings.Join(strings.Fields(wanted), "")) >= minPiece && strings.Contains(fold(shown), fold(wanted))
		},
	}
	for i, same := range ways {
		if at := nearest(starts(p, hunks, want, same), hint); at > 0 {
			found := span{at, at + len(want) - 1}
			return spot{span: found, exact: i == 0 && p.plain(found), code: p.shown(found)}, true
		}
	}
	return spot{}, false
}

// starts are the lines at which what is wanted begins, each time within one
// hunk.
func starts(p *page, hunks []review.Hunk, want []string, same func(shown, wanted string) bool) (at []int) {
	for _, h := range hunks {
		for from := h.NewStart; from+len(want) <= h.NewStart+h.NewLines; from++ {
			match := true
			for i := 0; match && i < len(want); i++ {
				shown, ok := p.lines[from+i]
				match = ok && same(shown, want[i])
			}
			if match {
				at = append(at, from)
			}
		}
	}
	return at
}

func nearest(lines []int, hint int) int {
	if len(lines) == 0 {
		return 0
	}
	if hint <= 0 {
		return lines[0]
	}
	return slices.MinFunc(lines, func(a, b int) int { return distance(a, hint) - distance(b, hint) })
}

func distance(a, b int) int { return max(a-b, b-a) }

func fold(line string) string { return strings.Join(strings.Fields(line), " ") }

// shown are the lines as prompts show them.
func (p *page) shown(s span) string {
	var lines []string
	for n := s.from; n <= s.to; n++ {
		lines = append(lines, p.lines[n])
	}
	return strings.Join(lines, "\n")
}

// plain reports whether lines are shown as they are, with nothing masked.
func (p *page) plain(s span) bool {
	for n := s.from; n <= s.to; n++ {
		if p.lines[n] != p.raw[n] {
			return false
		}
	}
	return true
}
