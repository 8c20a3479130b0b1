package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/agents"
	"assay/internal/sarif"
	"assay/review"
)

const (
	// maxEvidence is how many lines of code a finding shows.
	maxEvidence = 10
	// maxRule is the longest name of a rule after "sarif/", in bytes.
	maxRule = 110
)

// reading makes findings of results.
type reading struct {
	options options
	files   map[string]*changed
	seen    map[string]bool

	findings []review.Finding
	// outside counts results with a place that is none of the repository's, of
	// which example is the first.
	outside int
	example string
}

// changed is a changed file, by line.
type changed struct {
	file  review.File
	added agents.Lines
	text  map[int]string // of the head's lines that the diff shows
}

func newReading(change *review.Change, o options) *reading {
	r := &reading{options: o, files: make(map[string]*changed, len(change.Files)), seen: make(map[string]bool)}
	for _, f := range change.Files {
		c := &changed{file: f, added: agents.AddedLines(f), text: make(map[int]string)}
		for _, h := range f.Hunks {
			for _, l := range h.Lines {
				if l.Op != review.Delete {
					c.text[l.New] = l.Text
				}
			}
		}
		r.files[f.Path] = c
	}
	return r
}

// result keeps what speaks of the change.
func (r *reading) result(run sarif.Run, result sarif.Result) {
	if result.Suppressed || result.Unchanged || result.Level == sarif.LevelNone {
		return
	}
	if result.Outside != "" {
		if r.outside++; r.outside == 1 {
			r.example = result.Outside
		}
		return
	}
	file, ok := r.files[result.Path]
	if !ok || !r.speaks(file, result) {
		return
	}
	f := review.Finding{
		Rule: Name + "/" + ruleName(run.Tool, result.Rule), Severity: severity(result), Category: category(result),
		Path: result.Path, StartLine: result.Region.StartLine, EndLine: result.Region.EndLine,
		Message: result.Message, HelpURL: result.HelpURL,
	}
	key := sameness(f, result)
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	if !tellsSecrets(run, result) {
		f.Evidence = file.evidence(f)
		f.Fix = file.fix(result)
	}
	r.findings = append(r.findings, f)
}

// speaks reports whether a result in a changed file is about the change: it
// stands on a line that was added, the tool compared and says that it is new,
// or it is about a file that is new itself.
func (r *reading) speaks(file *changed, result sarif.Result) bool {
	switch {
	case file.file.Status == review.Removed:
		return false
	case r.options.files, result.New, file.file.Status == review.Added:
		return true
	}
	from, to := result.Region.StartLine, result.Region.EndLine
	if len(file.added) < to-from {
		for line := range file.added { // a region may claim to have any length
			if line >= from && line <= to {
				return true
			}
		}
		return false
	}
	return from > 0 && file.added.Any(from, to)
}

// sameness tells a result from others: by the tool's own fingerprints where it
// gives some, by its words otherwise.
func sameness(f review.Finding, result sarif.Result) string {
	key := fmt.Sprintf("%s\x00%s\x00%d", f.Rule, f.Path, f.StartLine)
	if len(result.Fingerprints) == 0 {
		return fmt.Sprintf("%s\x00%d\x00%s", key, f.EndLine, f.Message)
	}
	for _, name := range slices.Sorted(maps.Keys(result.Fingerprints)) {
		key += "\x00" + name + "=" + result.Fingerprints[name]
	}
	return key
}

// severity is GitHub's ranking of security-severity
// (https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#reportingdescriptor-object),
// and the level's for other results.
func severity(r sarif.Result) review.Severity {
	switch {
	case r.Security >= 9:
		return review.Critical
	case r.Security >= 7:
		return review.High
	case r.Security >= 4:
		return review.Medium
	case r.Security > 0:
		return review.Low
	}
	switch r.Level {
	case sarif.LevelError:
		return review.High
	case sarif.LevelNote:
		return review.Low
	default:
		return review.Medium
	}
}

func category(r sarif.Result) review.Category {
	if r.Security >= 0 {
		return review.Security
	}
	for _, tag := range r.Tags {
		switch strings.ToLower(tag) {
		case "security", "vulnerability":
			return review.Security
		case "maintainability", "style", "readability":
			return review.Maintainability
		}
	}
	return review.Correctness
}

// tellsSecrets reports whether the result may be about a secret: its code is
// not shown again.
func tellsSecrets(run sarif.Run, r sarif.Result) bool {
	words := strings.ToLower(run.Tool + " " + r.Rule + " " + strings.Join(r.Tags, " "))
	return slices.ContainsFunc([]string{"secret", "gitleaks", "trufflehog", "credential", "password", "api-key", "apikey", "private-key"}, func(w string) bool {
		return strings.Contains(words, w)
	})
}

// ruleName is "<tool>.<rule>" in the letters that rule IDs have. Names that
// would lose too much of themselves are told apart by a hash.
func ruleName(tool, rule string) string {
	a, lossyA := plain(tool)
	b, lossyB := plain(rule)
	if a == "" {
		a = "tool"
	}
	if b == "" {
		b = "result"
	}
	name := a + "." + b
	if lossyA || lossyB || len(name) > maxRule {
		sum := sha256.Sum256([]byte(tool + "\x00" + rule))
		name = strings.TrimRight(name[:min(len(name), maxRule-9)], "-.") + "-" + hex.EncodeToString(sum[:4])
	}
	return name
}

// plain is text in lower-case letters, digits, "-", "_" and ".". lossy says that
// letters of other scripts were left out.
func plain(text string) (name string, lossy bool) {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '.':
			b.WriteRune(r)
		default:
			lossy = lossy || r > 127
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	return strings.Trim(b.String(), "-."), lossy
}

// evidence is the code as it stands at the head, as far as the diff shows it.
// The tool's own snippet is not taken for it: nobody has checked that.
func (c *changed) evidence(f review.Finding) string {
	var lines []string
	for n := f.StartLine; n > 0 && n <= f.EndLine && len(lines) < maxEvidence; n++ {
		text, ok := c.text[n]
		if !ok {
			break
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// fix is the tool's best offer, where it changes nothing but the lines of its
// result and those are shown by the diff. Columns count what the tool thinks a
// character is, so they are believed in ASCII alone.
func (c *changed) fix(result sarif.Result) *review.Fix {
	if len(result.Fixes) == 0 || len(result.Fixes[0].Edits) != 1 {
		return nil
	}
	edit := result.Fixes[0].Edits[0]
	at := edit.Region
	if edit.Path != result.Path || at.StartLine != result.Region.StartLine || at.EndLine != result.Region.EndLine || at.StartLine < 1 {
		return nil
	}
	first, shown := c.text[at.StartLine]
	last, alsoShown := c.text[at.EndLine]
	if !shown || !alsoShown {
		return nil
	}
	if at.StartColumn == 0 && at.EndColumn == 0 {
		return &review.Fix{Replacement: strings.TrimSuffix(strings.TrimSuffix(edit.Text, "\n"), "\r")}
	}
	from, to := max(at.StartColumn, 1)-1, at.EndColumn-1
	if at.EndColumn == 0 {
		to = len(last)
	}
	if from > len(first) || to > len(last) || to < 0 || at.StartLine == at.EndLine && to < from || !ascii(first[:from]) || !ascii(last[:to]) {
		return nil
	}
	return &review.Fix{Replacement: first[:from] + edit.Text + last[to:]}
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
