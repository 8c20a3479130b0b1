package ghfake

import (
	"errors"
	"strings"

	"assay/internal/diff"
	"assay/review"
)

// place is where in a diff a review comment stands.
type place struct {
	// position counts the lines of the file's patch below its first hunk header.
	position int
	// hunk is the patch from the header of the hunk to the line.
	hunk string
	// text is the line itself.
	text string
}

// span is the lines a review comment is asked for.
type lineSpan struct {
	path      string
	line      int
	side      string // "LEFT" or "RIGHT"
	startLine int    // 0 for one line
	startSide string
	position  int // the older way to name a line; 0 when line is given
}

// Why a comment cannot stand where it is asked for.
var (
	errPath  = errors.New("Path could not be resolved")                                     //nolint:staticcheck // GitHub's words
	errLine  = errors.New("Line could not be resolved")                                     //nolint:staticcheck // GitHub's words
	errStart = errors.New("Start line could not be resolved")                               //nolint:staticcheck // GitHub's words
	errOrder = errors.New("start_line must precede the end line.")                          //nolint:staticcheck,revive // GitHub's words
	errHunk  = errors.New("start_line and line must be part of the same hunk of the diff.") //nolint:staticcheck,revive // GitHub's words
)

// locate finds a span in a diff. Only lines that the hunks show are in it.
func locate(files []fileDiff, at *lineSpan) (place, error) {
	patch, err := patchOf(files, at.path)
	if err != nil {
		return place{}, err
	}
	hunks, err := diff.ParsePatch(patch)
	if err != nil {
		return place{}, err
	}
	if at.position > 0 {
		return atPosition(hunks, at)
	}
	end, hunk, found := find(hunks, at.side, at.line)
	if !found {
		return place{}, errLine
	}
	if at.startLine > 0 {
		start, startHunk, found := find(hunks, at.startSide, at.startLine)
		switch {
		case !found:
			return place{}, errStart
		case start >= end:
			return place{}, errOrder
		case startHunk != hunk:
			return place{}, errHunk
		}
	}
	return placeAt(hunks, end), nil
}

func patchOf(files []fileDiff, path string) (string, error) {
	for i := range files {
		if files[i].path == path {
			if files[i].patch == "" {
				return "", errLine
			}
			return files[i].patch, nil
		}
	}
	return "", errPath
}

// find returns the position of a line of one side, and its hunk.
func find(hunks []review.Hunk, side string, number int) (position, hunk int, found bool) {
	for i, h := range hunks {
		position++ // the header, which for the first hunk is position 0
		for _, l := range h.Lines {
			if side == "LEFT" && l.Op != review.Add && l.Old == number || side == "RIGHT" && l.Op != review.Delete && l.New == number {
				return position, i, true
			}
			position++
		}
	}
	return 0, 0, false
}

// placeAt describes the line at a position.
func placeAt(hunks []review.Hunk, position int) place {
	p := place{position: position}
	at := 0
	for _, h := range hunks {
		at++
		var b strings.Builder
		b.WriteString(header(h))
		for _, l := range h.Lines {
			b.WriteString("\n" + string(l.Op) + l.Text)
			if at == position {
				p.text, p.hunk = l.Text, b.String()
				return p
			}
			at++
		}
	}
	return p
}

func header(h review.Hunk) string {
	old, now := span(h.OldStart, h.OldLines), span(h.NewStart, h.NewLines)
	if h.OldLines == 0 {
		old = span(h.OldStart+1, 0)
	}
	if h.NewLines == 0 {
		now = span(h.NewStart+1, 0)
	}
	section := h.Section
	if section != "" {
		section = " " + section
	}
	return "@@ -" + old + " +" + now + " @@" + section
}

// atPosition turns a position into a line.
func atPosition(hunks []review.Hunk, at *lineSpan) (place, error) {
	n := 0
	for _, h := range hunks {
		n++
		for _, l := range h.Lines {
			if n == at.position {
				at.side, at.line = "RIGHT", l.New
				if l.Op == review.Delete {
					at.side, at.line = "LEFT", l.Old
				}
				return placeAt(hunks, n), nil
			}
			n++
		}
	}
	return place{}, errLine
}

// now finds a comment in the diff of the head. It fits when the same line still
// says the same. GitHub follows lines that move; the fake does not.
func (m *reviewComment) now() (place, bool) {
	if m.wholly {
		return place{}, true
	}
	at := lineSpan{path: m.Path, line: m.Line, side: m.Side}
	p, err := locate(m.pull.diff(m.pull.headSHA), &at)
	return p, err == nil && p.text == m.place.text
}
