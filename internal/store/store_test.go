package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/internal/fault"
	"assay/internal/pgtest"
	"assay/review"
)

// suite runs one conformance suite on both databases.
func suite(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, openTest(t, filepath.Join(t.TempDir(), "a db.sqlite")))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, openTest(t, pgtest.Start(t).Database(t)))
	})
}

func openTest(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must1[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *Store) insertAll(t *testing.T, ds ...*Delivery) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *sql.Tx) error { return s.InsertDeliveries(t.Context(), tx, ds) }); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	suite(t, func(t *testing.T, s *Store) {
		t.Run("deliveries", func(t *testing.T) { testDeliveries(t, s) })
		t.Run("concurrent copies", func(t *testing.T) { testCopies(t, s) })
		t.Run("newer head", func(t *testing.T) { testNewerHead(t, s) })
		t.Run("runs", func(t *testing.T) { testRuns(t, s) })
		t.Run("subjects", func(t *testing.T) { testSubjects(t, s) })
		t.Run("leases", func(t *testing.T) { testLeases(t, s) })
		t.Run("installations", func(t *testing.T) { testInstallations(t, s) })
		t.Run("dismissals", func(t *testing.T) { testDismissals(t, s) })
		t.Run("uploads", func(t *testing.T) { testUploads(t, s) })
		t.Run("refresh", func(t *testing.T) { testRefresh(t, s) })
		t.Run("purge", func(t *testing.T) { testPurge(t, s) })
		t.Run("lost deliveries", func(t *testing.T) { testLost(t, s) })
		t.Run("what waits", func(t *testing.T) { testWaiting(t, s) })
		t.Run("prune", func(t *testing.T) { testPrune(t, s) })
		t.Run("ping", func(t *testing.T) {
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

func testDeliveries(t *testing.T, s *Store) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	a := &Delivery{
		GUID: "g-1", ReplayKey: []byte("k1"), Event: "pull_request", Action: "opened", Installation: 7, RepoID: 1, Number: 3, HeadSHA: "aaa",
		PullUpdatedAt: now, ReceivedAt: now, Header: map[string]string{"X-GitHub-Event": "pull_request"}, Body: []byte("{\"a\":\"\x00\xff\"}"),
	}
	b := &Delivery{GUID: "g-2", Event: "ping", ReceivedAt: now, Body: []byte("{}")}
	twin := &Delivery{GUID: "g-2", Event: "ping", ReceivedAt: now, Body: []byte("{}")}
	s.insertAll(t, a, b, twin)
	if a.ID == 0 || b.ID == 0 || twin.ID != 0 {
		t.Fatalf("IDs %d, %d, %d: want two new deliveries and one known", a.ID, b.ID, twin.ID)
	}
	got := must1[Delivery](t)(s.Delivery(t.Context(), a.ID))
	want := *a
	want.Status, want.ReplayKey = DeliveryAccepted, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	replayed := &Delivery{GUID: "g-3", ReplayKey: []byte("k1"), Event: "pull_request", Body: a.Body}
	same := &Delivery{GUID: "g-1", ReplayKey: []byte("k1"), Event: "pull_request", Body: a.Body}
	repeatable := &Delivery{GUID: "g-4", Event: "check_run", Body: b.Body}
	s.insertAll(t, replayed, same, repeatable)
	if replayed.ID != 0 || same.ID != 0 || repeatable.ID == 0 {
		t.Errorf("IDs %d, %d, %d: want the same body and the same GUID known, and a body without a key new", replayed.ID, same.ID, repeatable.ID)
	}

	finish := func(status DeliveryStatus) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *sql.Tx) error {
			return s.FinishDelivery(t.Context(), tx, a.ID, status, "because")
		}); err != nil {
			t.Fatal(err)
		}
	}
	finish(DeliveryDead)
	again := &Delivery{GUID: "g-1", ReplayKey: []byte("k1"), Event: "pull_request", Body: a.Body}
	s.insertAll(t, again)
	if again.ID != a.ID {
		t.Errorf("a redelivery of a dead delivery got ID %d, want its old one %d", again.ID, a.ID)
	}
	finish(DeliveryDone)
	s.insertAll(t, again)
	if again.ID != 0 {
		t.Error("a redelivery of a finished delivery is new")
	}
	if _, err := s.Delivery(t.Context(), 999); fault.KindOf(err) != fault.Gone {
		t.Errorf("missing delivery: %v, want Gone", err)
	}
	if n := must1[map[DeliveryStatus]int](t)(s.CountDeliveries(t.Context())); n[DeliveryDone] != 1 {
		t.Errorf("counts %v, want one done", n)
	}
	list := must1[[]Delivery](t)(s.Deliveries(t.Context(), DeliveryDone, 10))
	if len(list) != 1 || list[0].GUID != "g-1" || list[0].Body != nil {
		t.Errorf("list %+v, want g-1 without its body", list)
	}
}

func testCopies(t *testing.T, s *Store) {
	var wg sync.WaitGroup
	fresh := make(chan int64, 200)
	for range 200 {
		wg.Go(func() {
			d := &Delivery{GUID: "copy", Event: "ping", Body: []byte("{}")}
			err := s.Write(t.Context(), func(tx *sql.Tx) error { return s.InsertDeliveries(t.Context(), tx, []*Delivery{d}) })
			if err != nil {
				t.Error(err)
			}
			if d.ID != 0 {
				fresh <- d.ID
			}
		})
	}
	wg.Wait()
	if len(fresh) != 1 {
		t.Errorf("%d of 200 copies are new, want 1", len(fresh))
	}
}

func testNewerHead(t *testing.T, s *Store) {
	base := time.Now()
	old := &Delivery{GUID: "h-1", Event: "pull_request", RepoID: 9, Number: 1, HeadSHA: "a", PullUpdatedAt: base}
	s.insertAll(t, old)
	check := func(want bool) {
		t.Helper()
		if got := must1[bool](t)(s.NewerHead(t.Context(), *old)); got != want {
			t.Errorf("newer head: %v, want %v", got, want)
		}
	}
	check(false)
	s.insertAll(t, &Delivery{GUID: "h-2", Event: "pull_request", RepoID: 9, Number: 1, HeadSHA: "a", PullUpdatedAt: base.Add(time.Second)})
	s.insertAll(t, &Delivery{GUID: "h-3", Event: "pull_request", RepoID: 9, Number: 2, HeadSHA: "b", PullUpdatedAt: base.Add(time.Second)})
	s.insertAll(t, &Delivery{GUID: "h-4", Event: "pull_request", RepoID: 9, Number: 1, HeadSHA: "b", PullUpdatedAt: base})
	check(false)
	s.insertAll(t, &Delivery{GUID: "h-5", Event: "pull_request", RepoID: 9, Number: 1, HeadSHA: "b", PullUpdatedAt: base.Add(time.Second)})
	check(true)
}

func newRun(repo int64, number int, head, pipeline string, attempt int) Run {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return Run{Plan: []byte(`{}`), Run: review.Run{
		ID: NewRunID(), Pipeline: pipeline, Attempt: attempt, Status: review.StatusQueued, QueuedAt: now,
		Repo: review.Repo{ID: repo, Owner: "o", Name: "n"}, Pull: review.Pull{Number: number, HeadSHA: head, Title: "t\x00"},
		Findings: []review.Finding{{Rule: "a/b", Severity: review.High}},
	}}
}

func (s *Store) insertRun(t *testing.T, r Run) bool {
	t.Helper()
	var ok bool
	err := s.Write(t.Context(), func(tx *sql.Tx) (err error) {
		ok, err = s.InsertRun(t.Context(), tx, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func testRuns(t *testing.T, s *Store) {
	ctx := t.Context()
	r := newRun(1, 5, "aaa", "review", 1)
	if !s.insertRun(t, r) || s.insertRun(t, newRun(1, 5, "aaa", "review", 1)) {
		t.Fatal("the same pipeline, head and attempt can be inserted twice, or not once")
	}
	got := must1[Run](t)(s.Run(ctx, r.ID))
	if d := cmp.Diff(r, got, cmpopts.IgnoreFields(Run{}, "Seq")); d != "" {
		t.Error(d)
	}
	for _, when := range []string{"at first", "after a crash"} {
		if !must1[bool](t)(s.StartRun(ctx, r.ID)) {
			t.Errorf("a run cannot be started %s", when)
		}
	}
	if err := s.NoteCheck(ctx, r.ID, 77, review.CheckInProgress); err != nil {
		t.Fatal(err)
	}
	r.Files = 3
	if !must1[bool](t)(s.SaveJudged(ctx, r.Run)) {
		t.Error("a running run's result is refused")
	}
	got = must1[Run](t)(s.Run(ctx, r.ID))
	if !got.Judged || got.Files != 3 || got.CheckID != 77 || got.CheckShows != review.CheckInProgress || got.Status != review.StatusRunning {
		t.Errorf("run %+v", got)
	}
	if !must1[bool](t)(s.FinishRun(ctx, r.ID, review.StatusSuperseded, "why")) || must1[bool](t)(s.FinishRun(ctx, r.ID, review.StatusDone, "")) {
		t.Error("a run can be finished twice, or not once")
	}
	if must1[bool](t)(s.SaveJudged(ctx, r.Run)) || must1[bool](t)(s.StartRun(ctx, r.ID)) {
		t.Error("a superseded run takes a result")
	}
	second, other := newRun(1, 5, "aaa", "review", 2), newRun(1, 5, "bbb", "review", 1)
	s.insertRun(t, second)
	s.insertRun(t, other)
	if list := must1[[]Run](t)(s.LatestOfPull(ctx, 1, 5, "aaa")); len(list) != 1 || list[0].ID != second.ID {
		t.Errorf("latest at the head: %v", list)
	}
	if list := must1[[]Run](t)(s.Attempts(ctx, 1, "aaa", "review")); len(list) != 2 || list[0].ID != r.ID {
		t.Errorf("attempts: %v", list)
	}
	if list := must1[[]Run](t)(s.Runs(ctx, review.StatusSuperseded, 5)); len(list) != 1 || list[0].Reason != "why" {
		t.Errorf("superseded runs: %v", list)
	}
	if n := must1[int](t)(s.PullOfHead(ctx, 1, "bbb")); n != 5 {
		t.Errorf("pull request of a head: %d", n)
	}
	if _, err := s.Run(ctx, "nope"); fault.KindOf(err) != fault.Gone {
		t.Errorf("missing run: %v, want Gone", err)
	}
	err := s.Write(ctx, func(tx *sql.Tx) error {
		active, err := s.ActiveTx(ctx, tx, 1, 5)
		if len(active) != 2 {
			t.Errorf("active runs: %v", active)
		}
		recent, err2 := s.OtherHeadSince(ctx, tx, other, time.Now().Add(-time.Minute))
		past, err3 := s.OtherHeadSince(ctx, tx, other, time.Now().Add(time.Minute))
		if !recent || past {
			t.Errorf("recent pushes: %v, %v", recent, past)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Error(err)
	}
}

func testSubjects(t *testing.T, s *Store) {
	ctx := t.Context()
	if _, ok, err := s.Subject(ctx, 4, 4); ok || err != nil {
		t.Fatalf("unknown subject: %v, %v", ok, err)
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	want := Subject{RepoID: 4, Number: 4, HeadSHA: "x", PullUpdatedAt: at}
	move := func() {
		t.Helper()
		if err := s.Write(ctx, func(tx *sql.Tx) error { return s.MoveSubject(ctx, tx, want) }); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		got, ok, err := s.Subject(ctx, 4, 4)
		if d := cmp.Diff(want, got); d != "" || !ok || err != nil {
			t.Error(d, ok, err)
		}
	}
	move()
	check()
	if err := s.NoteCommentPosting(ctx, 4, 4); err != nil {
		t.Fatal(err)
	}
	want.CommentPosting = true
	check()
	if err := s.NoteComment(ctx, 4, 4, 12); err != nil {
		t.Fatal(err)
	}
	want.CommentPosting, want.CommentID, want.HeadSHA, want.Closed = false, 12, "y", true
	move() // moving the head keeps the comment
	check()
}

func testLeases(t *testing.T, s *Store) {
	ctx := t.Context()
	a, b := NewRunID()+"/1", NewRunID()+"/2"
	take := must1[bool](t)
	if !take(s.Acquire(ctx, "lane", a, time.Minute)) || take(s.Acquire(ctx, "lane", b, time.Minute)) {
		t.Error("two hold one lease")
	}
	if !take(s.Acquire(ctx, "lane", a, -time.Second)) || !take(s.Acquire(ctx, "lane", b, time.Minute)) {
		t.Error("a lease that ran out is not free")
	}
	if err := s.Release(ctx, "lane", a); err != nil {
		t.Fatal(err)
	}
	if take(s.Acquire(ctx, "lane", a, time.Minute)) {
		t.Error("a lease was released by who does not hold it")
	}
	if err := s.Beat(ctx, b[:26]); err != nil {
		t.Fatal(err)
	}
	if s.Dialect() == Postgres {
		must1[int](t)(s.ReleaseDead(ctx, NewRunID(), time.Minute))
		if take(s.Acquire(ctx, "lane", a, time.Minute)) {
			t.Error("the lease of a live node was dropped")
		}
	}
	must1[int](t)(s.ReleaseDead(ctx, NewRunID(), -time.Minute))
	if !take(s.Acquire(ctx, "lane", a, time.Minute)) {
		t.Error("the lease of a dead node was kept")
	}
}

func testPrune(t *testing.T, s *Store) {
	long := time.Now().Add(-DeliveryRetention - time.Hour)
	done := &Delivery{GUID: "p-1", Event: "ping", ReceivedAt: long}
	open := &Delivery{GUID: "p-2", Event: "ping", ReceivedAt: long}
	s.insertAll(t, done, open)
	if err := s.Write(t.Context(), func(tx *sql.Tx) error {
		return s.FinishDelivery(t.Context(), tx, done.ID, DeliveryDone, "")
	}); err != nil {
		t.Fatal(err)
	}
	must1[int](t)(s.Prune(t.Context(), 10))
	if _, err := s.Delivery(t.Context(), done.ID); fault.KindOf(err) != fault.Gone {
		t.Errorf("an old finished delivery is still there: %v", err)
	}
	if _, err := s.Delivery(t.Context(), open.ID); err != nil {
		t.Errorf("an unfinished delivery was pruned: %v", err)
	}
}

func TestOneOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "assay.db")
	openTest(t, path)
	if _, err := Open(t.Context(), Config{URL: path}); !errors.Is(err, ErrInUse) {
		t.Errorf("second owner: %v, want ErrInUse", err)
	}
	shared, err := Open(t.Context(), Config{URL: "sqlite:" + path, Shared: true})
	if err != nil {
		t.Fatalf("shared open: %v", err)
	}
	if err := shared.Close(); err != nil {
		t.Error(err)
	}
}

// TestDurable holds the setting that promise 1 stands on: a commit is on the
// disk before it is answered. 2 is FULL.
func TestDurable(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "assay.db"))
	var synchronous int
	var journal string
	if err := s.write.QueryRow(`PRAGMA synchronous`).Scan(&synchronous); err != nil {
		t.Fatal(err)
	}
	if err := s.write.QueryRow(`PRAGMA journal_mode`).Scan(&journal); err != nil {
		t.Fatal(err)
	}
	if synchronous != 2 || journal != "wal" {
		t.Errorf("synchronous %d, journal %s: want 2 (FULL) and wal", synchronous, journal)
	}
}

// TestDiskFull fills the disk the portable way: by a limit on the file's pages.
func TestDiskFull(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "assay.db"))
	var pages int
	if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := range 200 {
		d := &Delivery{GUID: fmt.Sprint("full-", i), Event: "push", Header: map[string]string{"pad": strings.Repeat(NewRunID(), 100)}}
		err = s.Write(t.Context(), func(tx *sql.Tx) error { return s.InsertDeliveries(t.Context(), tx, []*Delivery{d}) })
		if err != nil {
			break
		}
	}
	if fault.KindOf(err) != fault.Transient {
		t.Errorf("a full disk gives %v, want a transient error", err)
	}
	if _, err := s.write.Exec(`PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(context.Background()); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestCompress(t *testing.T) {
	for _, body := range []string{"", "{}", `{"action":"opened","number":1,"pull_request":{"url":"https://api.github.com/repos/o/r/pulls/1"}}`, "\x00\xff"} {
		got, err := decompress(compress([]byte(body)))
		if err != nil || string(got) != body {
			t.Errorf("%q came back as %q, %v", body, got, err)
		}
	}
	if _, err := decompress([]byte("not zstd")); err == nil {
		t.Error("garbage is taken for a body")
	}
}
