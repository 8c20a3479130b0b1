package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/review"
)

// Title says in one line how a run stands: "2 high, 1 low in 14 files". It is
// plain text of at most MaxTitle bytes.
func Title(run review.Run) string {
	return oneLine(title(run), MaxTitle)
}

func title(run review.Run) string {
	switch run.Status {
	case review.StatusQueued:
		return "Queued"
	case review.StatusRunning:
		if len(run.Agents) == 0 {
			return "Reviewing"
		}
		if names := awaited(run.Agents); len(names) > 0 && !run.AwaitUntil.IsZero() {
			return fmt.Sprintf("Waiting for %s, until %s at the longest", strings.Join(names, " and "), clock(run.AwaitUntil, run.StartedAt))
		}
		return fmt.Sprintf("Reviewing: %d of %s done", finished(run.Agents), plural(len(run.Agents), "agent"))
	case review.StatusSkipped:
		return because("Skipped", run.Reason)
	case review.StatusSuperseded:
		return because("Superseded", run.Reason)
	case review.StatusCancelled:
		return because("Cancelled", run.Reason)
	case review.StatusDead:
		return because("Not reviewed", cmp.Or(run.Reason, run.Outcome.Reason))
	default:
		return doneTitle(run)
	}
}

func doneTitle(run review.Run) string {
	missing := unavailable(run.Agents)
	if run.Outcome.Health == review.Failed || (len(missing) > 0 && len(missing) == len(run.Agents)) {
		return because("Not reviewed", cmp.Or(missingWords(missing), run.Outcome.Reason, run.Reason))
	}
	if run.Outcome.Health != review.Complete {
		incomplete := because("Not fully reviewed", cmp.Or(missingWords(missing), run.Outcome.Reason))
		if len(run.Findings) == 0 {
			return incomplete
		}
		return Counts(run.Findings) + inFiles(run) + ". " + incomplete
	}
	if len(run.Findings) == 0 && run.Outcome.Conclusion == review.ConclusionSkipped {
		return "Nothing to review" + inFiles(run)
	}
	if len(run.Findings) == 0 {
		return "No problems" + inFiles(run)
	}
	return Counts(run.Findings) + inFiles(run)
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

func inFiles(run review.Run) string {
	if run.Truncated != "" {
		return " in the files that were read"
	}
	if run.Files == 0 || onlyWhole(run) {
		return ""
	}
	if run.Ignored > 0 && run.Ignored < run.Files {
		// What nobody looked at must not be counted as fine.
		return fmt.Sprintf(" in %s (%d ignored)", plural(run.Files-run.Ignored, "file"), run.Ignored)
	}
	return " in " + plural(run.Files, "file")
}

// Suppressed is "2 suppressed by the config"; "" when nothing is.
func Suppressed(run review.Run) string {
	if n := len(run.Suppressed); n > 0 {
		return fmt.Sprintf("%d suppressed by the config", n)
	}
	return ""
}

// onlyWhole reports whether what was looked at is no file.
func onlyWhole(run review.Run) bool {
	whole := false
	for _, c := range run.Coverage {
		switch {
		case c.Level == review.NotApplicable:
		case c.Path != review.Whole:
			return false
		default:
			whole = true
		}
	}
	return whole
}

// WholeWords is what receipts for review.Whole are about in the run.
func WholeWords(run review.Run) string {
	switch {
	case run.Issue != nil:
		return "the issue"
	case run.Pull.Number > 0:
		return "the pull request"
	}
	return "the repository"
}

// Counts is the number of findings by severity, most severe first: "2 high, 1
// low"; "" when there are none.
func Counts(findings []review.Finding) string {
	counts := review.Count(findings)
	var parts []string
	for _, s := range review.Severities() {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// VerdictWords is a verdict as people say it; "" for no verdict.
func VerdictWords(v review.Verdict) string {
	switch v {
	case review.Approve:
		return "No objections"
	case review.Comment:
		return "Comments only"
	case review.RequestChanges:
		return "Changes requested"
	case review.Block:
		return "Blocked"
	case review.ManualReview:
		return "Needs a person's review"
	}
	return ""
}

// Duration is d for people, in at most two units: "0.4s", "48.2s", "1m 52s",
// "1h 3m".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute-50*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// Conclusion is what a run's check concludes with; "" until the run is final.
// A run that is not done, or not complete, never concludes with success: green
// means reviewed.
func Conclusion(run review.Run) review.Conclusion {
	if !run.Status.Final() {
		return ""
	}
	c := run.Outcome.Conclusion
	switch run.Status {
	case review.StatusSkipped:
		return review.ConclusionSkipped
	case review.StatusSuperseded, review.StatusCancelled:
		// Whatever was found is not the pull request's any more.
		return review.ConclusionCancelled
	}
	if c == "" {
		c = review.ConclusionNeutral
	}
	if c == review.ConclusionSuccess && (run.Status != review.StatusDone || run.Outcome.Health != review.Complete) {
		return review.ConclusionNeutral
	}
	return c
}

// Sorted returns the findings most severe first, then by place, without
// touching the run's own.
func Sorted(findings []review.Finding) []review.Finding {
	return slices.SortedStableFunc(slices.Values(findings), func(a, b review.Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.StartLine, b.StartLine),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// Location is where a finding is, as "path:3-5", for people.
func Location(f review.Finding) string {
	if f.StartLine > 0 && f.EndLine > f.StartLine {
		return fmt.Sprintf("%s-%d", f.Location(), f.EndLine)
	}
	return f.Location()
}

// Numbered splits a finding's evidence into lines. The first line's number is
// 0 when the evidence is not exactly the finding's lines, so that no line is
// shown under a number that is not its own.
func Numbered(f review.Finding) (lines []string, first int) {
	if f.Evidence == "" {
		return nil, 0
	}
	lines = strings.Split(strings.TrimSuffix(f.Evidence, "\n"), "\n")
	if f.StartLine > 0 && len(lines) == max(f.EndLine, f.StartLine)-f.StartLine+1 {
		return lines, f.StartLine
	}
	return lines, 0
}

func unavailable(agents []review.AgentRun) []review.AgentRun {
	var missing []review.AgentRun
	for _, a := range agents {
		if a.Status == review.AgentUnavailable {
			missing = append(missing, a)
		}
	}
	return missing
}

func missingWords(missing []review.AgentRun) string {
	if len(missing) == 0 {
		return ""
	}
	words := missing[0].Name
	if missing[0].Reason != "" {
		words += " (" + oneLine(missing[0].Reason, 100) + ")"
	}
	if more := len(missing) - 1; more > 0 {
		words += " and " + plural(more, "more agent")
	}
	return words
}

func finished(agents []review.AgentRun) (n int) {
	for _, a := range agents {
		if a.Status == review.AgentDone || a.Status == review.AgentUnavailable {
			n++
		}
	}
	return n
}

// plural is "1 file", "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short is the first 7 characters of a commit's SHA.
func short(sha string) string {
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
}
