package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"assay/internal/ghfake"
)

// TestOutage holds promise 6 for GitHub itself: it answers 503 on everything in
// the middle of 30 runs, for some requests after it has done what they ask, and
// comes back. Every run ends complete, with one check run at its head, at most
// one comment, and nothing given up.
func TestOutage(t *testing.T) {
	const pulls, outage = 30, 4 * time.Second
	w := newWorld(t)
	w.serve("ASSAY_BREAKER_GITHUB_RESET_TIMEOUT=200ms", "ASSAY_BREAKER_GITHUB_MAX_RESET_TIMEOUT=1s",
		"ASSAY_BREAKER_GITHUB_TOKEN_RESET_TIMEOUT=200ms", "ASSAY_BREAKER_GITHUB_TOKEN_MAX_RESET_TIMEOUT=1s")
	var opened []*ghfake.PullRequest
	open := func(n int) {
		for range n {
			opened = append(opened, w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Change ", len(opened))}, conflict("a.go")))
		}
	}
	open(2 * pulls / 3)
	w.until("some are reviewed, and some are not", func() bool { return w.concluded(opened) >= 3 })
	before := w.concluded(opened)

	// It begins with writes that are done and whose answers are lost.
	lose := func(route string) *ghfake.Misbehaviour {
		return w.gh.Misbehave(ghfake.Fault{Method: http.MethodPost, Pattern: "/repos/{owner}/{repo}/" + route, Status: http.StatusServiceUnavailable, After: true})
	}
	checks, comments := lose("check-runs"), lose("issues/{issue_number}/comments")
	open(pulls - 2*pulls/3)
	w.until("answers were lost", func() bool { return checks.Hits() > 0 && comments.Hits() > 0 })
	down := w.gh.Misbehave(ghfake.Fault{Status: http.StatusServiceUnavailable})
	<-time.After(outage)
	hits := down.Hits()
	checks.Stop()
	comments.Stop()
	down.Stop()
	back := time.Now()
	t.Logf("%d of %d reviewed before the outage of %s, in which GitHub was asked %d times; %d check runs and %d comments were made unheard",
		before, pulls, outage, hits, checks.Hits(), comments.Hits())
	if before == pulls || hits == 0 {
		t.Error("the outage met nobody: the test has not tested much")
	}
	// Without a breaker each of the jobs would ask several times a second.
	if most := 40 + 10*int(outage/time.Second); hits > most {
		t.Errorf("a dead GitHub was asked %d times, want at most %d", hits, most)
	}

	w.idle()
	t.Logf("all %d were reviewed %s after it came back", pulls, time.Since(back).Round(10*time.Millisecond))
	for _, pull := range opened {
		checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
		if len(checks) != 1 || checks[0].Status != "completed" || checks[0].Conclusion != "failure" || len(checks[0].Annotations) != 1 {
			t.Errorf("pull request %d: check runs %+v, want one failure with one annotation", pull.Number, checks)
		}
		if comments := w.gh.Comments(pull); len(comments) != 1 {
			t.Errorf("pull request %d: %d comments, want 1", pull.Number, len(comments))
		}
	}
	db := w.open()
	defer db.Close()
	var runs, complete, deliveries int
	err := db.QueryRow(`SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM runs WHERE status = 'done'),
		(SELECT count(*) FROM deliveries WHERE status = 'done')`).Scan(&runs, &complete, &deliveries)
	if err != nil {
		t.Fatal(err)
	}
	if runs != pulls || complete != pulls || deliveries != pulls {
		t.Errorf("%d runs, %d of them done; %d deliveries done; want %d of each", runs, complete, deliveries, pulls)
	}
	if out, code := w.run("runs", "--status", "dead"); code != 0 || len(w.dead()) != 0 {
		t.Errorf("dead letters (exit %d):\n%s", code, out)
	}
}

// concluded is how many of the pull requests have a concluded check run.
func (w *world) concluded(pulls []*ghfake.PullRequest) int {
	n := 0
	for _, pull := range pulls {
		for _, check := range w.gh.CheckRuns(w.repo, pull.HeadSHA()) {
			if check.Status == "completed" {
				n++
			}
		}
	}
	return n
}

// dead lists what was given up.
func (w *world) dead() []string {
	w.t.Helper()
	db := w.open()
	defer db.Close()
	rows, err := db.Query(`SELECT id FROM runs WHERE status = 'dead' UNION ALL SELECT guid FROM deliveries WHERE status = 'dead'`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, id)
	}
	return list
}
