package web

import (
	"fmt"
	"strings"

	"assay/reports"
	"assay/review"
)

// findingView is a finding as its box shows it.
type findingView struct {
	anchor, rule, place, url string
	// short is the place without its directory, for the list beside the page.
	short    string
	severity review.Severity
	agent    string
	message  []span
	code     []codeLine
	// fix says what the fix does when it is not shown as a change of code.
	fix     string
	fixCode []codeLine
	help    string
	helpURL string
}

// span is a part of a message; Code was between backticks.
type span struct {
	text string
	code bool
}

// codeLine is a line of code; kind is "", "add" or "del".
type codeLine struct {
	number, kind, text string
}

func (c codeLine) sign() string {
	switch c.kind {
	case "add":
		return "+"
	case "del":
		return "-"
	}
	return " "
}

func findingOf(f review.Finding, links reports.Links) findingView {
	v := findingView{
		anchor: anchor(f), rule: line(f.Rule), place: line(reports.Location(f)), url: links.Lines(f.Path, f.StartLine, f.EndLine),
		severity: f.Severity, agent: line(f.Agent), message: spans(line(f.Message)),
	}
	if f.StartLine > 0 {
		v.short = fmt.Sprintf("L%d", f.StartLine)
	}
	if host, ok := reports.HelpHost(f.HelpURL); ok {
		v.help, v.helpURL = host, f.HelpURL
	}
	lines, start := reports.Numbered(f)
	fixes := f.Fix != nil && f.StartLine > 0
	switch {
	case fixes && start > 0: // the code is exactly what the fix replaces
		v.code = append(codeLines(lines, start, "del"), replacement(f)...)
		if f.Fix.Replacement == "" {
			v.fix = fixWords(f)
		}
	case fixes:
		v.code = codeLines(lines, start, "")
		v.fix, v.fixCode = fixWords(f), replacement(f)
	default:
		v.code = codeLines(lines, start, "")
	}
	return v
}

func replacement(f review.Finding) []codeLine {
	if f.Fix.Replacement == "" {
		return nil
	}
	return codeLines(strings.Split(f.Fix.Replacement, "\n"), f.StartLine, "add")
}

func fixWords(f review.Finding) string {
	lines := fmt.Sprintf("line %d", f.StartLine)
	if f.EndLine > f.StartLine {
		lines = fmt.Sprintf("lines %d to %d", f.StartLine, f.EndLine)
	}
	if f.Fix.Replacement == "" {
		return "Fix: delete " + lines
	}
	return "Fix: replace " + lines + " with"
}

// codeLines numbers lines from start; 0 means that their numbers are not
// known.
func codeLines(lines []string, start int, kind string) []codeLine {
	shown := lines[:min(len(lines), maxLines)]
	out := make([]codeLine, 0, len(shown)+1)
	for i, l := range shown {
		if len(l) > maxColumns {
			l = l[:maxColumns] + "…"
		}
		c := codeLine{kind: kind, text: reports.Visible(l)}
		if start > 0 {
			c.number = fmt.Sprint(start + i)
		}
		out = append(out, c)
	}
	if more := len(lines) - len(shown); more > 0 {
		out = append(out, codeLine{text: fmt.Sprintf("… %d more lines", more)})
	}
	return out
}

// spans splits a message at its backticks.
func spans(s string) []span {
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 || strings.Contains(s, "``") {
		return []span{{text: s}}
	}
	var out []span
	for i, p := range parts {
		if p != "" {
			out = append(out, span{text: p, code: i%2 == 1})
		}
	}
	return out
}
