package reports

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"assay/review"
)

func TestTitle(t *testing.T) {
	want := map[string]string{
		"queued":              "Queued",
		"running":             "Reviewing: 2 of 4 agents done",
		"running-awaiting":    "Waiting for openai, until 10:00 UTC at the longest",
		"done-awaiting":       "Not fully reviewed: reviewer (openai is unavailable) and 2 more agents",
		"done-clean":          "No problems in 14 files",
		"done-recovered":      "No problems in 14 files",
		"done-findings":       "1 critical, 1 high, 1 medium, 1 low, 1 info in 14 files",
		"done-degraded":       "1 critical in the files that were read. Not fully reviewed: workflows (no proof of work)",
		"done-degraded-clean": "Not fully reviewed: secrets (timed out after 2m)",
		"done-failed":         "Not reviewed: secrets (timed out after 2m) and 2 more agents",
		"skipped":             "Skipped: the pull request is a draft",
		"superseded":          "Superseded: a newer push, 4d5e6f7",
		"cancelled":           "Cancelled: the pull request was closed",
		"dead":                "Not reviewed: secrets timed out",
	}
	for name, run := range samples() {
		if got := Title(run); got != want[name] {
			t.Errorf("%s: title %q, want %q", name, got, want[name])
		}
	}
}

// Green means reviewed: no way of not having reviewed everything concludes with
// success, whatever the outcome says.
func TestConclusion(t *testing.T) {
	for _, status := range []review.Status{review.StatusQueued, review.StatusRunning, review.StatusDone, review.StatusSkipped, review.StatusSuperseded, review.StatusCancelled, review.StatusDead} {
		for _, health := range []review.Health{"", review.Complete, review.Degraded, review.Failed} {
			run := review.Run{Status: status, Outcome: review.Outcome{Health: health, Conclusion: review.ConclusionSuccess}}
			c := Check(run, Options{})
			reviewed := status == review.StatusDone && health == review.Complete
			if (c.Conclusion == review.ConclusionSuccess) != reviewed {
				t.Errorf("status %s, health %q concludes with %q", status, health, c.Conclusion)
			}
			if (c.Status == review.CheckCompleted) != (c.Conclusion != "") {
				t.Errorf("status %s: check is %s with the conclusion %q", status, c.Status, c.Conclusion)
			}
			run.Outcome.Conclusion = review.ConclusionFailure
			want := map[review.Status]review.Conclusion{
				review.StatusDone: review.ConclusionFailure, review.StatusDead: review.ConclusionFailure, review.StatusSkipped: review.ConclusionSkipped,
				review.StatusSuperseded: review.ConclusionCancelled, review.StatusCancelled: review.ConclusionCancelled,
			}[status]
			if got := Conclusion(run); got != want {
				t.Errorf("status %s, health %q: a failure became %q, want %q", status, health, got, want)
			}
		}
	}
	if got := Conclusion(review.Run{Status: review.StatusSkipped}); got != review.ConclusionSkipped {
		t.Errorf("skipped concludes with %q", got)
	}
}

// TestTitleIgnored holds that files nobody looked at are not counted as fine.
func TestTitleIgnored(t *testing.T) {
	run := review.Run{
		Status: review.StatusDone, Files: 11, Ignored: 10, Agents: []review.AgentRun{{Name: "a", Status: review.AgentDone}},
		Outcome: review.Outcome{Verdict: review.Approve, Health: review.Complete, Conclusion: review.ConclusionSuccess},
	}
	if got, want := Title(run), "No problems in 1 file (10 ignored)"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
}

func TestCommentPolicy(t *testing.T) {
	all := samples()
	tests := []struct {
		run    string
		policy CommentPolicy
		has    bool
		want   string // "" for no comment, else what it holds
	}{
		{"done-findings", "", false, "Changes requested"},
		{"done-findings", CommentFindings, true, "Changes requested"},
		{"done-findings", CommentNever, true, ""},
		{"done-clean", "", false, ""},
		{"done-clean", "", true, "No open findings."},
		{"done-clean", CommentAlways, false, "No problems in 14 files."},
		{"done-clean", CommentNever, true, ""},
		// A run that missed something cannot say that the findings are gone.
		{"done-degraded-clean", "", true, ""},
		{"done-failed", "", true, ""},
		{"done-degraded-clean", CommentAlways, false, "Not fully reviewed"},
		{"queued", CommentAlways, true, ""},
		{"running", CommentAlways, true, ""},
		{"skipped", CommentAlways, true, ""},
		{"superseded", CommentAlways, true, ""},
		{"dead", CommentAlways, true, ""},
	}
	for _, tt := range tests {
		o := sampleOptions()
		o.Comment, o.HasComment = tt.policy, tt.has
		body, ok := Comment(all[tt.run], o)
		if ok != (tt.want != "") || ok != (body != "") || !strings.Contains(body, tt.want) {
			t.Errorf("%s, policy %q, has %v: ok %v, body %q; want %q", tt.run, tt.policy, tt.has, ok, body, tt.want)
		}
		if ok && !strings.HasPrefix(body, CommentMarker+"\n") {
			t.Errorf("%s: the comment does not begin with its marker", tt.run)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0ms", 40 * time.Millisecond: "40ms", 999 * time.Millisecond: "999ms", 1200 * time.Millisecond: "1.2s", 59940 * time.Millisecond: "59.9s",
		59970 * time.Millisecond: "1m 0s", 112 * time.Second: "1m 52s", 3599700 * time.Millisecond: "1h 0m", 63 * time.Minute: "1h 3m", 30 * time.Hour: "30h 0m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestNumbered(t *testing.T) {
	tests := []struct {
		start, end int
		evidence   string
		lines      int
		first      int
	}{
		{3, 4, "a\nb", 2, 3},
		{3, 4, "a\nb\n", 2, 3},
		{3, 0, "a", 1, 3},
		{3, 9, "a\nb", 2, 0}, // not the finding's lines: no number may be made up
		{0, 0, "a", 1, 0},
		{3, 4, "", 0, 0},
	}
	for _, tt := range tests {
		lines, first := Numbered(review.Finding{StartLine: tt.start, EndLine: tt.end, Evidence: tt.evidence})
		if len(lines) != tt.lines || first != tt.first {
			t.Errorf("%+v: %d lines from %d", tt, len(lines), first)
		}
	}
}

func TestWriteUnknownFormat(t *testing.T) {
	err := Write(io.Discard, "yaml", review.Run{}, Options{})
	if err == nil || !strings.Contains(err.Error(), "text, markdown, json, sarif, rdjson") {
		t.Errorf("error %v does not list the formats", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteReportsFailedWrites(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(broken{}, format, samples()["done-findings"], Options{}); err == nil {
			t.Errorf("%s: a failed write is not reported", format)
		}
	}
}

// A report printed in a job of GitHub Actions must hold no workflow command,
// and none may restyle the terminal.
func TestTerminalIsInert(t *testing.T) {
	for _, bad := range hostile {
		for _, width := range []int{0, 1, 40} {
			var b bytes.Buffer
			o := Options{Terminal: TerminalOptions{Width: width}}
			if err := Terminal(&b, hostileRun(bad), o); err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(b.String(), "\n") {
				if s := strings.TrimSpace(line); strings.HasPrefix(s, "::") || strings.HasPrefix(s, "##[") {
					t.Errorf("%q gives a workflow command: %q", bad, line)
				}
			}
			if strings.ContainsAny(b.String(), "\x1b\u009b\u202E\r") {
				t.Errorf("%q reaches the terminal", bad)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		in      string
		columns int
		want    string
	}{
		{"one two three four five six", 20, "one two three four/five six"},
		{"中文 中文 中文 中文 中文", 20, "中文 中文 中文 中文/中文"},
		{"one two", 0, "one two"},
		{"a " + strings.Repeat("x", 30) + " b", 20, "a/" + strings.Repeat("x", 30) + "/b"},
		{"", 20, ""},
	} {
		if got := strings.Join(wrap(tt.in, tt.columns), "/"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.in, tt.columns, got, tt.want)
		}
	}
}
