package hygiene

import (
	"path"
	"strings"

	"assay/agents"
	"assay/review"
)

// The markers of a conflict, as git writes them: seven characters at the
// beginning of a line, alone or before a space
// (https://git-scm.com/docs/git-merge#_how_conflicts_are_presented).
const (
	markOurs   = "<<<<<<<"
	markMiddle = "======="
	markTheirs = ">>>>>>>"
)

// maxConflicts bounds the findings of one file.
const maxConflicts = 20

// conflicts finds whole conflicts: all three markers added, in order. One alone
// proves nothing; a line of equals signs is a heading in many a text.
func (a *Agent) conflicts(f review.File) []review.Finding {
	var found []review.Finding
	var ours, middle review.Line
	for l := range f.Added() {
		switch {
		case isMark(l.Text, markOurs):
			ours, middle = l, review.Line{}
		case ours.New > 0 && isMark(l.Text, markMiddle):
			if middle.New == 0 {
				middle = l
			}
		case middle.New > 0 && isMark(l.Text, markTheirs):
			c := a.finding(ruleConflict, f.Path, "A merge conflict is not resolved: decide between the two sides and remove the markers.")
			c.StartLine, c.EndLine = ours.New, l.New
			c.Evidence = strings.Join([]string{clip(ours.Text), clip(middle.Text), clip(l.Text)}, "\n")
			if prose(f.Path) || agents.TestPath(f.Path) {
				c.Severity = review.Low // likely an example of a conflict
			}
			found = append(found, c)
			if len(found) == maxConflicts {
				return found
			}
			ours, middle = review.Line{}, review.Line{}
		}
	}
	return found
}

func isMark(text, mark string) bool {
	rest, ok := strings.CutPrefix(text, mark)
	return ok && (rest == "" || rest[0] == ' ' || rest == "\r")
}

// prose reports whether the file is text for people rather than code.
func prose(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".txt", ".tex", ".org", ".html", ".htm", ".po", ".pot", ".xlf", ".srt", ".vtt":
		return true
	}
	return false
}

// clip makes evidence of a line: cut, and valid UTF-8.
func clip(s string) string {
	const most = 200
	s = strings.TrimRight(s, "\r")
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
