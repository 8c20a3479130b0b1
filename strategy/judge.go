package strategy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// Facts is what a run came to, as Judge wants it.
type Facts struct {
	Findings []review.Finding
	// Required are the agents that must have done their work: Plan.Agents().
	// One that is not among Agents never ran, and counts as unavailable.
	Required []string
	Agents   []review.AgentRun
	// Coverage holds a receipt per agent and file that was to be reviewed.
	// Receipts are the proof of work: a done agent without them is not
	// believed. One for review.Whole is no file's.
	Coverage []review.Coverage
	// Whole is what receipts for review.Whole are about, in words; empty is "the
	// repository".
	Whole string
	// Paths are those of the files that were to be reviewed; nil means those
	// that have a receipt.
	Paths []string
	// Files is the number of files in the change and Ignored how many of them
	// the config left out of the review (Plan.Ignored).
	Files   int
	Ignored int
	// Truncated says why the change was not read whole; empty when it was.
	Truncated string
	// Problems are the mistakes for which the config was not in force as it is
	// written.
	Problems []review.Problem
}

// Judge turns facts into an outcome. It is the only place that does, and it
// reads structured findings and receipts alone: no text decides anything. All
// combinations are in docs/verdict.md, which the tests hold it to.
//
// The rules, the first that fits deciding the conclusion:
//
//  1. A finding at or over the gate is a failure, however the run went: what is
//     missing cannot make it better.
//  2. Too little examined (require_coverage) is a failure: the gate demands that
//     these files are looked at, whether or not that could be done. Only what
//     agents that did their work say counts: without any, nobody can tell, and
//     the next rule decides.
//  3. A review that is not whole is never success. Whether it blocks is the
//     team's choice (on_unavailable). Not whole means: an agent of the plan
//     was unavailable or left files without a receipt; an agent examined a
//     file only in part or not at all; the change was truncated. The last two
//     count like the first because an author can bring them about (a file
//     padded until GitHub sends no patch), and green would then say "reviewed"
//     of what nobody read.
//  4. A config with problems makes the check neutral, not action_required. The
//     default reviewed the change in its place, so something was judged, but
//     not by the team's own rules, so it is not green either. action_required
//     would block a required check, and with it the very pull request that
//     mends the config: config is read from the base branch, so the check can
//     only recover after the merge.
//  5. A change of which nothing was to be reviewed is skipped: it has no files,
//     or the config ignores all of them, or none of them concerns any of the
//     agents. An agent that looked at the whole (review.Whole) has reviewed
//     something whatever there is of files.
//  6. An advisory gate (fail_on: never) with findings is neutral: nobody
//     judged them acceptable. Without findings it is success.
//  7. Anything else is success.
//
// The verdict is what the findings say and approve is said only of a change
// that was reviewed whole; a run in which no agent did its work leaves
// manual_review. Health speaks of the run alone: failed when no agent did its
// work, degraded when the review is not whole, else complete.
func Judge(gate Gate, facts Facts) review.Outcome {
	w := workOf(facts)
	w.uncovered = uncovered(gate.RequireCoverage, w, facts)
	worst := worstOf(facts.Findings)
	stopped := gate.FailOn > review.SeverityNone && worst >= gate.FailOn
	return review.Outcome{
		Verdict:    verdict(worst, stopped, w, facts),
		Health:     w.health(),
		Conclusion: conclusion(gate, stopped, w, facts),
		Reason:     reason(gate, stopped, w, facts),
	}
}

// Unavailable is the outcome of a run that came to no result at all, which no
// findings can mend: on_unavailable decides whether it blocks.
func Unavailable(gate Gate, reason string) review.Outcome {
	o := review.Outcome{Verdict: review.ManualReview, Health: review.Failed, Conclusion: review.ConclusionNeutral, Reason: reason}
	if gate.OnUnavailable == UnavailableFail {
		o.Conclusion = review.ConclusionFailure
	}
	return o
}

func worstOf(findings []review.Finding) review.Severity {
	worst := review.SeverityNone
	for _, f := range findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

func verdict(worst review.Severity, stopped bool, w work, facts Facts) review.Verdict {
	switch {
	case stopped && worst >= review.Critical:
		return review.Block
	case stopped:
		return review.RequestChanges
	case w.done == 0, w.uncovered != "":
		return review.ManualReview
	case !w.whole(), len(facts.Findings) > 0, w.nothing:
		return review.Comment
	default:
		return review.Approve
	}
}

func conclusion(gate Gate, stopped bool, w work, facts Facts) review.Conclusion {
	switch {
	case stopped, w.uncovered != "":
		return review.ConclusionFailure
	case !w.whole() && gate.OnUnavailable == UnavailableFail:
		return review.ConclusionFailure
	case !w.whole(), len(facts.Problems) > 0:
		return review.ConclusionNeutral
	case w.nothing:
		return review.ConclusionSkipped
	case gate.FailOn == review.SeverityNone && len(facts.Findings) > 0:
		return review.ConclusionNeutral
	default:
		return review.ConclusionSuccess
	}
}

// reason joins what the findings say with what is missing, in one line.
func reason(gate Gate, stopped bool, w work, facts Facts) string {
	var parts []string
	if w.done > 0 || len(facts.Findings) > 0 {
		parts = append(parts, findingsReason(gate, stopped, w, facts))
	}
	if w.uncovered != "" {
		parts = append(parts, w.uncovered)
	}
	parts = append(parts, w.missing...)
	if gate.RetryFor > 0 && waitable(facts.Agents) {
		parts = append(parts, "what is missing is tried again for "+short(gate.RetryFor))
	}
	if n := len(facts.Problems); n > 0 {
		parts = append(parts, fmt.Sprintf("the config has %s, so it is not in force as it is written", count(n, "problem")))
	}
	return strings.Join(parts, "; ")
}

// waitable reports whether an agent waits for something that may come back.
func waitable(agents []review.AgentRun) bool {
	return slices.ContainsFunc(agents, func(a review.AgentRun) bool {
		return a.Status == review.AgentUnavailable && a.Dependency != ""
	})
}

func findingsReason(gate Gate, stopped bool, w work, facts Facts) string {
	switch n := len(facts.Findings); {
	case stopped:
		return fmt.Sprintf("%s, and the gate fails on %s", bySeverity(facts.Findings), gate.FailOn)
	case n > 0 && gate.FailOn == review.SeverityNone:
		return bySeverity(facts.Findings) + ", and the gate never fails"
	case n > 0:
		return fmt.Sprintf("%s, below the gate (%s)", bySeverity(facts.Findings), gate.FailOn)
	case w.looked && !w.files:
		return "no findings in " + facts.whole()
	case facts.Files == 0:
		return "nothing to review: the change has no files"
	case facts.expected() == 0:
		return fmt.Sprintf("nothing to review: the config ignores %s of the change", count(facts.Files, "file"))
	case w.nothing:
		return fmt.Sprintf("nothing to review: %s, of which none concerns the agents", count(facts.expected(), "file"))
	default:
		return "no findings in " + count(facts.expected(), "file")
	}
}

// expected is the number of files that were to be reviewed.
func (f Facts) expected() int { return max(0, f.Files-f.Ignored) }

func (f Facts) whole() string { return cmp.Or(f.Whole, "the repository") }

// bySeverity is "2 high and 1 low findings".
func bySeverity(findings []review.Finding) string {
	counts := review.Count(findings)
	var parts []string
	for _, s := range review.Severities() {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	noun := "findings"
	if len(findings) == 1 {
		noun = "finding"
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d %s", len(findings), noun)
	}
	if last := len(parts) - 1; last > 0 {
		return strings.Join(parts[:last], ", ") + " and " + parts[last] + " " + noun
	}
	return parts[0] + " " + noun
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
