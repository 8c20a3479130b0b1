package command

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"assay/review"
)

// problem is what a command reports.
type problem struct {
	// path is as the command wrote it.
	path string
	// start and end are lines from 1; 0 for the whole file.
	start, end int
	rule       string
	message    string
	// severity is review.SeverityNone where the command gave none.
	severity review.Severity
	url      string
	edit     *edit
}

// edit is a proposed change: the text from one place to another becomes
// another. Columns count bytes from 1, the end is not part of it; 0 stands for
// the whole line.
type edit struct {
	startLine, startColumn, endLine, endColumn int
	text                                       string
}

// findings are those of the problems that stand on lines which the change adds.
// note says what became of the others.
func (a *Agent) findings(ctx context.Context, change *review.Change, problems []problem, dir string) (all []review.Finding, note string) {
	elsewhere := 0
	lines := make(map[string][]string)
	for _, p := range problems {
		file, ok := change.File(inRepository(p.path, dir))
		if !ok || !isNew(file, &p) {
			elsewhere++
			continue
		}
		f := review.Finding{
			Agent: a.name, Rule: a.name + "/" + ruleName(p.rule), Severity: p.severity, Category: a.options.category,
			Path: file.Path, StartLine: p.start, EndLine: p.end, Message: strings.TrimSpace(p.message), HelpURL: p.url,
		}
		if f.Severity == review.SeverityNone {
			f.Severity = a.options.severity
		}
		if f.Message == "" {
			f.Message = "The command reports a problem here without words of its own."
		}
		a.quote(ctx, change, &f, p.edit, lines)
		all = append(all, f)
	}
	if elsewhere > 0 {
		note = fmt.Sprintf("%d problems that the command reports are on lines that this change does not add, and left out", elsewhere)
	}
	return all, note
}

// isNew reports whether the problem came with the change.
func isNew(file review.File, p *problem) bool {
	if file.Status == review.Removed {
		return false
	}
	if p.start <= 0 {
		p.start, p.end = 0, 0
		return file.Status == review.Added
	}
	p.end = max(p.start, p.end)
	return file.Adds(p.start, p.end)
}

// quote gives the finding its evidence and its fix.
func (a *Agent) quote(ctx context.Context, change *review.Change, f *review.Finding, e *edit, known map[string][]string) {
	if f.StartLine == 0 || change.Contents == nil {
		return
	}
	lines, ok := known[f.Path]
	if !ok {
		if text, err := change.Contents.Read(ctx, review.Head, f.Path); err == nil {
			lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		}
		known[f.Path] = lines
	}
	if f.EndLine > len(lines) {
		return
	}
	if e != nil {
		if start, end, text, ok := e.whole(lines); ok {
			f.StartLine, f.EndLine, f.Fix = start, end, &review.Fix{Replacement: text}
		}
	}
	const most = 20
	f.Evidence = strings.Join(lines[f.StartLine-1:min(f.EndLine, f.StartLine+most-1)], "\n")
}

// whole is the edit as one of whole lines.
func (e edit) whole(lines []string) (start, end int, text string, ok bool) {
	start, end = e.startLine, max(e.endLine, e.startLine)
	if start < 1 || end > len(lines) || e.startColumn < 0 || e.endColumn < 0 {
		return 0, 0, "", false
	}
	first, last := lines[start-1], lines[end-1]
	if e.startColumn == 0 && e.endColumn == 0 {
		return start, end, strings.TrimSuffix(e.text, "\n"), true
	}
	from, to := max(e.startColumn, 1)-1, len(last)
	if e.endColumn > 0 {
		to = e.endColumn - 1
	}
	if from > len(first) || to > len(last) || start == end && to < from {
		return 0, 0, "", false
	}
	return start, end, first[:from] + e.text + last[to:], true
}

// inRepository is the path as the change has it; empty where it leads out.
func inRepository(p, dir string) string {
	if u, err := url.Parse(p); err == nil && u.Scheme == "file" {
		p = u.Path
	}
	p = strings.ReplaceAll(p, `\`, "/")
	p = strings.TrimPrefix(p, strings.TrimSuffix(dir, "/")+"/")
	p = path.Clean(p)
	if path.IsAbs(p) || p == "." || p == ".." || strings.HasPrefix(p, "../") {
		return ""
	}
	return p
}

// ruleName is a command's rule as part of a rule's ID.
func ruleName(rule string) string {
	const most = 60
	var b strings.Builder
	for _, r := range strings.ToLower(rule) {
		switch {
		case b.Len() >= most:
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if name := strings.Trim(b.String(), "-."); name != "" {
		return name
	}
	return "problem"
}

// severityOf is a word of a linter as a severity. None claims critical: that
// takes the team's config.
func severityOf(word string) review.Severity {
	switch strings.ToLower(word) {
	case "error", "fatal", "critical", "blocker", "high", "e":
		return review.High
	case "warning", "warn", "medium", "major", "w":
		return review.Medium
	case "note", "low", "minor", "style", "convention", "refactor", "n":
		return review.Low
	case "info", "information", "hint", "none", "i":
		return review.Info
	}
	return review.SeverityNone
}
