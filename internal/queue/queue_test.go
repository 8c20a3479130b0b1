package queue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/pgtest"
	"assay/internal/store"
	"assay/review"
)

// patience is how long a test waits for what must happen; it is no measure of
// speed.
const patience = 30 * time.Second

// handler is a Handler of functions; a nil one succeeds.
type handler struct {
	decide       func(ctx context.Context, delivery int64) error
	run          func(ctx context.Context, run string) error
	heal         func(ctx context.Context, run string) error
	decideFailed func(ctx context.Context, delivery int64, cause error) error
	runFailed    func(ctx context.Context, run string, cause error) error
}

func (h handler) Decide(ctx context.Context, id int64) error {
	if h.decide == nil {
		return nil
	}
	return h.decide(ctx, id)
}

func (h handler) Run(ctx context.Context, run string) error {
	if h.run == nil {
		return nil
	}
	return h.run(ctx, run)
}

func (h handler) DecideFailed(ctx context.Context, id int64, cause error) error {
	if h.decideFailed == nil {
		return nil
	}
	return h.decideFailed(ctx, id, cause)
}

func (h handler) RunFailed(ctx context.Context, run string, cause error) error {
	if h.runFailed == nil {
		return nil
	}
	return h.runFailed(ctx, run, cause)
}

func (h handler) Heal(ctx context.Context, run string) error {
	if h.heal == nil {
		return nil
	}
	return h.heal(ctx, run)
}

func (h handler) HealFailed(context.Context, string, error) error { return nil }

// suite runs a test on both databases; url is that of a fresh one.
func suite(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "assay.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Start(t).Database(t)) })
}

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func start(t *testing.T, st *store.Store, h Handler, cfg Config) *Queue {
	t.Helper()
	q, err := New(t.Context(), st, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
	return q
}

func stop(t *testing.T, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	if q.stop == nil {
		return // stopped by the test
	}
	if err := q.Stop(ctx); err != nil {
		t.Error("stop:", err)
	}
	q.stop = nil
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

func accept(t *testing.T, q *Queue, d store.Delivery) bool {
	t.Helper()
	fresh, err := q.Accept(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestAccept(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		decided := make(chan int64, 1000)
		q := start(t, open(t, url), handler{decide: func(_ context.Context, id int64) error {
			decided <- id
			return nil
		}}, Config{})
		var wg sync.WaitGroup
		var fresh sync.Map
		for i := range 1000 {
			wg.Go(func() {
				ok, err := q.Accept(t.Context(), store.Delivery{GUID: fmt.Sprint("g", i%50), Event: "pull_request", Body: []byte("{}")})
				if err != nil {
					t.Error(err)
				}
				if _, twice := fresh.LoadOrStore(i%50, true); ok && twice {
					fresh.Store("twice", true)
				}
			})
		}
		wg.Wait()
		seen := make(map[int64]bool)
		for range 50 {
			id := receive(t, decided, "deciding on each of 50 deliveries")
			if seen[id] {
				t.Errorf("delivery %d is decided twice", id)
			}
			seen[id] = true
		}
		if accept(t, q, store.Delivery{GUID: "g1", Event: "pull_request"}) {
			t.Error("a known delivery is fresh")
		}
		stop(t, q)
		if len(decided) != 0 {
			t.Errorf("%d deliveries are decided twice", len(decided))
		}
	})
}

// TestErrors holds each kind of error to what becomes of the job.
func TestErrors(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		type call struct {
			id     int64
			failed bool
		}
		calls := make(chan call, 100)
		var mu sync.Mutex
		tries := make(map[int64]int)
		answers := map[int64]func(try int) error{
			1: func(int) error { return fault.New(fault.Invalid, errors.New("no good")) },
			2: func(try int) error {
				if try == 1 {
					return fault.Until(fault.RateLimited, time.Now().Add(300*time.Millisecond), errors.New("wait"))
				}
				return nil
			},
			3: func(try int) error {
				if try == 1 {
					panic("poison")
				}
				return nil
			},
		}
		q := start(t, open(t, url), handler{
			decide: func(_ context.Context, id int64) error {
				mu.Lock()
				tries[id]++
				try := tries[id]
				mu.Unlock()
				calls <- call{id, false}
				return answers[id](try)
			},
			decideFailed: func(_ context.Context, id int64, cause error) error {
				calls <- call{id, true}
				return nil
			},
		}, Config{})
		for i := range 3 {
			accept(t, q, store.Delivery{GUID: fmt.Sprint("g", i), Event: "pull_request"})
		}
		var failed []int64
		for range 3 + 1 + 1 + 1 { // three first tries, one giving up, two second tries
			if c := receive(t, calls, "every try"); c.failed {
				failed = append(failed, c.id)
			}
		}
		if len(failed) != 1 || failed[0] != 1 {
			t.Errorf("given up: %v, want the invalid one alone", failed)
		}
	})
}

func pushed(t *testing.T, q *Queue, guid, head string, at time.Time) []store.Run {
	t.Helper()
	o := opening(t, q, guid, review.Pull{Number: 2, HeadSHA: head}, at)
	runs, err := q.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Commit(t.Context(), o.Delivery, runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

// opening accepts a delivery of the pull request and is what it wants run.
func opening(t *testing.T, q *Queue, guid string, pull review.Pull, at time.Time) Opening {
	t.Helper()
	accept(t, q, store.Delivery{GUID: guid, Event: "pull_request", RepoID: 1, Number: pull.Number, HeadSHA: pull.HeadSHA, PullUpdatedAt: at})
	d, err := q.store.DeliveryByGUID(t.Context(), guid)
	if err != nil {
		t.Fatal(err)
	}
	seen, _, err := q.store.Subject(t.Context(), 1, pull.Number)
	if err != nil {
		t.Fatal(err)
	}
	return Opening{
		Delivery: d, Seen: seen, Subject: store.Subject{RepoID: 1, Number: pull.Number, HeadSHA: pull.HeadSHA, PullUpdatedAt: at},
		Runs: []store.Run{{Plan: []byte("{}"), Run: review.Run{
			ID: store.NewRunID(), Pipeline: "review", Delivery: guid, Status: review.StatusQueued, QueuedAt: time.Now(),
			Repo: review.Repo{ID: 1, Owner: "o", Name: "n"}, Pull: pull,
		}}},
	}
}

// TestSupersede holds that a push interrupts the run of the older head, that
// runs of one pull request never overlap, and that opening again changes
// nothing.
func TestSupersede(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		began := make(chan string, 10)
		ended := make(chan string, 10)
		var mu sync.Mutex
		active := 0
		st := open(t, url)
		q := start(t, st, handler{run: func(ctx context.Context, run string) error {
			mu.Lock()
			active++
			if active > 1 {
				t.Error("two runs of one pull request at once")
			}
			mu.Unlock()
			began <- run
			r, err := st.Run(ctx, run)
			if err != nil {
				t.Error(err)
			}
			if r.Pull.HeadSHA == "aaa" {
				<-ctx.Done()
				if !errors.Is(context.Cause(ctx), ErrOvertaken) {
					t.Errorf("cause %v, want ErrOvertaken", context.Cause(ctx))
				}
			} else if _, err := st.FinishRun(ctx, run, review.StatusDone, ""); err != nil {
				t.Error(err)
			}
			mu.Lock()
			active--
			mu.Unlock()
			ended <- run
			return nil
		}}, Config{Debounce: 10 * time.Millisecond})
		now := time.Now()
		first := pushed(t, q, "g1", "aaa", now)[0]
		if got := receive(t, began, "the first run"); got != first.ID {
			t.Fatalf("run %s began, want %s", got, first.ID)
		}
		if again := pushed(t, q, "g1", "aaa", now); len(again) != 1 || again[0].ID != first.ID || !again[0].Resumed {
			t.Errorf("opening a delivery again gives %v", again)
		}
		if other := pushed(t, q, "g2", "aaa", now); len(other) != 0 {
			t.Errorf("another delivery of the same head opens %v", other)
		}
		second := pushed(t, q, "g3", "bbb", now.Add(time.Second))[0]
		if got := receive(t, ended, "the end of the superseded run"); got != first.ID {
			t.Errorf("run %s ended first", got)
		}
		if got := receive(t, ended, "the run of the new head"); got != second.ID {
			t.Errorf("run %s ended, want the new head's", got)
		}
		r, err := st.Run(t.Context(), first.ID)
		if err != nil || r.Status != review.StatusSuperseded {
			t.Errorf("the old run is %s, %v", r.Status, err)
		}
		// The branch goes back to a head that was superseded: it runs anew, on
		// the same check run.
		third := pushed(t, q, "g4", "aaa", now.Add(2*time.Second))
		if len(third) != 1 || third[0].Attempt != 2 {
			t.Errorf("going back opens %v, want a second attempt", third)
		}
		d, err := st.DeliveryByGUID(t.Context(), "g4")
		if err != nil {
			t.Fatal(err)
		}
		closing := d
		closing.GUID = "g5"
		if late, err := q.Close(t.Context(), closing, store.Subject{RepoID: 1, Number: 2, HeadSHA: "aaa", PullUpdatedAt: now}); err != nil || late {
			t.Fatalf("a late event closes the pull request: %t, %v", late, err)
		}
		sub := store.Subject{RepoID: 1, Number: 2, HeadSHA: "aaa", PullUpdatedAt: now.Add(3 * time.Second)}
		if ok, err := q.Close(t.Context(), d, sub); err != nil || !ok {
			t.Fatalf("close: %t, %v", ok, err)
		}
		if r, err = st.Run(t.Context(), third[0].ID); err != nil || r.Status.Final() {
			t.Errorf("after its own delivery's closing the run is %s, %v", r.Status, err)
		}
		if ok, err := q.Close(t.Context(), closing, sub); err != nil || !ok {
			t.Fatalf("close: %t, %v", ok, err)
		}
		if r, err = st.Run(t.Context(), third[0].ID); err != nil || r.Status != review.StatusCancelled {
			t.Errorf("after closing the run is %s, %v", r.Status, err)
		}
	})
}

// TestTakeover holds that the work of a process that vanished is taken up by
// another one at once, not after River's hour.
func TestTakeover(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		began := make(chan string, 10)
		st := open(t, url)
		vanish, cancel := context.WithCancel(t.Context())
		dead, err := New(t.Context(), st, Config{Node: store.NewRunID()})
		if err != nil {
			t.Fatal(err)
		}
		if err := dead.Start(t.Context(), handler{run: func(_ context.Context, run string) error {
			began <- run
			<-vanish.Done() // the process hangs until the test ends
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cancel(); stop(t, dead) })
		run := pushed(t, dead, "g1", "aaa", time.Now())[0]
		receive(t, began, "the first try")
		// What a killed process leaves: no heartbeat, the job running, the lane held.
		dead.cfg.Node = store.NewRunID()
		if err := st.Leave(t.Context(), dead.cfg.Node); err != nil {
			t.Fatal(err)
		}
		if _, err := st.DB().ExecContext(t.Context(), `DELETE FROM nodes`); err != nil {
			t.Fatal(err)
		}
		start(t, st, handler{run: func(_ context.Context, run string) error {
			began <- run
			return nil
		}}, Config{})
		if got := receive(t, began, "the takeover"); got != run.ID {
			t.Errorf("run %s was taken over, want %s", got, run.ID)
		}
	})
}

// TestStop holds that stopping hands unfinished work back without burning an
// attempt.
func TestStop(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		began := make(chan struct{}, 10)
		st := open(t, url)
		blocking := handler{run: func(ctx context.Context, _ string) error {
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}
		q := start(t, st, blocking, Config{StopTimeout: 50 * time.Millisecond})
		pushed(t, q, "g1", "aaa", time.Now())
		receive(t, began, "the run")
		stop(t, q)
		var state string
		var attempt int
		if err := st.DB().QueryRowContext(t.Context(), `SELECT state, attempt FROM river_job WHERE kind = 'run'`).Scan(&state, &attempt); err != nil {
			t.Fatal(err)
		}
		if state != "available" || attempt != 0 {
			t.Errorf("after the stop the job is %s with %d attempts burnt, want available with none", state, attempt)
		}
		start(t, st, blocking, Config{StopTimeout: 50 * time.Millisecond})
		receive(t, began, "taking the run up after a restart")
	})
}

// TestOpenRace holds that a delivery that was found to be the latest does not
// open runs over a later one that was quicker.
func TestOpenRace(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		q := start(t, open(t, url), handler{}, Config{})
		pushed(t, q, "g1", "new", time.Now())
		d, err := q.store.DeliveryByGUID(t.Context(), "g1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = q.Open(t.Context(), Opening{Delivery: d, Subject: store.Subject{RepoID: 1, Number: 2, HeadSHA: "old"}})
		if fault.KindOf(err) != fault.Busy {
			t.Errorf("opening over a head that was not seen: %v, want Busy", err)
		}
		sub, _, err := q.store.Subject(t.Context(), 1, 2)
		if err != nil || sub.HeadSHA != "new" {
			t.Errorf("the head is now %q, %v", sub.HeadSHA, err)
		}
		// A late delivery about the same head does not turn the clock back.
		pushed(t, q, "g2", "new", sub.PullUpdatedAt.Add(-time.Hour))
		if late, _, err := q.store.Subject(t.Context(), 1, 2); err != nil || !late.PullUpdatedAt.Equal(sub.PullUpdatedAt) {
			t.Errorf("a late delivery moved the pull request from %v to %v, %v", sub.PullUpdatedAt, late.PullUpdatedAt, err)
		}
	})
}

func TestFull(t *testing.T) {
	st := open(t, filepath.Join(t.TempDir(), "assay.db"))
	q, err := New(t.Context(), st, Config{})
	if err != nil {
		t.Fatal(err)
	}
	// Nobody empties the queue: it was not started.
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range maxWaiting {
		wg.Go(func() { _, _ = q.Accept(ctx, store.Delivery{GUID: fmt.Sprint(i)}) })
	}
	for len(q.batch.in) < maxWaiting {
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the queue did not fill")
		}
	}
	if _, err := q.Accept(ctx, store.Delivery{GUID: "one more"}); !errors.Is(err, ErrFull) || fault.KindOf(err) != fault.Transient {
		t.Errorf("a full queue gives %v, want ErrFull", err)
	}
	cancel()
	wg.Wait()
	q.closeConn()
}
