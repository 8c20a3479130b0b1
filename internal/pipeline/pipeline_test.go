package pipeline

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/agents"
	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/reports"
	"assay/review"
)

// hub is a GitHub of one repository, in memory.
type hub struct {
	mu     sync.Mutex
	pull   review.Pull
	files  []review.File
	config string
	// org is the organisation's config, at the head are files of the head.
	org      string
	orgReads int
	atHead   heads
	checks   map[int64]*review.CheckRun
	notes    map[int64]int // annotations by check run
	comments map[int64]string
	next     int64
	fail     map[string]error // by method
	// rights are what people may do; nothing for those who are not in it.
	rights    map[string]string
	reactions []string
	heads     map[string]string // of branches
	changes   []review.Pull     // what Change was asked for
	// afterPull is called once, when the next answer of Pull is under way.
	afterPull func()
}

func (h *hub) Repository(_ int64, repo review.Repo) Repository {
	if repo.Name == OrgRepository {
		return &orgHub{hub: h}
	}
	return h
}

// orgHub is the organisation's repository ".github".
type orgHub struct{ *hub }

func (h *orgHub) File(context.Context, string, string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.orgReads++
	if h.org == "" {
		return nil, errors.Join(h.call("OrgFile"), review.ErrNotExist)
	}
	return []byte(h.org), h.call("OrgFile")
}

// heads are files of the head.
type heads map[string]string

func (h heads) Read(_ context.Context, _ review.Side, path string) ([]byte, error) {
	if text, ok := h[path]; ok {
		return []byte(text), nil
	}
	return nil, review.ErrNotExist
}

func (h *hub) call(name string) error { return h.fail[name] }

func (h *hub) Pull(_ context.Context, number int) (review.Pull, error) {
	h.mu.Lock()
	pull, after := h.pull, h.afterPull
	h.afterPull = nil
	err := h.call("Pull")
	h.mu.Unlock()
	pull.Number = number
	if after != nil {
		after()
	}
	return pull, err
}

func (h *hub) PullsForCommit(context.Context, string) ([]review.Pull, error) {
	return []review.Pull{h.pull}, h.call("PullsForCommit")
}

func (h *hub) Change(_ context.Context, pull review.Pull) (*review.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.call("Change"); err != nil {
		return nil, err
	}
	h.changes = append(h.changes, pull)
	if pull.Number == 0 && pull.BaseSHA == "" {
		return &review.Change{Pull: pull}, nil
	}
	if pull.Number != 0 && pull.HeadSHA != h.pull.HeadSHA {
		return nil, fault.New(fault.Transient, review.ErrHeadMoved)
	}
	return &review.Change{Pull: pull, Files: h.files, Contents: h.atHead}, nil
}

func (h *hub) BranchHead(_ context.Context, branch string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heads[branch] == "" {
		return "", fault.New(fault.Gone, errors.New("no such branch"))
	}
	return h.heads[branch], h.call("BranchHead")
}

func (h *hub) Permission(_ context.Context, login string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rights[login] == "" {
		return "", errors.Join(h.call("Permission"), fault.New(fault.Gone, errors.New("no such user")))
	}
	return h.rights[login], h.call("Permission")
}

func (h *hub) React(_ context.Context, id int64, content string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	reaction := fmt.Sprintf("%d %s", id, content)
	if !slices.Contains(h.reactions, reaction) {
		h.reactions = append(h.reactions, reaction)
	}
	return h.call("React")
}

func (h *hub) File(context.Context, string, string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.config == "" {
		return nil, errors.Join(h.call("File"), review.ErrNotExist)
	}
	return []byte(h.config), h.call("File")
}

func (h *hub) CreateCheck(_ context.Context, c review.CheckRun) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.call("CreateCheck"); err != nil {
		return 0, err
	}
	h.next++
	h.checks[h.next], h.notes[h.next] = &c, len(c.Output.Annotations)
	return h.next, nil
}

func (h *hub) UpdateCheck(_ context.Context, id int64, c review.CheckRun) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.call("UpdateCheck"); err != nil {
		return err
	}
	h.checks[id] = &c
	h.notes[id] += len(c.Output.Annotations)
	return nil
}

func (h *hub) FindCheck(_ context.Context, head, name, external string) (int64, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, c := range h.checks {
		if c.HeadSHA == head && c.Name == name && (external == "" || c.ExternalID == external) {
			return id, true, h.call("FindCheck")
		}
	}
	return 0, false, h.call("FindCheck")
}

func (h *hub) AnnotationCount(_ context.Context, id int64) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notes[id], h.call("AnnotationCount")
}

func (h *hub) CreateComment(_ context.Context, _ int, _, body string) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.call("CreateComment"); err != nil {
		return 0, err
	}
	h.next++
	h.comments[h.next] = body
	return h.next, nil
}

func (h *hub) UpdateComment(_ context.Context, id int64, body string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.call("UpdateComment"); err != nil {
		return err
	}
	if _, ok := h.comments[id]; !ok {
		return fault.New(fault.Gone, errors.New("no such comment"))
	}
	h.comments[id] = body
	return nil
}

func (h *hub) FindComment(_ context.Context, _ int, marker string) (int64, string, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, body := range h.comments {
		if strings.Contains(body, marker) {
			return id, body, true, h.call("FindComment")
		}
	}
	return 0, "", false, h.call("FindComment")
}

// finder is an agent that finds what it is told to, in every file.
type finder struct{ severity review.Severity }

func (finder) Name() string { return "finder" }

func (a finder) Run(_ context.Context, in agents.Input) (agents.Result, error) {
	var r agents.Result
	for _, f := range in.Change.Files {
		r.Coverage = append(r.Coverage, review.Coverage{Path: f.Path, Level: review.Full})
		if a.severity > 0 {
			r.Findings = append(r.Findings, review.Finding{
				Rule: "finder/found", Severity: a.severity, Category: review.Correctness, Path: f.Path, StartLine: 1, EndLine: 1, Message: "Found.", Evidence: "x",
			})
		}
	}
	return r, nil
}

// ourApp is the ID of the app under test.
const ourApp = 9

// crash is what a simulated crash panics with.
type crash string

type world struct {
	*hub
	t      *testing.T
	store  *store.Store
	queue  *queue.Queue
	p      *Pipeline
	finder *finder
	// crashAt is the point at which the next job dies.
	crashAt string
	at      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "assay.db")})
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New(t.Context(), st, queue.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w := &world{
		t: t, store: st, queue: q, finder: &finder{severity: review.High}, at: time.Now().UTC().Truncate(time.Second),
		hub: &hub{
			checks: make(map[int64]*review.CheckRun), notes: make(map[int64]int), comments: make(map[int64]string), fail: make(map[string]error),
			rights: map[string]string{"ada": "write", "tri": "triage"}, heads: make(map[string]string),
			files:  []review.File{{Path: "a.go", Status: review.Added, Hunks: []review.Hunk{{NewStart: 1, NewLines: 1, Lines: []review.Line{{Op: review.Add, New: 1, Text: "x"}}}}}},
			config: "version: 1\npipelines:\n  review:\n    agents: [finder]\n",
		},
	}
	registry, err := agents.NewRegistry(w.finder)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.p, err = New(Config{
		GitHub: w.hub, Store: st, Queue: q, Reviewer: Reviewer{Agents: registry, Runner: runner}, PublicURL: "https://assay.example",
		GitHubURL: "https://github.example", ProgressEvery: time.Hour, AppID: ourApp,
		Crash: func(point string) {
			if point == w.crashAt {
				w.crashAt = ""
				panic(crash(point))
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// deliver stores a delivery of an event of the pull request as it stands.
func (w *world) deliver(action, head string) int64 {
	w.t.Helper()
	w.at = w.at.Add(time.Second)
	w.pull = review.Pull{Number: 7, Title: "T", HeadSHA: head, BaseRef: "main", BaseSHA: strings.Repeat("b", 40), HeadRef: "f"}
	return w.store1(action, w.pull, w.at)
}

func (w *world) store1(action string, pull review.Pull, at time.Time) int64 {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{
		"action": action, "number": pull.Number,
		"pull_request": map[string]any{
			"number": pull.Number, "title": pull.Title, "state": map[bool]string{false: "open", true: "closed"}[pull.Closed], "updated_at": at.Format(time.RFC3339), "user": map[string]any{"login": "octocat"},
			"head": map[string]any{"sha": pull.HeadSHA, "ref": pull.HeadRef, "repo": map[string]any{"id": 1}},
			"base": map[string]any{"sha": pull.BaseSHA, "ref": pull.BaseRef, "repo": map[string]any{"id": 1}},
		},
		"repository":   map[string]any{"id": 1, "name": "n", "full_name": "o/n", "owner": map[string]any{"login": "o"}},
		"installation": map[string]any{"id": 1},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.put(store.Delivery{
		GUID: fmt.Sprintf("%s-%d-%s-%d", action, pull.Number, pull.HeadSHA[:4], at.Unix()), Event: "pull_request", Action: action, Installation: 1, RepoID: 1, Number: pull.Number,
		HeadSHA: pull.HeadSHA, PullUpdatedAt: at, ReceivedAt: at, Body: body,
	})
}

func (w *world) put(delivery store.Delivery) int64 {
	w.t.Helper()
	d := &delivery
	if err := w.store.Write(w.t.Context(), func(tx *sql.Tx) error {
		return w.store.InsertDeliveries(w.t.Context(), tx, []*store.Delivery{d})
	}); err != nil {
		w.t.Fatal(err)
	}
	return d.ID
}

// until does a job until it ends without a simulated crash.
func (w *world) until(job func() error) error {
	for range 5 {
		var died bool
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					if _, ok := p.(crash); !ok {
						panic(p)
					}
					died = true
				}
			}()
			return job()
		}()
		if !died {
			return err
		}
	}
	return errors.New("it crashes each time")
}

// work decides on a delivery and works on the runs of the head.
func (w *world) work(delivery int64) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.until(func() error { return w.p.Decide(ctx, delivery) }); err != nil {
		w.t.Fatal("decide:", err)
	}
	runs, err := w.store.Runs(ctx, "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range runs {
		if !r.Enqueued {
			continue
		}
		if err := w.until(func() error { return w.p.Run(ctx, r.ID) }); err != nil {
			w.t.Fatal("run:", err)
		}
	}
}

func (w *world) onlyCheck() (review.CheckRun, int) {
	w.t.Helper()
	if len(w.checks) != 1 {
		w.t.Fatalf("%d check runs, want 1", len(w.checks))
	}
	for id, c := range w.checks {
		return *c, w.notes[id]
	}
	panic("unreachable")
}

func head(c string) string { return strings.Repeat(c, 40) }

// TestCrashes cuts a review off at each point; what GitHub shows in the end is
// always the same.
func TestCrashes(t *testing.T) {
	for _, point := range []string{"", "check-created", "judged", "check-completed", "comment-posted"} {
		t.Run("at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.crashAt = point
			w.work(w.deliver("opened", head("a")))
			if w.crashAt != "" {
				t.Fatalf("the point %q was not passed", point)
			}
			check, annotations := w.onlyCheck()
			if check.Status != review.CheckCompleted || check.Conclusion != review.ConclusionFailure || annotations != 1 {
				t.Errorf("check %s, %s, %d annotations", check.Status, check.Conclusion, annotations)
			}
			if len(w.comments) != 1 {
				t.Errorf("%d comments, want 1", len(w.comments))
			}
		})
	}
}

// TestCrashThenPush cuts a delivery off right after its check run was made;
// before it is taken up again, a push comes. The check run of the old head must
// not be left open.
func TestCrashThenPush(t *testing.T) {
	w := newWorld(t)
	first := w.deliver("opened", head("a"))
	w.crashAt = "check-created"
	func() {
		defer func() { _ = recover() }()
		_ = w.p.Decide(t.Context(), first)
	}()
	w.work(w.deliver("synchronize", head("c")))
	w.work(first)
	for id, c := range w.checks {
		if c.Status != review.CheckCompleted {
			t.Errorf("check %d at %.4s is left %s", id, c.HeadSHA, c.Status)
		}
	}
	if len(w.checks) != 2 || len(w.comments) != 1 {
		t.Errorf("%d check runs and %d comments, want 2 and 1", len(w.checks), len(w.comments))
	}
}

func TestStale(t *testing.T) {
	w := newWorld(t)
	late := w.deliver("synchronize", head("c"))
	early := w.store1("opened", review.Pull{Number: 7, HeadSHA: head("a"), BaseRef: "main", BaseSHA: head("b")}, w.at.Add(-time.Minute))
	same := w.store1("synchronize", review.Pull{Number: 7, HeadSHA: head("d"), BaseRef: "main", BaseSHA: head("b")}, w.at)
	for _, id := range []int64{late, early, same} {
		w.work(id)
	}
	check, _ := w.onlyCheck()
	if check.HeadSHA != head("c") {
		t.Errorf("the check is at %.4s, want the head that GitHub has", check.HeadSHA)
	}
	for id, want := range map[int64]store.DeliveryStatus{late: store.DeliveryDone, early: store.DeliverySuperseded, same: store.DeliverySuperseded} {
		if d, err := w.store.Delivery(t.Context(), id); err != nil || d.Status != want {
			t.Errorf("delivery %s is %s, want %s; %v", d.GUID, d.Status, want, err)
		}
	}
}

// TestHeadMoves holds that a result is not published once the head has moved on.
func TestHeadMoves(t *testing.T) {
	w := newWorld(t)
	id := w.deliver("opened", head("a"))
	w.p.Crash = func(point string) {
		if point == "judged" {
			w.pull.HeadSHA = head("c")
			w.p.Now = func() time.Time { return time.Now().Add(apiLag) }
		}
	}
	w.work(id)
	check, annotations := w.onlyCheck()
	if check.Conclusion != review.ConclusionCancelled || annotations != 0 || len(w.comments) != 0 {
		t.Errorf("check %s, %d annotations, %d comments; want nothing shown of a stale result", check.Conclusion, annotations, len(w.comments))
	}
}

func TestCommentFollows(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	w.finder.severity = 0
	w.work(w.deliver("synchronize", head("c")))
	for _, body := range w.comments {
		if len(w.comments) != 1 || !strings.Contains(body, "No open findings") {
			t.Errorf("comments %v", w.comments)
		}
	}
	// Somebody deletes it: a clean head does not bring it back, findings do.
	clear(w.comments)
	w.work(w.deliver("synchronize", head("d")))
	if len(w.comments) != 0 {
		t.Errorf("a clean head has brought a deleted comment back: %v", w.comments)
	}
	w.finder.severity = review.Low
	w.work(w.deliver("synchronize", head("e")))
	if len(w.comments) != 1 {
		t.Errorf("%d comments, want a new one for new findings", len(w.comments))
	}
}

// TestTwoPipelines holds that several pipelines share one comment.
func TestTwoPipelines(t *testing.T) {
	w := newWorld(t)
	w.config = "version: 1\npipelines:\n  one:\n    agents: [finder]\n  two:\n    agents: [finder]\n    gate: {fail_on: never}\n"
	w.work(w.deliver("opened", head("a")))
	if len(w.checks) != 2 || len(w.comments) != 1 {
		t.Fatalf("%d check runs and %d comments, want 2 and 1", len(w.checks), len(w.comments))
	}
	for _, body := range w.comments {
		if n := strings.Count(body, "finder/found"); !strings.HasPrefix(body, reports.CommentMarker) || n == 0 {
			t.Errorf("comment names the finding %d times:\n%s", n, body)
		}
	}
}

func TestRunFailed(t *testing.T) {
	const strict = "version: 1\npipelines:\n  review:\n    agents: [finder]\n    gate: {on_unavailable: fail}\n"
	tests := []struct {
		name       string
		config     string
		cause      error
		conclusion review.Conclusion
		status     review.Status
	}{
		{"refused", "", fault.New(fault.Unauthorized, errors.New("secret-host: 403")), review.ConclusionNeutral, review.StatusDead},
		{"refused, and the gate is strict", strict, fault.New(fault.Unauthorized, errors.New("403")), review.ConclusionFailure, review.StatusDead},
		{"gone", strict, fault.New(fault.Gone, errors.New("404")), review.ConclusionCancelled, review.StatusCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.config != "" {
				w.config = tt.config
			}
			if err := w.p.Decide(t.Context(), w.deliver("opened", head("a"))); err != nil {
				t.Fatal(err)
			}
			runs, err := w.store.Runs(t.Context(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.p.RunFailed(t.Context(), runs[0].ID, tt.cause); err != nil {
				t.Fatal(err)
			}
			check, _ := w.onlyCheck()
			r, err := w.store.Run(t.Context(), runs[0].ID)
			if err != nil || r.Status != tt.status || check.Conclusion != tt.conclusion {
				t.Errorf("run %s, check %s, %v; want %s, %s", r.Status, check.Conclusion, err, tt.status, tt.conclusion)
			}
			if shown := check.Output.Title + check.Output.Summary + check.Output.Text + r.Reason; strings.Contains(shown, "secret-host") {
				t.Errorf("the error's text is shown: %s", shown)
			}
		})
	}
}

// TestOnRun holds that each run's end is told of once, whatever it was.
func TestOnRun(t *testing.T) {
	w := newWorld(t)
	var told []string
	w.p.OnRun = func(_ context.Context, r review.Run) {
		told = append(told, fmt.Sprintf("%.1s %s", r.Pull.HeadSHA, r.Status))
	}

	w.work(w.deliver("opened", head("a"))) // done

	if err := w.p.Decide(t.Context(), w.deliver("synchronize", head("c"))); err != nil {
		t.Fatal(err)
	}
	runs, err := w.store.Runs(t.Context(), review.StatusQueued, 1)
	if err != nil || len(runs) != 1 {
		t.Fatalf("queued runs %v, %v", runs, err)
	}
	superseded := runs[0].ID
	if err := w.p.Decide(t.Context(), w.deliver("synchronize", head("d"))); err != nil {
		t.Fatal(err)
	}
	if err := w.p.Run(t.Context(), superseded); err != nil {
		t.Fatal(err)
	}
	runs, err = w.store.Runs(t.Context(), review.StatusQueued, 1)
	if err != nil || len(runs) != 1 {
		t.Fatalf("queued runs %v, %v", runs, err)
	}
	w.fail["Change"] = errors.New("not now")
	if err := w.p.Run(t.Context(), runs[0].ID); err == nil { // it will be tried again
		t.Fatal("no error")
	}
	if err := w.p.RunFailed(t.Context(), runs[0].ID, errors.New("no")); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(told, ", "), "a done, c superseded, d dead"; got != want {
		t.Errorf("told of %s, want %s", got, want)
	}
}

// TestMissingAgentIsNotGreen holds promise 5 at this level: an agent that gives
// no proof of work never makes a success.
func TestMissingAgentIsNotGreen(t *testing.T) {
	w := newWorld(t)
	registry, err := agents.NewRegistry(silent{})
	if err != nil {
		t.Fatal(err)
	}
	w.p.Agents = registry
	w.work(w.deliver("opened", head("a")))
	check, _ := w.onlyCheck()
	if check.Conclusion != review.ConclusionNeutral {
		t.Errorf("check: %s, %q", check.Conclusion, check.Output.Title)
	}
}

// silent is an agent that says nothing at all.
type silent struct{}

func (silent) Name() string { return "finder" }

func (silent) Run(context.Context, agents.Input) (agents.Result, error) { return agents.Result{}, nil }

func TestJoin(t *testing.T) {
	f := review.Finding{ID: "1", Severity: review.Low}
	g := review.Finding{ID: "2", Severity: review.High}
	joined := Join([]review.Run{
		{Pipeline: "a", Outcome: review.Outcome{Conclusion: review.ConclusionSuccess}, Findings: []review.Finding{f}, Agents: []review.AgentRun{{Name: "x"}}},
		{Pipeline: "b", Outcome: review.Outcome{Conclusion: review.ConclusionFailure}, Findings: []review.Finding{f, g}, Agents: []review.AgentRun{{Name: "x"}, {Name: "y"}}},
	})
	if len(joined.Findings) != 2 || joined.Findings[0].ID != "2" || len(joined.Agents) != 2 || joined.Outcome.Conclusion != review.ConclusionFailure || joined.Pipeline != "a, b" {
		t.Errorf("joined %+v", joined)
	}
}
