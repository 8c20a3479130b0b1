package ghapp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/review"
)

// mishap says what becomes of one write: whether it is done, and what the
// writer hears.
type mishap struct {
	done   bool
	status int    // 0 breaks the connection
	body   string // in place of the right answer
}

func (m mishap) answer(w http.ResponseWriter, body string) {
	switch {
	case m.status == 0:
		drop(w)
	case m.body != "":
		reply(w, m.status, m.body)
	default:
		reply(w, m.status, body)
	}
}

var (
	lostAnswer  = mishap{done: true}
	lostRequest = mishap{}
	badGateway  = mishap{done: true, status: 502}
	notDone     = mishap{status: 502}
	garbage     = mishap{done: true, status: 200, body: "<html>"}
	nothing     = mishap{done: true, status: 200, body: "null"}
)

// checks is a GitHub that keeps check runs.
type checks struct {
	h *hub

	mu      sync.Mutex
	runs    []*storedRun
	mishaps []mishap       // of the writes to come, in order; none left is all well
	sent    []checkPayload // by every write that was done
}

type storedRun struct {
	ID          int64
	App         int64
	payload     checkPayload
	annotations []string
}

func newChecks(t *testing.T, mishaps ...mishap) *checks {
	c := &checks{h: newHub(t), mishaps: mishaps}
	c.h.HandleFunc("POST /repos/octo/hello/check-runs", func(w http.ResponseWriter, r *http.Request) {
		c.write(w, r, func(p checkPayload) *storedRun {
			run := &storedRun{ID: int64(len(c.runs) + 1), App: testApp}
			c.runs = append(c.runs, run)
			return run
		})
	})
	c.h.HandleFunc("PATCH /repos/octo/hello/check-runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		c.write(w, r, func(p checkPayload) *storedRun { return c.run(r.PathValue("id")) })
	})
	c.h.HandleFunc("GET /repos/octo/hello/check-runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		reply(w, 200, c.run(r.PathValue("id")).json())
	})
	c.h.HandleFunc("GET /repos/octo/hello/commits/{sha}/check-runs", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if q := r.URL.Query(); q.Get("app_id") != "42" || q.Get("filter") != "all" || q.Get("check_name") == "" {
			t.Errorf("check runs asked for with %v", q)
		}
		var items []string
		for _, run := range c.runs {
			if run.payload.HeadSHA == r.PathValue("sha") {
				items = append(items, run.json())
			}
		}
		page(c.h, w, r, `{"total_count":1,"check_runs":%s}`, items)
	})
	return c
}

func (c *checks) run(id string) *storedRun {
	n, _ := strconv.Atoi(id)
	return c.runs[n-1]
}

func (r *storedRun) json() string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"external_id":%q,"app":{"id":%d},"output":{"annotations_count":%d}}`,
		r.ID, r.payload.Name, r.payload.ExternalID, r.App, len(r.annotations))
}

func (c *checks) write(w http.ResponseWriter, r *http.Request, target func(checkPayload) *storedRun) {
	var p checkPayload
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		c.h.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fate := mishap{done: true, status: 200}
	if len(c.mishaps) > 0 {
		fate, c.mishaps = c.mishaps[0], c.mishaps[1:]
	}
	body := ""
	if fate.done {
		run := target(p)
		sha := run.payload.HeadSHA
		run.payload = p
		if p.HeadSHA == "" {
			run.payload.HeadSHA = sha
		}
		if p.Output != nil {
			if len(p.Output.Annotations) > 50 {
				c.h.t.Errorf("%d annotations in one request", len(p.Output.Annotations))
			}
			for _, a := range p.Output.Annotations {
				run.annotations = append(run.annotations, a.GetMessage())
			}
		}
		c.sent = append(c.sent, p)
		body = run.json()
	}
	fate.answer(w, body)
}

func annotations(n int) (list []review.Annotation, messages []string) {
	for i := range n {
		messages = append(messages, fmt.Sprint("m", i))
		list = append(list, review.Annotation{Path: "f", StartLine: i + 1, EndLine: i + 1, Level: review.LevelWarning, Message: messages[i]})
	}
	return list, messages
}

func completed(n int) (review.CheckRun, []string) {
	list, messages := annotations(n)
	return review.CheckRun{
		Name: "assay / review", HeadSHA: headSHA, ExternalID: "run-1", DetailsURL: "https://assay.example/runs/1",
		Status: review.CheckCompleted, Conclusion: review.ConclusionFailure,
		StartedAt:   time.Date(2026, 5, 1, 14, 0, 0, 123, time.FixedZone("", 7200)),
		CompletedAt: time.Date(2026, 5, 1, 12, 1, 0, 0, time.UTC),
		Output:      review.CheckOutput{Title: "T", Summary: "S", Text: "X", Annotations: list},
	}, messages
}

// TestCreateCheck is faults G1 and G2: whatever is lost on the way there is one
// check run, with each annotation once.
func TestCreateCheck(t *testing.T) {
	tests := []struct {
		name        string
		annotations int
		mishaps     []mishap
	}{
		{"well", 0, nil},
		{"answer lost", 0, []mishap{lostAnswer}},
		{"request lost", 0, []mishap{lostRequest}},
		{"502 though done", 0, []mishap{badGateway}},
		{"garbage for an answer", 0, []mishap{garbage}},
		{"null for an answer", 0, []mishap{nothing}},
		{"502 twice, then done and lost", 0, []mishap{notDone, notDone, lostAnswer}},
		{"50 annotations", 50, nil},
		{"51 annotations", 51, nil},
		{"120 annotations, first answer lost", 120, []mishap{lostAnswer}},
		{"120 annotations, second answer lost", 120, []mishap{{done: true, status: 200}, lostAnswer}},
		{"120 annotations, second request lost", 120, []mishap{{done: true, status: 200}, lostRequest}},
		{"120 annotations, last answer lost", 120, []mishap{{done: true, status: 200}, {done: true, status: 200}, badGateway}},
		{"120 annotations, all lost once", 120, []mishap{lostAnswer, lostRequest, lostAnswer, notDone, badGateway}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newChecks(t, tt.mishaps...)
			check, messages := completed(tt.annotations)
			id, err := c.h.repo().CreateCheck(within(t), check)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.runs) != 1 || id != 1 {
				t.Fatalf("%d check runs, ID %d; want one", len(c.runs), id)
			}
			run := c.runs[0]
			if d := cmp.Diff(messages, run.annotations); d != "" {
				t.Error(d)
			}
			if run.payload.Status != "completed" || run.payload.Conclusion != "failure" {
				t.Errorf("ended %s, %s", run.payload.Status, run.payload.Conclusion)
			}
			// Nobody may see a conclusion before all that belongs to it is there.
			for _, p := range c.sent[:max(0, (tt.annotations-1)/50)] {
				if p.Status != "in_progress" || p.Conclusion != "" || p.CompletedAt != "" || p.Output.Title == "" || p.Output.Summary == "" {
					t.Errorf("sent on the way: %+v", p)
				}
			}
		})
	}
}

func TestCreateCheckPayload(t *testing.T) {
	c := newChecks(t)
	check, _ := completed(1)
	if _, err := c.h.repo().CreateCheck(within(t), check); err != nil {
		t.Fatal(err)
	}
	want := `{"name":"assay / review","head_sha":"` + headSHA + `","external_id":"run-1","details_url":"https://assay.example/runs/1",` +
		`"status":"completed","conclusion":"failure","started_at":"2026-05-01T12:00:00Z","completed_at":"2026-05-01T12:01:00Z",` +
		`"output":{"title":"T","summary":"S","text":"X","annotations":[{"path":"f","start_line":1,"end_line":1,"annotation_level":"warning","message":"m0"}]}}`
	got, err := json.Marshal(c.sent[0])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

// TestCreateCheckGivesUp holds that what is refused is not tried again, and
// that what stays unknown is an error.
func TestCreateCheckGivesUp(t *testing.T) {
	tests := []struct {
		name    string
		mishaps []mishap
		want    fault.Kind
		writes  int
	}{
		{"422", []mishap{{status: 422}}, fault.Invalid, 1},
		{"403", []mishap{{status: 403}}, fault.Unauthorized, 1},
		{"429", []mishap{{status: 429}}, fault.RateLimited, 1},
		{"down", slices.Repeat([]mishap{notDone}, 9), fault.Transient, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newChecks(t, tt.mishaps...)
			check, _ := completed(0)
			_, err := c.h.repo().CreateCheck(within(t), check)
			wantKind(t, err, tt.want)
			if n := c.h.count("POST"); n != tt.writes || len(c.runs) != 0 {
				t.Errorf("%d writes, %d runs", n, len(c.runs))
			}
		})
	}
	for _, bad := range []review.CheckRun{{Name: "n", HeadSHA: headSHA}, {ExternalID: "e", HeadSHA: headSHA}, {Name: "n", ExternalID: "e", HeadSHA: "main"}} {
		_, err := newChecks(t).h.repo().CreateCheck(within(t), bad)
		wantKind(t, err, fault.Invalid)
	}
}

// TestCreateCheckWithoutReadBack holds that a write whose outcome cannot be
// learnt is not made again.
func TestCreateCheckWithoutReadBack(t *testing.T) {
	h := newHub(t)
	h.HandleFunc("POST /repos/octo/hello/check-runs", func(w http.ResponseWriter, _ *http.Request) { drop(w) })
	h.HandleFunc("GET /repos/octo/hello/commits/{sha}/check-runs", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "null") })
	check, _ := completed(0)
	_, err := h.repo().CreateCheck(within(t), check)
	wantKind(t, err, fault.Transient)
	if n := h.count("POST"); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

func TestUpdateCheck(t *testing.T) {
	tests := []struct {
		name         string
		before, ours int
		mishaps      []mishap
	}{
		{"no annotations", 3, 0, nil},
		{"no annotations, answer lost", 3, 0, []mishap{lostAnswer, notDone}},
		{"appended to those there", 70, 60, nil},
		{"first page lost", 70, 60, []mishap{lostRequest}},
		{"first answer lost", 70, 60, []mishap{lostAnswer}},
		{"between pages", 0, 160, []mishap{{done: true, status: 200}, badGateway, notDone, lostAnswer}},
		{"all answers lost", 5, 150, []mishap{lostAnswer, lostAnswer, lostAnswer}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newChecks(t)
			_, want := annotations(tt.before)
			c.runs = []*storedRun{{ID: 1, App: testApp, annotations: slices.Clone(want), payload: checkPayload{HeadSHA: headSHA}}}
			c.mishaps = tt.mishaps
			check, messages := completed(tt.ours)
			if err := c.h.repo().UpdateCheck(within(t), 1, check); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(append(want, messages...), c.runs[0].annotations); d != "" {
				t.Error(d)
			}
			if p := c.runs[0].payload; p.Status != "completed" || p.Conclusion != "failure" {
				t.Errorf("ended %s, %s", p.Status, p.Conclusion)
			}
		})
	}
}

// TestUpdateCheckTakenUp holds that an update which failed for good half way
// can be taken up by the count.
func TestUpdateCheckTakenUp(t *testing.T) {
	c := newChecks(t, mishap{done: true, status: 200}, notDone, notDone, badGateway)
	c.runs = []*storedRun{{ID: 1, App: testApp}}
	check, messages := completed(120)
	r := c.h.repo()
	wantKind(t, r.UpdateCheck(within(t), 1, check), fault.Transient)
	n, err := r.AnnotationCount(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	check.Output.Annotations = check.Output.Annotations[n:]
	if err := r.UpdateCheck(within(t), 1, check); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(messages, c.runs[0].annotations); d != "" {
		t.Error(d)
	}
}

// TestUpdateCheckKeepsTheName holds that an update without a name does not
// send an empty one, as go-github's own does.
func TestUpdateCheckKeepsTheName(t *testing.T) {
	got, err := json.Marshal(payloadOf(review.CheckRun{Status: review.CheckInProgress}, 0, 0))
	if err != nil || string(got) != `{"status":"in_progress"}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestFindCheck(t *testing.T) {
	c := newChecks(t)
	add := func(app int64, sha, name, external string) {
		c.runs = append(c.runs, &storedRun{ID: int64(len(c.runs) + 1), App: app, payload: checkPayload{HeadSHA: sha, Name: name, ExternalID: external}})
	}
	add(testApp, headSHA, "a", "x")
	add(testApp+1, headSHA, "a", "y") // another app that takes our names
	add(testApp, headSHA, "b", "y")
	add(testApp, baseSHA, "a", "y")
	for i := range 150 {
		add(testApp, headSHA, "a", fmt.Sprint(i))
	}
	tests := []struct {
		sha, name, external string
		want                int64
	}{
		{headSHA, "a", "x", 1},
		{headSHA, "a", "y", 0},
		{headSHA, "b", "y", 3},
		{headSHA, "a", "149", 154},
		{headSHA, "a", "", 154},
		{headSHA, "c", "", 0},
		{mergeBaseSHA, "a", "x", 0},
	}
	for _, tt := range tests {
		id, found, err := c.h.repo().FindCheck(within(t), tt.sha, tt.name, tt.external)
		if err != nil || id != tt.want || found != (tt.want != 0) {
			t.Errorf("%.7s %s %q: %d, %v, %v; want %d", tt.sha, tt.name, tt.external, id, found, err, tt.want)
		}
	}
	if strings.Count(strings.Join(c.h.seen, "\n"), "/check-runs") < 2*len(tests)-3 {
		t.Error("later pages were not read")
	}
}
