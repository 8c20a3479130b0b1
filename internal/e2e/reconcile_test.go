package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/internal/ghfake"
)

// gate stands between GitHub and the service, and does to deliveries what
// networks and load balancers do.
type gate struct {
	w     *world
	count atomic.Int64
	lossy atomic.Bool
}

// ServeHTTP lets deliveries through and then keeps GitHub waiting until it
// gives up; when lossy, it answers them with an error or not at all.
func (g *gate) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	n := g.count.Add(1)
	if g.lossy.Load() {
		if n%2 == 0 {
			panic(http.ErrAbortHandler)
		}
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	on, err := http.NewRequestWithContext(g.w.t.Context(), http.MethodPost, g.w.url("/webhook"), bytes.NewReader(body))
	if err != nil {
		return
	}
	on.Header = r.Header.Clone()
	resp, err := g.w.client.Do(on)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	<-r.Context().Done()
}

// TestReconcile holds promise 3. The service takes deliveries that GitHub takes
// for lost, is killed, and while it is down GitHub makes some 200 events, most
// of which it cannot deliver and some of which it never sends. After the start
// every open head ends with one completed check and one comment, and nothing
// that had arrived is asked for again.
func TestReconcile(t *testing.T) {
	w := newWorld(t, func(c *ghfake.Config) { c.HookTimeout, c.HookConcurrency = time.Second, 20 })
	g := &gate{w: w}
	proxy := httptest.NewServer(g)
	defer proxy.Close()

	total := 0
	open := func(n int) (pulls []*ghfake.PullRequest) {
		for range n {
			total++ // no two commits may be the same
			pulls = append(pulls, w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Choose ", total)}, conflict("a.go")))
		}
		return pulls
	}
	push := func(pulls []*ghfake.PullRequest, times int) {
		for range times {
			for _, pull := range pulls {
				total++
				w.gh.Push(pull, ghfake.Files{"b.go": ghfake.Text(fmt.Sprintf("package main\n\nvar b = %d\n", total))}, "push")
			}
		}
	}

	s := w.serve("ASSAY_RECONCILE_INTERVAL=off")
	w.gh.SetHook(w.app, proxy.URL, webhookSecret)
	slow := open(20)
	w.flush()
	s.kill() // with work under way
	arrived := make(map[string]bool)
	for _, d := range w.gh.Deliveries() {
		if d.Event == "pull_request" {
			arrived[d.GUID] = true
			if d.Status == "OK" {
				t.Fatalf("delivery %s is no slow one", d.GUID)
			}
		}
	}

	g.lossy.Store(true)
	lost := open(20)
	push(lost, 4)
	moved := slow[:10]
	push(moved, 4)
	drafts := []*ghfake.PullRequest{w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Not yet", Draft: true}, conflict("a.go"))}
	for i := range 60 {
		pull := lost[i%len(lost)]
		w.gh.ClosePull(pull, false, "octocat")
		w.gh.ReopenPull(pull, "octocat")
	}
	w.gh.ClosePull(slow[19], false, "octocat")
	w.flush()
	w.gh.SetHook(w.app, "", webhookSecret)
	unsent := open(10)
	push(slow[10:15], 1)
	events := 0
	for _, d := range w.gh.Deliveries() {
		if d.Event == "pull_request" {
			events++
		}
	}

	w.gh.SetHook(w.app, w.url("/webhook"), webhookSecret)
	start := time.Now()
	w.serve("ASSAY_RECONCILE_INTERVAL=1s")
	var pulls []*ghfake.PullRequest
	for _, some := range [][]*ghfake.PullRequest{slow[:19], lost, drafts, unsent} {
		pulls = append(pulls, some...)
	}
	for _, pull := range pulls {
		w.check(pull)
	}
	took := time.Since(start)
	w.idle()
	w.flush()
	w.idle()

	words := make(map[string]int)
	for _, pull := range pulls {
		check, comments := w.check(pull), w.gh.Comments(pull)
		if want := map[bool]string{true: "skipped", false: "failure"}[pull == drafts[0]]; check.Conclusion != want {
			t.Errorf("pull request %d: %s, %q", pull.Number, check.Conclusion, check.Title)
		}
		if want := map[bool]int{true: 0, false: 1}[pull == drafts[0]]; len(comments) != want || len(check.Annotations) != want {
			t.Errorf("pull request %d: %d comments, %d annotations, want %d of each", pull.Number, len(comments), len(check.Annotations), want)
		}
		for _, note := range []string{"webhook lost, recovered", "no webhook came, found by reconciliation"} {
			if strings.Contains(check.Summary, note) {
				words[note]++
			}
		}
	}
	asked := 0
	for _, d := range w.gh.Deliveries() {
		if d.Redelivery {
			asked++
			if arrived[d.GUID] {
				t.Errorf("asked again for %s, which had arrived", d.GUID)
			}
		}
	}
	db := w.open()
	defer db.Close()
	var runs, twice, unfinished, made int
	err := db.QueryRow(`SELECT count(*), count(*) FILTER (WHERE status IN ('queued', 'running')),
		(SELECT count(*) FROM deliveries WHERE guid LIKE 'reconcile-%'),
		(SELECT count(*) FROM (SELECT 1 FROM runs WHERE status = 'done' GROUP BY head_sha HAVING count(*) > 1))
		FROM runs`).Scan(&runs, &unfinished, &made, &twice)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d deliveries tried before the start, %d asked for again, %d heads found; every head checked %s after the start; %d runs; reports say %v",
		events, asked, made, took.Round(time.Millisecond), runs, words)
	if unfinished != 0 || twice != 0 {
		t.Errorf("%d runs unfinished, %d heads reviewed twice", unfinished, twice)
	}
	if made < 10 || asked < 200 || words["webhook lost, recovered"] < 10 || words["no webhook came, found by reconciliation"] < 10 {
		t.Errorf("the test has not tested much")
	}
	rows, err := db.Query(`SELECT DISTINCT head_sha FROM runs`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var head string
		if err := rows.Scan(&head); err != nil {
			t.Fatal(err)
		}
		if checks := w.gh.CheckRuns(w.repo, head); len(checks) > 1 || len(checks) == 1 && checks[0].Status != "completed" {
			t.Errorf("head %.7s has the check runs %+v", head, checks)
		}
	}
}
