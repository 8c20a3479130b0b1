package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

// world is a scheduler with a clock, a store, and a GitHub of configs.
type world struct {
	t     *testing.T
	now   time.Time
	store *store.Store
	s     *Scheduler
	specs map[int64][]strategy.Schedule // by repository
	fail  map[int64]error
	reads []int64
	lost  error // of AcceptWith, before its commit
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), specs: make(map[int64][]strategy.Schedule), fail: make(map[int64]error)}
	var err error
	w.store, err = store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "assay.db"), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.s = w.scheduler("node-a", "")
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) scheduler(node, base string) *Scheduler {
	w.t.Helper()
	s, err := New(w, w.store, w, Config{Node: node, Base: base, Mark: map[string]string{"X-Mark": "1"}, Now: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) repo(id int64, specs ...strategy.Schedule) {
	w.t.Helper()
	w.specs[id] = specs
	r := review.Repo{ID: id, Owner: "o", Name: fmt.Sprint("r", id), DefaultBranch: "main"}
	if err := w.store.AddRepositories(w.t.Context(), 1, []review.Repo{r}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) Schedules(_ context.Context, r store.Repository) (review.Repo, []strategy.Schedule, error) {
	w.reads = append(w.reads, r.ID)
	return r.Repo, w.specs[r.ID], w.fail[r.ID]
}

// AcceptWith stores deliveries as the queue does, without a job.
func (w *world) AcceptWith(ctx context.Context, d store.Delivery, with func(tx *sql.Tx) (bool, error)) (fresh bool, err error) {
	d.ReceivedAt = w.now
	err = w.store.Write(ctx, func(tx *sql.Tx) error {
		if ok, err := with(tx); err != nil || !ok {
			return err
		}
		if err := w.store.InsertDeliveries(ctx, tx, []*store.Delivery{&d}); err != nil {
			return err
		}
		return w.lost
	})
	return err == nil && d.ID != 0, err
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.s.Tick(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// fired counts the deliveries that were made.
func (w *world) fired() int {
	w.t.Helper()
	all, err := w.store.Deliveries(w.t.Context(), "", 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func (w *world) is(what string, fired int) {
	w.t.Helper()
	if got := w.fired(); got != fired {
		w.t.Errorf("%s: %d deliveries, want %d", what, got, fired)
	}
}

var six = strategy.Schedule{Name: "morning", Spec: "0 6 * * *"}

func TestFires(t *testing.T) {
	w := newWorld(t)
	w.repo(7, six)
	w.tick()
	w.is("just learnt", 0)
	w.now = time.Date(2026, 3, 3, 5, 59, 59, 0, time.UTC)
	w.tick()
	w.is("before its time", 0)
	w.now = w.now.Add(time.Second)
	w.tick()
	w.tick()
	w.is("at its time", 1)
	all, _ := w.store.Deliveries(t.Context(), "", 1)
	d, err := w.store.Delivery(t.Context(), all[0].ID)
	if err != nil || d.Header["X-Mark"] != "1" {
		t.Fatalf("%+v, %v", d, err)
	}
	ev, err := webhook.Parse(d.Event, d.Body)
	if err != nil || ev.String() != "schedule.morning" || ev.Schedule != "morning" || ev.Installation != 1 || ev.Repo.String() != "o/r7" || ev.Repo.DefaultBranch != "main" {
		t.Errorf("the delivery reads as %+v, %v", ev, err)
	}
	if webhook.Subscribed(d.Event, d.Action) {
		t.Error("GitHub, or whoever has the secret, could send it")
	}
	w.now = w.now.Add(73 * time.Hour) // down for three days
	w.tick()
	w.tick()
	w.is("three times missed come once", 2)
}

// TestCutOff holds that a schedule whose transaction is cut off comes later, and
// that what another node has started is not started again.
func TestCutOff(t *testing.T) {
	w := newWorld(t)
	w.repo(7, six)
	w.tick()
	w.now = w.now.Add(24 * time.Hour)
	w.lost = errors.New("the power went")
	if err := w.s.Tick(t.Context()); !errors.Is(err, w.lost) {
		t.Fatal(err)
	}
	w.is("cut off", 0)
	w.lost = nil
	due, err := w.store.DueSchedules(t.Context(), 1)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	w.tick()
	w.is("then", 1)
	if err := w.scheduler("node-b", "").start(t.Context(), due[0]); err != nil {
		t.Fatal(err)
	}
	w.is("by another node that saw it due", 1)
}

func TestOneNodeAtATime(t *testing.T) {
	w := newWorld(t)
	w.tick()
	w.repo(7, six)
	other := w.scheduler("node-b", "")
	if err := other.Tick(t.Context()); err != nil || len(w.reads) != 0 {
		t.Errorf("another node reads %v, %v", w.reads, err)
	}
	w.s.Start(t.Context())
	if err := w.s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.Tick(t.Context()); err != nil || len(w.reads) != 1 {
		t.Errorf("after the first has stopped it reads %v, %v", w.reads, err)
	}
}

func TestReads(t *testing.T) {
	w := newWorld(t)
	for id := range int64(12) {
		w.repo(id + 1)
	}
	for range 3 {
		w.tick()
	}
	w.tick()
	if len(w.reads) != 12 {
		t.Fatalf("%d of 12 configs are read, want each once: %v", len(w.reads), w.reads)
	}
	w.reads = nil
	w.specs[3] = []strategy.Schedule{six}
	if err := w.store.ReadSchedulesAt(t.Context(), 3, w.now.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	w.tick()
	w.now = w.now.Add(20 * time.Second)
	w.tick()
	if len(w.reads) != 1 || w.reads[0] != 3 {
		t.Errorf("after a push are read %v", w.reads)
	}
	w.specs[3] = nil // and is taken away again, of which no webhook tells
	w.now = w.now.Add(readAgain)
	for range 4 {
		w.tick()
	}
	w.now = w.now.Add(24 * time.Hour)
	fired := w.fired()
	w.tick()
	w.is("a schedule that is gone", fired)

	w.reads = nil
	w.s = w.scheduler("node-a", "another operator's file")
	for range 4 {
		w.tick()
	}
	if len(w.reads) < 12 {
		t.Errorf("with another base only %v are read", w.reads)
	}
}

// TestTrouble holds that one repository that cannot be read does not keep the
// others from being read, and that GitHub is left alone when it is down.
func TestTrouble(t *testing.T) {
	w := newWorld(t)
	for id := range int64(5) {
		w.repo(id + 1)
	}
	w.fail[1] = fault.New(fault.Gone, errors.New("gone"))
	w.fail[2] = fault.Until(fault.RateLimited, w.now.Add(40*time.Minute), errors.New("slowly"))
	w.tick()
	w.tick()
	if len(w.reads) != 5 {
		t.Errorf("read are %v", w.reads)
	}
	w.reads = nil
	w.now = w.now.Add(30 * time.Minute)
	w.tick()
	if len(w.reads) != 0 {
		t.Errorf("before it may be asked again, read are %v", w.reads)
	}
	w.now = w.now.Add(11 * time.Minute)
	w.tick()
	if len(w.reads) != 1 || w.reads[0] != 2 {
		t.Errorf("then read are %v", w.reads)
	}

	w.reads, w.now = nil, w.now.Add(readAgain)
	down := errors.New("down")
	for id := range int64(5) {
		w.fail[id+1] = fault.New(fault.Transient, down)
	}
	if err := w.s.Tick(t.Context()); !errors.Is(err, down) || len(w.reads) != maxTrouble+1 {
		t.Errorf("while GitHub is down read are %v, %v", w.reads, err)
	}
}

// TestSpread holds that a thousand repositories do not come at once, that each
// keeps its time, and that a time of day that is named is kept.
func TestSpread(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	daily := strategy.Schedule{Name: "daily", Spec: "daily"}
	perMinute := make(map[time.Time]int)
	for id := range int64(1000) {
		at := next(daily, id, now)
		if at.Before(now) || at.Sub(now) > 24*time.Hour {
			t.Fatalf("repository %d is due at %s", id, at)
		}
		if again := next(daily, id, at); again.Sub(at) != 24*time.Hour {
			t.Errorf("repository %d is due at %s and then at %s", id, at, again)
		}
		if same := next(daily, id, at.Add(-time.Second)); !same.Equal(at) {
			t.Errorf("repository %d is due at %s, and a second before at %s", id, at, same)
		}
		perMinute[at.Truncate(time.Minute)]++
	}
	for at, n := range perMinute {
		if n > 15 {
			t.Errorf("%d repositories are due at %s", n, at)
		}
	}
	if at := next(six, 5, now); !at.Equal(time.Date(2026, 3, 3, 6, 0, 0, 0, time.UTC)) {
		t.Errorf("six is %s", at)
	}
	if at := next(strategy.Schedule{Spec: "nonsense"}, 5, now); !at.IsZero() {
		t.Errorf("nonsense is due at %s", at)
	}
}
