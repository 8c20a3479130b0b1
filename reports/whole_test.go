package reports

import (
	"strings"
	"testing"

	"assay/review"
)

// TestWhole: what is no file is not counted as one, and is named for what it is.
func TestWhole(t *testing.T) {
	run := review.Run{
		Pipeline: "ready", Status: review.StatusDone, Files: 2, Pull: review.Pull{Number: 7},
		Outcome: review.Outcome{Verdict: review.Comment, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "r"},
		Agents:  []review.AgentRun{{Name: "merge-readiness", Status: review.AgentDone}},
		Coverage: []review.Coverage{
			{Agent: "merge-readiness", Path: review.Whole, Level: review.Partial, Reason: "GitHub did not say"},
			{Agent: "merge-readiness", Path: "a.go", Level: review.NotApplicable},
			{Agent: "merge-readiness", Path: "b.go", Level: review.NotApplicable},
		},
	}
	text := Check(run, Options{}).Output.Text
	if want := "- The pull request partly examined by `merge-readiness`: GitHub did not say."; !strings.Contains(text, want) {
		t.Errorf("text %q, want %q in it", text, want)
	}
	summary := Check(run, Options{}).Output.Summary
	if want := "| `merge-readiness` | done | 0 | 0 | 0 |"; !strings.Contains(summary, want) {
		t.Errorf("summary %q, want %q in it", summary, want)
	}
	run.Coverage[0].Level, run.Outcome.Health = review.Full, review.Complete
	if got := Title(run); got != "No problems" {
		t.Errorf("title %q", got)
	}
	run.Pull.Number, run.Coverage[0].Level = 0, review.Partial
	var b strings.Builder
	if err := Terminal(&b, run, Options{}); err != nil || !strings.Contains(b.String(), "not fully examined: the repository") {
		t.Errorf("terminal %q, %v", b.String(), err)
	}
}

// TestConfigWords: a report tells of what the config holds back and of what the
// change makes of it, and annotates only files of the repository.
func TestConfigWords(t *testing.T) {
	run := review.Run{
		Pipeline: "review", Status: review.StatusDone, Files: 1,
		Outcome:      review.Outcome{Verdict: review.Approve, Health: review.Complete, Conclusion: review.ConclusionSuccess},
		Suppressed:   []review.Finding{{Rule: "x/y", Suppressed: &review.Suppressed{By: "@team", Reason: "r", Until: "2027-01-31"}}, {Rule: "x/z"}},
		ConfigChange: "It applies after the merge.",
		Problems:     []review.Problem{{Path: ".github/assay.yml", Line: 2, Message: "own"}, {Layer: "organisation", Path: "o/.github: assay.yml", Line: 3, Message: "theirs"}},
	}
	out := Check(run, Options{}).Output
	for _, want := range []string{"2 suppressed by the config: by @", "**This changes the config.** It applies after the merge.", "`o/.github: assay.yml:3` (the organisation's) theirs"} {
		if !strings.Contains(out.Summary, want) {
			t.Errorf("summary %q, want %q in it", out.Summary, want)
		}
	}
	if len(out.Annotations) != 1 || out.Annotations[0].Message != "own" {
		t.Errorf("annotations %+v", out.Annotations)
	}
	if got := Title(run); strings.Contains(got, "2") {
		t.Errorf("title %q counts what is suppressed", got)
	}
}
