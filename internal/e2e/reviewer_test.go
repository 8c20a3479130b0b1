package e2e

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"assay/internal/ghfake"
	"assay/internal/llmfake"
)

// modelServer is a model server and the settings of a service that asks it.
func modelServer(t *testing.T) (*llmfake.Server, []string) {
	t.Helper()
	m := llmfake.New()
	web := httptest.NewServer(m)
	t.Cleanup(func() { m.Close(); web.Close() })
	return m, []string{
		"OPENAI_API_KEY=sk-end-to-end-model-key", "OPENAI_BASE_URL=" + web.URL + "/v1", "ASSAY_MODEL_DEFAULT=openai/scripted",
		"ASSAY_BREAKER_OPENAI_FAILURE_THRESHOLD=3", "ASSAY_BREAKER_OPENAI_RESET_TIMEOUT=200ms", "ASSAY_BREAKER_OPENAI_MAX_RESET_TIMEOUT=1s",
	}
}

// faulty is a change with something in it that the scripted model finds.
func faulty(name string) ghfake.Files {
	return ghfake.Files{name: ghfake.Text("package main\n\nfunc last(all []int) (sum int) {\n\tfor i := 0; i <= len(all); i++ {\n\t\tsum += all[i]\n\t}\n\treturn sum\n}\n")}
}

// TestReviewer holds that a configured model is all it takes: the built-in
// pipeline then has the reviewer in it, whose finding comes out on its line, and
// a push asks only about what it changed.
func TestReviewer(t *testing.T) {
	w := newWorld(t)
	m, env := modelServer(t)
	w.serve(env...)
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Sum"}, faulty("sum.go"))
	check := w.check(pull)
	if check.Conclusion != "failure" || len(check.Annotations) != 1 || check.Annotations[0].StartLine != 4 || check.Annotations[0].Path != "sum.go" {
		t.Fatalf("check %s with %+v\n%s", check.Conclusion, check.Annotations, check.Summary)
	}
	if m.Saw("-----BEGIN") || m.Saw(webhookSecret) {
		t.Error("a secret of the service was put before the model")
	}
	asked := len(m.Requests())
	w.gh.Push(pull, ghfake.Files{"docs/other.go": ghfake.Text("package docs\n\nvar b = 3\n")}, "Another")
	if check := w.check(pull); check.Conclusion != "failure" {
		t.Errorf("after the push: %s\n%s", check.Conclusion, check.Summary)
	}
	for _, r := range m.Requests()[asked:] {
		if strings.Contains(r.Prompt, "=== file sum.go") {
			t.Error("the file that was not pushed was reviewed again")
		}
	}
}

// TestReviewerHeals lets the model's server go down in the middle of 50 reviews
// and come back: in the end every run is complete, in one check run, with at most one comment.
func TestReviewerHeals(t *testing.T) {
	const pulls = 50
	w := newWorld(t)
	m, env := modelServer(t)
	w.serve(env...)
	var opened []*ghfake.PullRequest
	open := func(n int) {
		for range n {
			opened = append(opened, w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Change ", len(opened))}, faulty("sum.go")))
		}
	}
	open(2 * pulls / 5)
	w.until("some are reviewed", func() bool { return w.concluded(opened) >= 3 })
	m.Down(true)
	open(pulls - len(opened))
	w.until("all have an answer", func() bool { return w.concluded(opened) == pulls })
	degraded := w.conclusions(opened)["neutral"]
	if degraded < pulls/2 {
		t.Fatalf("conclusions while the model is down: %v; the test has not tested much", w.conclusions(opened))
	}
	m.Down(false)
	back := time.Now()
	w.until("all are complete", func() bool { return w.conclusions(opened)["failure"] == pulls })
	t.Logf("%d of %d runs were degraded; all were complete %s after the model was back", degraded, pulls, time.Since(back).Round(10*time.Millisecond))
	for _, pull := range opened {
		if checks := w.gh.CheckRuns(w.repo, pull.HeadSHA()); len(checks) != 1 || len(checks[0].Annotations) != 1 {
			t.Errorf("pull request %d: %+v, want one check with one annotation", pull.Number, checks)
		}
		if comments := w.gh.Comments(pull); len(comments) > 1 {
			t.Errorf("pull request %d: %d comments", pull.Number, len(comments))
		}
	}
	if dead := w.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}
