package agents

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"assay/review"
)

// Bounds of what is kept of an agent's answer, in bytes unless they say
// otherwise. They stand well inside GitHub's: 64 KB for the message of an
// annotation (https://docs.github.com/rest/checks/runs).
const (
	MaxFindings = 1000 // findings of one agent in one run
	maxMessage  = 4000
	maxEvidence = 8000
	maxFix      = 64 << 10
	maxURL      = 2048
	maxReason   = 300
	maxRule     = 128
	maxPath     = 4096 // as Linux has it
	maxName     = 100
	maxLine     = 10_000_000 // lines of a file
)

// checked is what is left of an agent's findings after they were checked.
type checked struct {
	findings []review.Finding
	// note says what was left out; refusal, why nothing of the answer counts.
	note, refusal string
}

// check looks at an agent's result as data from a stranger.
//
// A finding whose lines cannot be right is kept for its file as a whole: what
// it says may well be true. One without a usable rule, severity, message or
// path is left out and counted, for there is no honest way to show it. An
// agent that had findings of which none can be shown is refused: it saw
// something, so the change must not come out as clean.
func check(agent string, change *review.Change, result Result) checked {
	if len(change.Files) > 0 && len(result.Coverage) == 0 {
		return checked{
			findings: checkFindings(agent, change, result).findings,
			refusal:  "the agent gave no receipt of what it examined",
		}
	}
	return checkFindings(agent, change, result)
}

func checkFindings(agent string, change *review.Change, result Result) checked {
	var c checked
	var unusable int
	at := places{files: filesByPath(change), whole: whole(result.Coverage)}
	seen := make(map[string]bool, min(len(result.Findings), MaxFindings))
	for _, f := range result.Findings {
		if !usable(agent, at, &f) {
			unusable++
			continue
		}
		key := fmt.Sprint(f.Rule, "\x00", f.Path, "\x00", f.StartLine, "\x00", f.EndLine, "\x00", f.Message, "\x00", f.Evidence)
		if seen[key] {
			continue
		}
		seen[key] = true
		c.findings = append(c.findings, f)
	}
	var notes []string
	if over := len(c.findings) - MaxFindings; over > 0 {
		slices.SortStableFunc(c.findings, func(a, b review.Finding) int { return int(b.Severity) - int(a.Severity) })
		c.findings = slices.Clone(c.findings[:MaxFindings])
		notes = append(notes, fmt.Sprintf("%d more findings were left out", over))
	}
	if unusable > 0 {
		notes = append(notes, fmt.Sprintf("%d malformed findings were dropped", unusable))
		if len(c.findings) == 0 {
			c.refusal = fmt.Sprintf("none of the agent's %d findings was well formed", unusable)
		}
	}
	c.note = strings.Join(notes, "; ")
	return c
}

func filesByPath(change *review.Change) map[string]*review.File {
	files := make(map[string]*review.File, len(change.Files))
	for i := range change.Files {
		files[change.Files[i].Path] = &change.Files[i]
	}
	return files
}

// whole reports whether the agent looked at more than the changed files.
func whole(receipts []review.Coverage) bool {
	return slices.ContainsFunc(receipts, func(c review.Coverage) bool {
		return c.Path == review.Whole && (c.Level == review.Full || c.Level == review.Partial)
	})
}

// usable cleans the finding in place and reports whether it can be shown.
func usable(agent string, at places, f *review.Finding) bool {
	f.Agent = agent
	if !strings.HasPrefix(f.Rule, agent+"/") || len(f.Rule) > maxRule || !ruleForm(f.Rule) {
		return false
	}
	if f.Severity < review.Info || f.Severity > review.Critical {
		return false
	}
	f.Message = strings.TrimSpace(clean(f.Message, maxMessage))
	if f.Message == "" {
		return false
	}
	f.Evidence = clean(f.Evidence, maxEvidence)
	switch f.Category {
	case review.Security, review.Correctness, review.Maintainability, review.Process:
	default:
		f.Category = review.Correctness
	}
	if len(f.HelpURL) > maxURL || !strings.HasPrefix(f.HelpURL, "https://") || strings.ContainsAny(f.HelpURL, " \n\r\t\"<>\x00") {
		f.HelpURL = ""
	}
	return at.place(f)
}

// places are where findings may stand: in the changed files and, where the
// agent looked at the repository as a whole, in any other.
type places struct {
	files map[string]*review.File
	whole bool
}

// place checks where the finding stands.
func (p places) place(f *review.Finding) bool {
	if f.Path == "" {
		f.StartLine, f.EndLine, f.Fix = 0, 0, nil
		return true
	}
	last := maxLine
	if file, ok := p.files[f.Path]; ok {
		last = lastLine(file)
	} else if !p.whole || !pathForm(f.Path) {
		return false
	}
	if f.StartLine < 1 || f.EndLine < f.StartLine || f.EndLine > last {
		f.StartLine, f.EndLine, f.Fix = 0, 0, nil
		return true
	}
	if f.Fix != nil && !safeFix(f.Fix.Replacement) {
		f.Fix = nil
	}
	return true
}

// pathForm reports whether the path can be that of a file of a repository.
func pathForm(p string) bool {
	return len(p) <= maxPath && p != review.Whole && fs.ValidPath(p) && !strings.ContainsRune(p, 0)
}

// safeFix reports whether the text can be offered as it is: a fix is applied
// by a click, so it is never cut or repaired.
func safeFix(text string) bool {
	return len(text) <= maxFix && utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// lastLine is the highest line the head's file can have, as far as the diff
// tells: all of an added file is in the diff, the rest of others is not.
func lastLine(f *review.File) int {
	switch {
	case f.Status == review.Removed, f.Binary:
		return 0
	case f.Status != review.Added || f.Unread != "":
		return maxLine
	}
	last := 0
	for _, h := range f.Hunks {
		last = max(last, h.NewStart+h.NewLines-1)
	}
	return last
}

func ruleForm(rule string) bool {
	for _, r := range rule {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.', r == '/':
		default:
			return false
		}
	}
	return !strings.HasSuffix(rule, "/")
}

// clean makes text of what may be anything: valid UTF-8, no NUL, at most limit
// bytes with the cut shown.
func clean(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if cut {
		s += "…"
	}
	return s
}
