package reports

import (
	"fmt"
	"strings"

	"assay/review"
)

// AnswerMarker is the first line of the answer to a comment, by which the
// answer is found again; like CommentMarker it is public.
func AnswerMarker(comment int64) string { return fmt.Sprintf("<!-- assay:answer:%d -->", comment) }

// HelpMarker is in the first answer on a pull request that tells of the
// commands unasked.
const HelpMarker = "<!-- assay:help -->"

// Help is the list of the commands that comments may hold.
const Help = `Commands, each on a line of its own, for people who may write to this repository:

- ` + "`/assay review [pipeline]`" + `: reviews this head again
- ` + "`/assay explain [finding]`" + `: says more of a finding; without one, lists all
- ` + "`/assay dismiss <finding> <reason>`" + `: takes a finding out of the verdict on this pull request
- ` + "`/assay config`" + `: shows the pipelines in force
- ` + "`/assay help`" + `: shows this
`

// Answer is the body of an answer to a comment: the markers, then the parts,
// which are Markdown already.
func Answer(markers, parts []string) string {
	return clip(strings.Join(markers, "\n")+"\n"+strings.Join(parts, "\n"), MaxComment)
}

// Prose is s, whoever wrote it, as one line of Markdown that reads as s and
// does nothing.
func Prose(s string) string { return prose(s) }

// Code is s, whoever wrote it, as inline code on one line.
func Code(s string) string { return code(s) }

// Explain says all that is known of a finding.
func Explain(f review.Finding, runURL string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** %s at %s, finding %s by the agent %s\n\n%s\n", f.Severity, code(f.Rule), code(f.Location()), code(f.ID), code(f.Agent), prose(f.Message))
	if f.Evidence != "" {
		b.WriteString("\n" + fence(evidence(f.Evidence)))
	}
	if f.Dismissed != nil {
		fmt.Fprintf(&b, "\nDismissed by %s: %s\n", code(f.Dismissed.By), prose(f.Dismissed.Reason))
	}
	fmt.Fprintf(&b, "\nThe whole report is on [the run's page](%s).\n", runURL)
	return b.String()
}

func evidence(s string) []string {
	lines := strings.Split(Visible(clip(s, maxEvidence*maxCodeLine)), "\n")
	if len(lines) > maxEvidence {
		lines = append(lines[:maxEvidence], "…")
	}
	return lines
}

// List is a list of findings, not too long, with the IDs that commands take.
func List(findings []review.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i == listed {
			fmt.Fprintf(&b, "- and %d more\n", len(findings)-i)
			break
		}
		fmt.Fprintf(&b, "- %s %s %s at %s", code(f.ID), f.Severity, code(f.Rule), code(f.Location()))
		if f.Dismissed != nil {
			b.WriteString(", dismissed")
		}
		b.WriteString("\n")
	}
	return b.String()
}
