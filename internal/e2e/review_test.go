package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay/internal/ghfake"
	"assay/internal/pgtest"
)

// TestReview is the main job: a pull request is opened, reviewed, mended, and
// what GitHub shows is right at each step.
func TestReview(t *testing.T) {
	w := newWorld(t)
	s := w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose a value", Body: "Both sides had one."}, conflict("a.go"))
	check := w.check(pull)
	if check.Name != "assay / review" || check.Conclusion != "failure" || check.Title != "1 high in 1 file" {
		t.Errorf("check %q: %s, %q", check.Name, check.Conclusion, check.Title)
	}
	if len(check.Annotations) != 1 || check.Annotations[0].Path != "a.go" || check.Annotations[0].StartLine != 3 {
		t.Errorf("annotations %+v, want one at a.go:3", check.Annotations)
	}
	comments := w.gh.Comments(pull)
	if len(comments) != 1 || !strings.Contains(comments[0].Body, "a.go") {
		t.Fatalf("comments %+v, want one that names a.go", comments)
	}

	t.Run("page and twins", func(t *testing.T) {
		path := strings.TrimPrefix(check.DetailsURL, w.url(""))
		if status, page := w.get(path); status != http.StatusOK || !strings.Contains(page, "Choose a value") || !strings.Contains(page, "hygiene/conflict-marker") {
			t.Errorf("%s answers %d: %.200s", path, status, page)
		}
		status, body := w.get(path + ".json")
		var report struct {
			Verdict, Health string
			Findings        []struct {
				ID, Path string
				Line     int `json:"start_line"`
			}
		}
		if err := json.Unmarshal([]byte(body), &report); err != nil || status != http.StatusOK {
			t.Fatalf("%s.json answers %d: %v", path, status, err)
		}
		if report.Verdict != "request_changes" || report.Health != "complete" || len(report.Findings) != 1 || report.Findings[0].Line != 3 {
			t.Errorf("report %+v", report)
		}
		if status, body := w.get(path + "/sarif"); status != http.StatusOK || !strings.Contains(body, `"2.1.0"`) {
			t.Errorf("%s/sarif answers %d: %.100s", path, status, body)
		}
		if status, _ := w.get("/runs/AAAAAAAAAAAAAAAAAAAAAAAAAA"); status != http.StatusNotFound {
			t.Errorf("an unknown run answers %d", status)
		}
	})

	t.Run("a fix", func(t *testing.T) {
		w.gh.Push(pull, clean("a.go"), "Choose 2")
		check := w.check(pull)
		if check.Conclusion != "success" || check.Title != "No problems in 1 file" || len(check.Annotations) != 0 {
			t.Errorf("check: %s, %q, %d annotations", check.Conclusion, check.Title, len(check.Annotations))
		}
		after := w.gh.Comments(pull)
		if len(after) != 1 || after[0].ID != comments[0].ID || !strings.Contains(after[0].Body, "No open findings") {
			t.Errorf("comments %+v, want the same one, saying that nothing is open", after)
		}
	})

	t.Run("tokens are narrowed", func(t *testing.T) {
		for _, q := range w.gh.Requests() {
			want := map[string]string{"metadata": "read", "contents": "read", "issues": "read", "checks": "write", "pull_requests": "write"}
			where := []string{w.repo.FullName()}
			switch q.Route {
			case "/installation/repositories": // what reconciliation asks
				want, where = map[string]string{"metadata": "read"}, nil
			case "/repos/{owner}/{repo}/pulls":
				want = map[string]string{"metadata": "read", "pull_requests": "read"}
			}
			if q.Installation != 0 && (!slices.Equal(q.Repositories, where) || !maps.Equal(q.Permissions, want)) {
				t.Errorf("%s %s with a token for %v, %v", q.Method, q.Path, q.Repositories, q.Permissions)
			}
		}
	})

	t.Run("runs are listed", func(t *testing.T) {
		out, code := w.run("runs")
		if code != 0 || strings.Count(out, "octo-org/shop#1") != 2 || !strings.Contains(out, "success, 0 findings") {
			t.Errorf("assay runs exits %d:\n%s", code, out)
		}
	})
	s.stop()
}

func TestSilenceWhenClean(t *testing.T) {
	w := newWorld(t)
	w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Add a value"}, clean("a.go"))
	if check := w.check(pull); check.Conclusion != "success" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
	if comments := w.gh.Comments(pull); len(comments) != 0 {
		t.Errorf("comments %+v, want none", comments)
	}
}

// TestFiltered holds that a pull request that is not reviewed still gets its
// check run, with the reason, and is reviewed when the reason goes away.
func TestFiltered(t *testing.T) {
	w := newWorld(t)
	w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Not yet", Draft: true}, conflict("a.go"))
	check := w.check(pull)
	if check.Conclusion != "skipped" || !strings.Contains(check.Title, "draft") {
		t.Errorf("a draft's check: %s, %q", check.Conclusion, check.Title)
	}
	w.gh.SetDraft(pull, false, "octocat")
	w.until("the check is a review", func() bool {
		checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
		return len(checks) == 1 && checks[0].ID == check.ID && checks[0].Conclusion == "failure"
	})
}

// TestConfig holds where the config comes from and that its mistakes show.
func TestConfig(t *testing.T) {
	w := newWorld(t)
	w.serve()
	const lenient = "version: 1\npipelines:\n  house:\n    on: [pull_request.opened, pull_request.synchronize]\n    agents: [hygiene]\n    gate: {fail_on: never}\n"

	t.Run("the pull request's own does not count", func(t *testing.T) {
		files := conflict("a.go")
		files[".github/assay.yml"] = ghfake.Text(lenient)
		pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Let me in", Head: "sly"}, files)
		if check := w.check(pull); check.Name != "assay / review" || check.Conclusion != "failure" {
			t.Errorf("check %q: %s, want the built-in pipeline's failure", check.Name, check.Conclusion)
		}
	})
	t.Run("the base branch's does", func(t *testing.T) {
		w.gh.Commit(w.repo, "main", "Configure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text(lenient)})
		pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Advice only", Head: "advice"}, conflict("b.go"))
		if check := w.check(pull); check.Name != "assay / house" || check.Conclusion != "neutral" || len(check.Annotations) != 1 {
			t.Errorf("check %q: %s with %d annotations", check.Name, check.Conclusion, len(check.Annotations))
		}
	})
	t.Run("a mistake is shown on its line and the default is in force", func(t *testing.T) {
		w.gh.Commit(w.repo, "main", "Misconfigure", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text("version: 1\npipelines:\n  house:\n    agnets: [hygiene]\n")})
		pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Anything", Head: "any"}, clean("c.go"))
		check := w.check(pull)
		if check.Name != "assay / review" || check.Conclusion != "neutral" {
			t.Errorf("check %q: %s, %q", check.Name, check.Conclusion, check.Title)
		}
		shown := slices.ContainsFunc(check.Annotations, func(a ghfake.Annotation) bool {
			return a.Path == ".github/assay.yml" && a.StartLine == 4 && strings.Contains(a.Message, "agnets")
		})
		if !shown {
			t.Errorf("annotations %+v, want one at line 4 that names agnets", check.Annotations)
		}
	})
}

// TestRerun holds that a re-run updates the same check run and repeats nothing.
func TestRerun(t *testing.T) {
	w := newWorld(t)
	w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	first := w.check(pull)
	for i, ask := range []func(){
		func() { w.gh.RerequestCheckRun(first.ID, "octocat") },
		func() { w.gh.RerequestCheckSuite(w.app, w.repo, pull.HeadSHA(), "octocat") },
	} {
		before := w.check(pull)
		ask()
		w.until("another attempt", func() bool {
			checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
			return len(checks) == 1 && checks[0].ExternalID != before.ExternalID
		})
		again := w.check(pull)
		if again.ID != first.ID || again.Conclusion != "failure" || len(again.Annotations) != 1 {
			t.Errorf("re-run %d: check %d, %s, %d annotations; want check %d, failure, 1", i, again.ID, again.Conclusion, len(again.Annotations), first.ID)
		}
	}
	if comments := w.gh.Comments(pull); len(comments) != 1 {
		t.Errorf("%d comments after re-runs, want 1", len(comments))
	}
}

func TestFork(t *testing.T) {
	w := newWorld(t)
	w.serve()
	fork := w.gh.Fork(w.repo, "stranger")
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "From outside", From: fork, Author: "stranger"}, conflict("a.go"))
	check := w.check(pull)
	if check.Conclusion != "failure" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
	w.gh.RerequestCheckRun(check.ID, "octocat") // GitHub names no pull request here
	w.until("another attempt", func() bool {
		return w.gh.CheckRuns(w.repo, pull.HeadSHA())[0].ExternalID != check.ExternalID
	})
	w.check(pull)
}

// TestCopies holds promise 2: however often a delivery comes, it does its work
// once, and a copied body under a new GUID does none.
func TestCopies(t *testing.T) {
	w := newWorld(t)
	w.serve()
	w.gh.SetHook(w.app, "", webhookSecret) // the test delivers
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	payload, err := w.gh.Payload(w.app, ghfake.Event{Name: "pull_request", Action: "opened", Pull: pull})
	if err != nil {
		t.Fatal(err)
	}
	w.gh.SetHook(w.app, w.url("/webhook"), webhookSecret)
	var mu sync.Mutex
	statuses := make(map[string]int)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 100)
	for i := range 1000 {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			guid := "11111111-2222-3333-4444-555555555555"
			if i%10 == 9 {
				guid = fmt.Sprintf("99999999-2222-3333-4444-%012d", i) // a replay
			}
			status, answer, err := w.send("pull_request", guid, payload)
			if err != nil {
				t.Error(err)
				return
			}
			var a struct{ Status string }
			if err := json.Unmarshal([]byte(answer), &a); err != nil {
				t.Error(err)
			}
			mu.Lock()
			statuses[fmt.Sprint(status, " ", a.Status)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if statuses["202 accepted"] != 1 || statuses["200 duplicate"] != 999 {
		t.Errorf("answers %v, want 1 accepted and 999 duplicates", statuses)
	}
	w.check(pull)
	w.idle()
	db := w.open()
	defer db.Close()
	var deliveries, runs int
	if err := db.QueryRow(`SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM runs)`).Scan(&deliveries, &runs); err != nil {
		t.Fatal(err)
	}
	if deliveries != 1 || runs != 1 || len(w.gh.Comments(pull)) != 1 {
		t.Errorf("%d deliveries, %d runs, %d comments; want 1 of each", deliveries, runs, len(w.gh.Comments(pull)))
	}
}

// TestBurst holds that 300 different events at once are all worked on, and that
// the newest push wins.
func TestBurst(t *testing.T) {
	w := newWorld(t)
	w.serve()
	w.gh.SetHook(w.app, "", webhookSecret)
	const pulls, pushes = 30, 10
	type event struct {
		guid    string
		payload []byte
	}
	var events []event
	var opened []*ghfake.PullRequest
	for i := range pulls {
		files := conflict("a.go")
		pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Change ", i)}, files)
		opened = append(opened, pull)
		for j := range pushes {
			action := "opened"
			if j > 0 {
				action = "synchronize"
				w.gh.Push(pull, ghfake.Files{"a.go": ghfake.Text(fmt.Sprintf("package main\n\nvar a = %d\n", j))}, "push")
			}
			payload, err := w.gh.Payload(w.app, ghfake.Event{Name: "pull_request", Action: action, Pull: pull})
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, event{fmt.Sprintf("%08d-0000-0000-0000-%012d", i, j), payload})
		}
	}
	w.gh.SetHook(w.app, w.url("/webhook"), webhookSecret)
	var wg sync.WaitGroup
	for _, e := range events {
		wg.Go(func() {
			status, answer, err := w.send("pull_request", e.guid, e.payload)
			if err != nil || status != http.StatusAccepted {
				t.Errorf("delivery %s: %d %s %v", e.guid, status, answer, err)
			}
		})
	}
	wg.Wait()
	w.idle()
	for _, pull := range opened {
		if check := w.check(pull); check.Conclusion != "success" {
			t.Errorf("pull request %d: %s, %q at its last head", pull.Number, check.Conclusion, check.Title)
		}
		for _, c := range w.gh.Comments(pull) {
			if !strings.Contains(c.Body, "No open findings") {
				t.Errorf("pull request %d: the comment is of an older head:\n%s", pull.Number, c.Body)
			}
		}
	}
	db := w.open()
	defer db.Close()
	var done, superseded, other, runs int
	err := db.QueryRow(`SELECT count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'superseded'),
		count(*) FILTER (WHERE status NOT IN ('done', 'superseded')), (SELECT count(*) FROM runs) FROM deliveries`).Scan(&done, &superseded, &other, &runs)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d deliveries done, %d superseded; %d runs", done, superseded, runs)
	if done+superseded != pulls*pushes || other != 0 {
		t.Errorf("%d deliveries done, %d superseded, %d otherwise; want %d in all", done, superseded, other, pulls*pushes)
	}
}

// TestManyFindings holds that any number of annotations arrives, each once, also
// when the answer to a page is lost.
func TestManyFindings(t *testing.T) {
	w := newWorld(t)
	w.serve()
	lost := w.gh.Misbehave(ghfake.Fault{Method: "PATCH", Pattern: "/repos/{owner}/{repo}/check-runs/{check_run_id}", After: true, Drop: true, Times: 2})
	files := make(ghfake.Files)
	for i := range 120 {
		name := fmt.Sprintf("f%03d.go", i)
		files[name] = conflict(name)[name]
	}
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose often"}, files)
	check := w.check(pull)
	if lost.Hits() == 0 {
		t.Error("no answer was lost")
	}
	seen := make(map[string]bool)
	for _, a := range check.Annotations {
		if seen[a.Path] {
			t.Errorf("two annotations on %s", a.Path)
		}
		seen[a.Path] = true
	}
	if len(check.Annotations) != 120 || !strings.HasPrefix(check.Title, "120 high") {
		t.Errorf("%d annotations, %q; want 120", len(check.Annotations), check.Title)
	}
}

// TestPostgres is the main job on PostgreSQL.
func TestPostgres(t *testing.T) {
	w := newWorld(t)
	w.database = pgtest.Start(t).Database(t)
	s := w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose a value"}, conflict("a.go"))
	if check := w.check(pull); check.Conclusion != "failure" || len(check.Annotations) != 1 {
		t.Errorf("check: %s, %q, %d annotations", check.Conclusion, check.Title, len(check.Annotations))
	}
	s.kill()
	s = w.serve()
	w.gh.Push(pull, clean("a.go"), "Choose 2")
	if check := w.check(pull); check.Conclusion != "success" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
	if comments := w.gh.Comments(pull); len(comments) != 1 || !strings.Contains(comments[0].Body, "No open findings") {
		t.Errorf("comments %+v", comments)
	}
	if out, code := w.run("runs"); code != 0 || strings.Count(out, "octo-org/shop#1") != 2 {
		t.Errorf("assay runs exits %d:\n%s", code, out)
	}
	w.idle()
	s.stop()
}

// TestClosed holds that closing a pull request ends its review without a
// comment.
func TestClosed(t *testing.T) {
	w := newWorld(t)
	w.serve()
	hold := w.gh.Misbehave(ghfake.Fault{Method: "GET", Pattern: "/repos/{owner}/{repo}/pulls/{pull_number}/files", Hang: true, Times: 1})
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	w.until("the review has begun", func() bool { return hold.Hits() > 0 })
	w.gh.ClosePull(pull, false, "octocat")
	if check := w.check(pull); check.Conclusion != "cancelled" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
	if comments := w.gh.Comments(pull); len(comments) != 0 {
		t.Errorf("comments %+v on a closed pull request", comments)
	}
	w.gh.ReopenPull(pull, "octocat")
	w.until("the reopened pull request is reviewed", func() bool {
		return w.gh.CheckRuns(w.repo, pull.HeadSHA())[0].Conclusion == "failure"
	})
}

// TestStop holds that a stop hands unfinished work back, and a start takes it up.
func TestStop(t *testing.T) {
	w := newWorld(t)
	s := w.serve("ASSAY_SHUTDOWN_TIMEOUT=2s")
	hold := w.gh.Misbehave(ghfake.Fault{Method: "GET", Pattern: "/repos/{owner}/{repo}/pulls/{pull_number}/files", Hang: true, Times: 1})
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	w.until("the review has begun", func() bool { return hold.Hits() > 0 })
	s.stop()
	w.serve()
	if check := w.check(pull); check.Conclusion != "failure" {
		t.Errorf("check: %s, %q", check.Conclusion, check.Title)
	}
}

// TestDeadLetter holds that work that fails for good is visible, on the pull
// request and in `assay runs`, and can be replayed.
func TestDeadLetter(t *testing.T) {
	w := newWorld(t)
	w.serve()
	refuse := w.gh.Misbehave(ghfake.Fault{Method: "GET", Pattern: "/repos/{owner}/{repo}/pulls/{pull_number}/files", Status: 403, Body: `{"message":"Resource not accessible by integration"}`})
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	check := w.check(pull)
	if check.Conclusion == "success" || !strings.Contains(strings.ToLower(check.Title), "not reviewed") {
		t.Errorf("check: %s, %q; want not reviewed, and not green", check.Conclusion, check.Title)
	}
	out, _ := w.run("runs", "--status", "dead", "--json")
	var list struct {
		Runs []struct{ ID, Delivery, Reason string }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Runs) != 1 || list.Runs[0].Reason == "" {
		t.Fatalf("assay runs --status dead: %v\n%s", err, out)
	}
	refuse.Stop()
	if out, code := w.run("replay", list.Runs[0].Delivery); code != 0 {
		t.Fatalf("assay replay exits %d: %s", code, out)
	}
	w.until("the replay has reviewed it", func() bool {
		checks := w.gh.CheckRuns(w.repo, pull.HeadSHA())
		return len(checks) == 1 && checks[0].ID == check.ID && checks[0].Conclusion == "failure" && len(checks[0].Annotations) == 1
	})
}
