package workflows

import (
	"regexp"
	"strings"

	"github.com/rhysd/actionlint"
)

// locate says on which line, of those the change adds, an error is to be
// shown; 0 when it is not of the change's making.
//
// actionlint places everything that is wrong within a block of text ("run: |")
// at the line the block begins on. The lines meant are those that hold what
// the message quotes.
func locate(e *actionlint.Error, lines []string, added map[int]bool) int {
	end := blockEnd(lines, e.Line)
	if end == e.Line {
		if added[e.Line] {
			return e.Line
		}
		return 0
	}
	what, first, found := quoted(e.Message), 0, false
	for n := e.Line + 1; n <= end; n++ {
		if added[n] && first == 0 {
			first = n
		}
		if what != "" && strings.Contains(strings.ToLower(lines[n-1]), what) {
			if added[n] {
				return n
			}
			found = true
		}
	}
	switch {
	case found:
		return 0
	case added[e.Line]:
		return e.Line
	case strings.HasSuffix(ruleOf(e), "/script-injection"):
		return first // written so that it is not found: better shown nearby than not
	}
	return 0
}

// blockEnd is the last line of the block of text that begins on the line, or
// the line itself when none does.
func blockEnd(lines []string, n int) int {
	if n < 1 || n > len(lines) || !blockStart.MatchString(lines[n-1]) {
		return n
	}
	depth := indent(lines[n-1])
	end := n
	for i := n + 1; i <= len(lines); i++ {
		if strings.TrimSpace(lines[i-1]) == "" {
			continue
		}
		if indent(lines[i-1]) <= depth {
			break
		}
		end = i
	}
	return end
}

var blockStart = regexp.MustCompile(`:\s+[|>][0-9+-]{0,2}\s*(?:#.*)?$`)

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// quoted is the last part of the first name that the message quotes, in lower
// case: "head_ref" of "github.head_ref".
func quoted(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	name, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return ""
	}
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}
