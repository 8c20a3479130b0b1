package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/ghfake"
)

const healthConfig = `version: 1
pipelines:
  review: {agents: [hygiene]}
  health:
    on: [schedule.daily, repository.health_check]
    agents: [repo-health]
`

// TestSchedule holds that a due schedule is started once, whatever dies on the
// way: the service is killed right before and right after the delivery is
// stored, and while its run is being opened.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	w.repo = w.gh.AddRepo("octo-org/planned", ghfake.Files{"README.md": ghfake.Text("# planned\n")})
	head := w.gh.Commit(w.repo, "main", "Plan", "octocat", ghfake.Files{".github/assay.yml": ghfake.Text(healthConfig)})
	s := w.serve("ASSAY_SCHEDULE_INTERVAL=20ms")
	w.gh.SelectRepos(w.inst, []*ghfake.Repo{w.repo}, nil, "octocat")
	db := w.change()
	var next int64
	w.until("the schedule is known", func() bool {
		return db.QueryRow(`SELECT next_at FROM schedules WHERE repo_id = $1 AND name = 'daily'`, w.repo.ID).Scan(&next) == nil
	})
	s.kill()
	if _, err := db.Exec(`UPDATE schedules SET next_at = 1`); err != nil {
		t.Fatal(err)
	}
	for _, point := range []string{"schedule-due", "accepted", "asked-opened"} {
		s := w.serve("ASSAY_SCHEDULE_INTERVAL=20ms", "ASSAY_CRASH_AT="+point)
		w.until("the service dies at "+point, func() bool {
			select {
			case <-s.done:
				return true
			default:
				return false
			}
		})
	}
	w.serve("ASSAY_SCHEDULE_INTERVAL=20ms")
	w.idle()
	var fired, again int64
	err := db.QueryRow(`SELECT (SELECT count(*) FROM deliveries WHERE event = 'schedule'), next_at FROM schedules`).Scan(&fired, &again)
	if err != nil || fired != 1 || again != next {
		t.Errorf("%d deliveries, next at %d, %v; want one, and %d", fired, again, err, next)
	}
	check := w.named(head, "assay / health")
	if status, page := w.get("/runs/" + check.ExternalID); status != http.StatusOK || !strings.Contains(page, "repo-health") {
		t.Errorf("the page of the run is answered %d", status)
	}

	// The same by hand, on the same head: another attempt in the same check run.
	out, code := w.run("run", w.repo.FullName(), "--event", "repository.health_check", "--wait")
	if code != 0 || !strings.Contains(out, "health: ") || !strings.Contains(out, w.url("/runs/")) {
		t.Errorf("assay run: exit %d, %s", code, out)
	}
	if now := w.named(head, "assay / health"); now.ID != check.ID || now.ExternalID == check.ExternalID {
		t.Errorf("the check run is %+v after %+v", now, check)
	}
}

// named is the commit's one check run of the name, completed.
func (w *world) named(head, name string) ghfake.CheckRun {
	w.t.Helper()
	var found []ghfake.CheckRun
	w.until("a completed check of the commit", func() bool {
		found = nil
		for _, c := range w.gh.CheckRuns(w.repo, head) {
			if c.Name == name {
				found = append(found, c)
			}
		}
		return len(found) > 0 && found[0].Status == "completed" && w.settled(found[0].ExternalID)
	})
	if len(found) != 1 {
		w.t.Fatalf("%d check runs of the commit", len(found))
	}
	return found[0]
}

// change opens the service's database to change it.
func (w *world) change() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "data", "assay.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestManualRun holds the route by which the operator starts a run, with a crash
// right after the request is stored: asked again with the same key it is the
// same request.
func TestManualRun(t *testing.T) {
	w := newWorld(t)
	s := w.serve()
	pull := w.gh.OpenPull(w.repo, ghfake.Pull{Title: "Choose"}, conflict("a.go"))
	first := w.check(pull)
	w.idle()
	s.stop()

	const key = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	body := `{"repository": "octo-org/shop", "pull": 1, "pipeline": "review"}`
	s = w.serve("ASSAY_CRASH_AT=asked-opened")
	_, _ = w.post("/api/orchestrator/run", key, body) // it dies on this
	<-s.done
	w.serve()
	status, answer := w.post("/api/orchestrator/run", key, body)
	if status != http.StatusAccepted || !answer.Success || answer.Run.ID == "" || answer.Run.URL != w.url("/runs/"+answer.Run.ID) {
		t.Fatalf("%d %+v", status, answer)
	}
	w.idle()
	second := w.check(pull)
	if second.ID != first.ID || second.ExternalID != answer.Run.ID || second.Conclusion != "failure" || len(second.Annotations) != 1 || len(w.gh.Comments(pull)) != 1 {
		t.Errorf("the check run is %+v after %+v, with %d comments", second, first, len(w.gh.Comments(pull)))
	}
	for body, want := range map[string]int{
		`{"repository": "octo-org/shop", "pull": 1}`:                        http.StatusUnprocessableEntity, // nothing listens to manual.run
		`{"repository": "octo-org/shop", "pull": 1, "pipeline": "unknown"}`: http.StatusUnprocessableEntity,
		`{"repository": "octo-org/shop", "pull": 99}`:                       http.StatusUnprocessableEntity,
		`{"repository": "octo-org/none"}`:                                   http.StatusNotFound,
		`{"repository": "octo-org/shop", "pull": "1"}`:                      http.StatusBadRequest,
	} {
		if status, answer := w.post("/api/orchestrator/run", "", body); status != want || answer.Success || answer.Error == "" {
			t.Errorf("%s: %d %+v, want %d", body, status, answer, want)
		}
	}
	if status, _ := w.post("/api/orchestrator/run", key, `{"repository": "octo-org/shop", "pull": 2}`); status != http.StatusConflict {
		t.Errorf("the key with another request: %d", status)
	}
	if out, code := w.run("run", "octo-org/shop", "--pull", "1", "--pipeline", "review", "--wait"); code != 1 || !strings.Contains(out, "review: failure, 1 finding: "+w.url("/runs/")) {
		t.Errorf("assay run --wait: exit %d, %s", code, out)
	}
	if out, code := w.run("config", "explain", "--pr", w.web.URL+"/octo-org/shop/pull/1"); code != 0 || !strings.Contains(out, "review runs\n  from built-in\n") {
		t.Errorf("assay config explain: exit %d, %s", code, out)
	}
	if out, code := w.run("run", "octo-org/shop", "--pull", "1"); code != 2 || !strings.Contains(out, "no pipeline listens to manual.run") {
		t.Errorf("assay run: exit %d, %s", code, out)
	}
}

// runAnswer is what the service says of a manual run.
type runAnswer struct {
	Success bool
	Error   string
	Run     struct{ ID, URL string }
}

func (w *world) post(path, key, body string) (status int, a runAnswer) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url(path), bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, a
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		w.t.Errorf("%s answers %s: %v", path, text, err)
	}
	return resp.StatusCode, a
}
