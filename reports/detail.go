package reports

import (
	"fmt"
	"strings"

	"assay/review"
)

// details shows every finding with its code.
func (d document) details() section {
	s := d.list("findings in detail", rankFindings, "", nil, 0)
	s.n = len(d.findings)
	s.item = func(i int) string { return d.detail(d.findings[i]) }
	return s
}

func (d document) detail(f review.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#### %s: %s\n\n", capital(f.Severity.String()), code(f.Rule))
	if f.Path != "" {
		b.WriteString(d.place(f) + "\n\n")
	}
	b.WriteString(prose(f.Message) + "\n\n")
	if lines, first := Numbered(f); len(lines) > 0 {
		b.WriteString(fence(gutter(lines, first)) + "\n")
	}
	if f.Fix != nil && f.StartLine > 0 {
		b.WriteString(fixed(f))
	}
	if host, ok := HelpHost(f.HelpURL); ok {
		fmt.Fprintf(&b, "What the rule means: [%s](%s)\n\n", text(host), f.HelpURL)
	}
	return b.String()
}

func fixed(f review.Finding) string {
	lines := "line " + fmt.Sprint(f.StartLine)
	if f.EndLine > f.StartLine {
		lines = fmt.Sprintf("lines %d to %d", f.StartLine, f.EndLine)
	}
	if f.Fix.Replacement == "" {
		return "Fix: delete " + lines + ".\n\n"
	}
	return "Fix: replace " + lines + " with\n\n" + fence(gutter(strings.Split(f.Fix.Replacement, "\n"), 0)) + "\n"
}

// gutter puts a column before code: line numbers where first is one. The
// column also keeps each line from beginning with another bot's command.
func gutter(lines []string, first int) []string {
	shown := lines[:min(len(lines), maxEvidence)]
	width := len(fmt.Sprint(first + len(shown) - 1))
	out := make([]string, 0, len(shown)+1)
	for i, l := range shown {
		l = clip(strings.TrimRight(Visible(clip(l, 8*maxCodeLine)), " \t"), maxCodeLine)
		if first > 0 {
			out = append(out, fmt.Sprintf("%*d | %s", width, first+i, l))
		} else {
			out = append(out, "| "+l)
		}
	}
	if more := len(lines) - len(shown); more > 0 {
		out = append(out, "... "+plural(more, "more line"))
	}
	return out
}
