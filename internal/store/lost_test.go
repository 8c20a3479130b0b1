package store

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func testLost(t *testing.T, s *Store) {
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Microsecond).Add(-time.Hour)
	due := func() (guids []string) {
		t.Helper()
		for _, l := range must1[[]Lost](t)(s.LostDue(ctx, 10)) {
			guids = append(guids, l.GUID)
		}
		return guids
	}
	want := func(what string, guids ...string) {
		t.Helper()
		if d := cmp.Diff(guids, due()); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	save := func(scan Scan, oldest time.Time) {
		t.Helper()
		if err := s.SaveScan(ctx, scan, oldest); err != nil {
			t.Fatal(err)
		}
	}
	s.insertAll(t, &Delivery{GUID: "slow", Event: "pull_request", ReceivedAt: at, Body: []byte("{}")})
	lost := func(guid string, attempt int64, after time.Duration) Lost {
		return Lost{GUID: guid, AttemptID: attempt, FailedAt: at.Add(after)}
	}
	save(Scan{Name: "scan", Cursor: "c1", Lost: []Lost{lost("b", 2, time.Minute), lost("a", 1, 0), lost("slow", 3, 0), lost("c", 4, 2*time.Minute)}}, at)
	want("the oldest first, without the one that is known", "a", "b", "c")
	if c := must1[string](t)(s.Cursor(ctx, "scan")); c != "c1" {
		t.Errorf("cursor %q", c)
	}
	if c := must1[string](t)(s.Cursor(ctx, "another")); c != "" {
		t.Errorf("a cursor that was never set: %q", c)
	}

	if err := s.NoteAsk(ctx, "a", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want("one that was asked for waits", "b", "c")
	if err := s.NoteAsk(ctx, "a", time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	save(Scan{Name: "scan", Cursor: "c2", Lost: []Lost{lost("a", 9, time.Hour)}, Delivered: []string{"b"}}, at)
	got := must1[[]Lost](t)(s.LostDue(ctx, 1))
	if d := cmp.Diff([]Lost{{GUID: "a", AttemptID: 9, FailedAt: at, Asks: 2}}, got); d != "" {
		t.Errorf("another failed attempt at it: %s", d)
	}
	want("one that was delivered is forgotten", "a", "c")

	s.insertAll(t, &Delivery{GUID: "a", Event: "pull_request", ReceivedAt: at, Body: []byte("{}")})
	save(Scan{Name: "scan", Cursor: "c3", Delivered: []string{"a"}}, at)
	want("one that has come is not asked for", "c")
	if since, ok, err := s.LostSince(ctx, "a"); !since.Equal(at) || !ok || err != nil {
		t.Errorf("one that has come was lost since %v, %v, %v; want %v", since, ok, err, at)
	}
	if _, ok, err := s.LostSince(ctx, "slow"); ok || err != nil {
		t.Errorf("one that was slow counts as lost: %v, %v", ok, err)
	}
	if err := s.ForgetLost(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	want("one that cannot be had is forgotten")
	save(Scan{Name: "scan", Cursor: "c4"}, at.Add(time.Minute))
	if _, ok, err := s.LostSince(ctx, "a"); ok || err != nil {
		t.Errorf("one that is too old is kept: %v, %v", ok, err)
	}
	if err := s.SetCursor(ctx, "scan", "c5"); err != nil {
		t.Fatal(err)
	}
	if c := must1[string](t)(s.Cursor(ctx, "scan")); c != "c5" {
		t.Errorf("cursor %q", c)
	}
}

// testWaiting must be the only one with unfinished deliveries of pull requests
// and runs that are this old.
func testWaiting(t *testing.T, s *Store) {
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Microsecond).Add(-20 * 24 * time.Hour)
	waits := func(what string, want time.Time) {
		t.Helper()
		if got := must1[time.Time](t)(s.OldestUnfinished(ctx)); !got.Equal(want) {
			t.Errorf("%s: since %v, want %v", what, got, want)
		}
	}
	ping := &Delivery{GUID: "w-0", Event: "ping", ReceivedAt: at.Add(-time.Hour), Body: []byte("{}")}
	d := &Delivery{GUID: "w-1", Event: "pull_request", RepoID: 88, Number: 3, HeadSHA: "w", ReceivedAt: at.Add(-time.Minute), Body: []byte("{}")}
	s.insertAll(t, ping, d)
	r := newRun(88, 3, "w", "review", 1)
	r.QueuedAt = at
	s.insertRun(t, r)
	waits("a delivery", d.ReceivedAt)
	if !must1[bool](t)(s.Deciding(ctx, 88, 3)) || must1[bool](t)(s.Deciding(ctx, 88, 4)) {
		t.Error("a pull request with an unfinished delivery is not being decided on, or another one is")
	}
	if err := s.Write(ctx, func(tx *sql.Tx) error { return s.FinishDelivery(ctx, tx, d.ID, DeliveryDone, "") }); err != nil {
		t.Fatal(err)
	}
	if must1[bool](t)(s.Deciding(ctx, 88, 3)) {
		t.Error("a finished delivery is being decided on")
	}
	waits("a run", at)
	must1[bool](t)(s.FinishRun(ctx, r.ID, review.StatusDone, ""))
	if got := must1[time.Time](t)(s.OldestUnfinished(ctx)); got.Equal(at) {
		t.Error("a finished run waits")
	}
}
