package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"assay/internal/ghfake"
	"assay/internal/pgtest"
)

const withModel = "version: 1\npipelines:\n  review:\n    agents: [hygiene, scripted]\n"

// TestHeal holds promise 6: a model's server goes down in the middle of 50 runs
// and comes back. Meanwhile the other agents report and the checks say what is
// missing; the service is killed, a pull request is pushed to, another one is
// closed. In the end every run of an open head is complete, each in its one
// check run, with one comment. PostgreSQL is for the soak: what heals a run is
// held to both databases by the tests of store and queue.
func TestHeal(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { heal(t, "") })
	if os.Getenv("SOAK_KILLS") != "" {
		t.Run("postgres", func(t *testing.T) { heal(t, pgtest.Start(t).Database(t)) })
	}
}

func heal(t *testing.T, database string) {
	const pulls = 50
	w := newWorld(t)
	w.database = database
	m := newModel()
	t.Cleanup(m.Close)
	var err error
	if w.binary, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	w.gh.Commit(w.repo, "main", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text(withModel)})
	serve := func(extra ...string) *service { return w.serve(append(extra, scriptedModel+"="+m.URL)...) }
	s := serve()
	var opened []*ghfake.PullRequest
	open := func(n int) {
		for range n {
			opened = append(opened, w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Change ", len(opened))}, clean("a.go")))
		}
	}
	open(2 * pulls / 5)
	w.until("some are reviewed", func() bool { return w.concluded(opened) >= 3 })
	m.down.Store(true)
	asked := m.asked.Load()
	began := time.Now()
	open(pulls - len(opened))
	w.until("all have an answer", func() bool { return w.concluded(opened) == pulls })
	degraded := w.conclusions(opened)["neutral"]
	if degraded < pulls/2 {
		t.Fatalf("conclusions while the model is down: %v; the test has not tested much", w.conclusions(opened))
	}
	for _, c := range w.gh.CheckRuns(w.repo, opened[pulls-1].HeadSHA()) {
		if !strings.Contains(c.Summary, modelName) || !strings.Contains(c.Summary, "tried again") || !strings.Contains(c.Summary, "hygiene") {
			t.Errorf("the check does not say what is missing and when it is tried again:\n%s", c.Summary)
		}
	}
	s.kill()
	s = serve("ASSAY_CRASH_AT=check-updated:3")
	w.gh.Push(opened[pulls-1], clean("b.go"), "Another")
	w.gh.ClosePull(opened[pulls-2], false, "octocat")
	w.until("the push has its answer", func() bool { return w.concluded(opened[pulls-1:]) == 1 })

	outage := time.Since(began)
	hits := m.asked.Load() - asked
	m.down.Store(false)
	back := time.Now()
	select { // it kills itself in the middle of healing
	case <-s.done:
	case <-time.After(patience):
		t.Fatal("the service was not killed while it healed")
	}
	killed := time.Since(back)
	serve()
	served := time.Since(back)
	w.until("all are complete", func() bool { return w.conclusions(opened)["success"] == pulls-1 })
	t.Logf("%d of %d runs were degraded in an outage of %s, in which the model was asked %d times; all were complete %s after it was back; it was killed %s and ready again %s after",
		degraded, pulls, outage.Round(time.Millisecond), hits, time.Since(back).Round(10*time.Millisecond), killed.Round(10*time.Millisecond), served.Round(10*time.Millisecond))
	// Without the breaker each run would have asked three times, and each heal.
	if most := int64(20 + 10*outage.Seconds()); hits > most {
		t.Errorf("a dead model was asked %d times, want at most %d", hits, most)
	}
	db := w.open()
	defer db.Close()
	w.until("only the closed pull request waits", func() bool {
		var n int
		err := db.QueryRow(`SELECT (SELECT count(*) FROM heals) + (SELECT count(*) FROM runs WHERE status IN ('queued', 'running'))`).Scan(&n)
		return err == nil && n <= 1
	})
	for i, pull := range opened {
		checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
		if i == pulls-2 {
			// Neutral where it was concluded before, cancelled where it was not.
			if len(checks) != 1 || checks[0].Conclusion != "neutral" && checks[0].Conclusion != "cancelled" {
				t.Errorf("the check of the closed pull request: %+v, want it left alone", checks)
			}
			continue
		}
		files := 1
		if i == pulls-1 {
			files = 2 // after the push
		}
		if len(checks) != 1 || checks[0].Conclusion != "success" || len(checks[0].Annotations) != files {
			t.Errorf("pull request %d: %d check runs: %+v, want one success with %d annotations", pull.Number, len(checks), checks, files)
		}
		if comments := w.gh.Comments(pull); len(comments) != 1 {
			t.Errorf("pull request %d: %d comments, want 1", pull.Number, len(comments))
		}
	}
	if dead := w.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

// conclusions counts the check runs of the heads by their conclusion.
func (w *world) conclusions(pulls []*ghfake.PullRequest) map[string]int {
	counts := make(map[string]int)
	for _, pull := range pulls {
		for _, check := range w.gh.CheckRuns(w.repo, pull.HeadSHA()) {
			counts[check.Conclusion]++
		}
	}
	return counts
}
