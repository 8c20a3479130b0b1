package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"assay/review"
)

// TerminalOptions say what the terminal can do.
type TerminalOptions struct {
	// Color allows escape sequences.
	Color bool
	// Width is the number of columns to wrap messages at; 0 does not wrap.
	Width int
}

// minWidth is the narrowest column that messages are wrapped to.
const minWidth = 20

// Escape sequences of the terminal format.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	cyan   = "36"
)

// Terminal writes the findings for people at a terminal: by file, each with
// its code, and the verdict on the last line.
func Terminal(w io.Writer, run review.Run, o Options) error {
	t := &terminal{Writer: bufio.NewWriter(w), o: o.Terminal, run: o}
	for _, p := range run.Problems {
		t.line(t.paint(yellow, "config"), " ", plainLine(p.Path, MaxTitle), fmt.Sprintf(":%d ", p.Line), plainLine(p.Message, maxSentence))
	}
	if len(run.Problems) > 0 {
		t.line()
	}
	for _, group := range byFile(run.Findings) {
		t.file(group)
	}
	t.missing(run)
	t.verdict(run)
	return t.Flush()
}

// byFile groups findings by file, the file with the most severe finding first,
// and orders each file's by line.
func byFile(findings []review.Finding) [][]review.Finding {
	var groups [][]review.Finding
	at := make(map[string]int)
	for _, f := range Sorted(findings) {
		i, ok := at[f.Path]
		if !ok {
			i = len(groups)
			at[f.Path] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b review.Finding) int { return cmp.Compare(a.StartLine, b.StartLine) })
	}
	return groups
}

// terminal writes lines; the first failed write is reported by Flush.
type terminal struct {
	*bufio.Writer
	o   TerminalOptions
	run Options
}

func (t *terminal) file(findings []review.Finding) {
	name := cmp.Or(findings[0].Path, "pull request")
	t.line(t.paint(bold, noCommand(plainLine(name, maxSentence))))
	for _, f := range findings {
		t.finding(f)
	}
	t.line()
}

func (t *terminal) finding(f review.Finding) {
	place := "    -"
	if f.StartLine > 0 {
		place = fmt.Sprintf("%5d", f.StartLine)
	}
	t.line(t.paint(dim, place), "  ", t.paint(colorOf(f.Severity), fmt.Sprintf("%-8s", f.Severity)), "  ", t.paint(dim, plainLine(f.Rule, MaxTitle)))
	const indent = "       "
	for _, l := range wrap(plainLine(f.Message, maxSentence), t.o.Width-len(indent)) {
		t.line(indent, noCommand(l))
	}
	if code, first := Numbered(f); len(code) > 0 {
		for i := range code {
			code[i] = ansi.ReplaceAllString(code[i], "")
		}
		for _, l := range gutter(code, first) {
			t.line(indent, t.paint(cyan, l))
		}
	}
	if f.Fix == nil || f.StartLine == 0 {
		return
	}
	if f.Fix.Replacement == "" {
		t.line(indent, t.paint(green, "fix: delete"))
		return
	}
	t.line(indent, t.paint(green, "fix:"))
	for _, l := range gutter(strings.Split(ansi.ReplaceAllString(f.Fix.Replacement, ""), "\n"), 0) {
		t.line(indent, t.paint(green, l))
	}
}

func (t *terminal) missing(run review.Run) {
	for _, a := range unavailable(run.Agents) {
		t.line(t.paint(yellow, "not reviewed"), " by ", plainLine(a.Name, MaxTitle), ": ", plainLine(whyMissing(run, a, t.run), maxSentence))
	}
	if run.Truncated != "" {
		t.line(t.paint(yellow, "not read whole"), ": ", plainLine(run.Truncated, maxSentence))
	}
	if gaps := gapWords(run); gaps != "" {
		t.line(t.paint(yellow, "not fully examined"), ": ", gaps, " (see the Markdown or JSON report)")
	}
	if words := Suppressed(run); words != "" {
		t.line(t.paint(dim, words))
	}
	if run.ConfigChange != "" {
		t.line(t.paint(yellow, "this changes the config"), ": ", plainLine(run.ConfigChange, maxSentence))
	}
}

// gapWords counts the gaps: files by agent, and the whole.
func gapWords(run review.Run) string {
	files, whole := 0, ""
	for _, g := range Gaps(run.Coverage) {
		if g.Path == review.Whole {
			whole = WholeWords(run)
		} else {
			files++
		}
	}
	switch {
	case files == 0:
		return whole
	case whole == "":
		return plural(files, "file")
	}
	return plural(files, "file") + " and " + whole
}

// verdict is the last line.
func (t *terminal) verdict(run review.Run) {
	words := plainLine(title(run), MaxTitle)
	color := yellow
	switch Conclusion(run) {
	case review.ConclusionSuccess:
		color = green
	case review.ConclusionFailure, review.ConclusionActionRequired:
		color = red
	}
	if v := verdictOf(run); v != "" {
		t.line(t.paint(bold+";"+color, v), ": ", words)
		return
	}
	t.line(t.paint(bold+";"+color, words))
}

func (t *terminal) line(parts ...string) {
	for _, p := range parts {
		_, _ = t.WriteString(p) // bufio keeps the error for Flush
	}
	_ = t.WriteByte('\n')
}

func (t *terminal) paint(style, s string) string {
	if !t.o.Color {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func colorOf(s review.Severity) string {
	switch {
	case s >= review.High:
		return red
	case s == review.Medium:
		return yellow
	default:
		return blue
	}
}

// wrap breaks s between words so that no line is wider than columns, unless a
// single word is. No columns means no breaking.
func wrap(s string, columns int) []string {
	if columns <= 0 {
		return []string{s}
	}
	columns = max(columns, minWidth)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		wide := cells(word)
		if used > 0 && used+1+wide > columns {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+wide
	}
	return append(lines, line)
}

// cells is the number of columns that s takes.
func cells(s string) (n int) {
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
