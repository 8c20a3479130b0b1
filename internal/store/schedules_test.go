package store

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// TestSchedules holds what is kept of schedules, on both databases.
func TestSchedules(t *testing.T) { suite(t, testSchedules) }

func testSchedules(t *testing.T, s *Store) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	past, future := now.Add(-time.Hour), now.Add(time.Hour)
	repo := review.Repo{ID: 811, Owner: "Oct", Name: "Shop", DefaultBranch: "main"}
	other := review.Repo{ID: 812, Owner: "oct", Name: ".github"}
	must(s.AddRepositories(ctx, 81, []review.Repo{repo, other}))

	unread := func() map[int64]Unread {
		t.Helper()
		byID := make(map[int64]Unread)
		for _, u := range must1[[]Unread](t)(s.UnreadSchedules(ctx, 100)) {
			byID[u.ID] = u
		}
		return byID
	}
	due := func() (names []string) {
		t.Helper()
		for _, d := range must1[[]Due](t)(s.DueSchedules(ctx, 100)) {
			names = append(names, fmt.Sprint(d.Installation, " ", d.Repo, " ", d.Schedule.Name, " ", d.Spec, " ", d.NextAt.Equal(past)))
		}
		return names
	}
	is := func(what string, got []string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	first := unread()
	if len(first) != 2 || first[811].Repo != repo {
		t.Fatalf("new repositories to be read are %+v", first)
	}
	must(s.SetSchedules(ctx, first[811], []Schedule{{"daily", "daily", past}, {"late", "0 6 * * *", future}}, future))
	is("due", due(), "81 Oct/Shop daily daily true")
	if got := unread(); len(got) != 1 || got[812].ID != 812 {
		t.Errorf("left to be read is %+v", got)
	}

	// A push while the config is read: what was read counts, and it is read anew.
	must(s.ReadSchedulesAt(ctx, 811, past))
	seen := unread()[811]
	must(s.ReadSchedulesAt(ctx, 811, past.Add(time.Second)))
	must(s.SetSchedules(ctx, seen, []Schedule{{"daily", "daily", future}, {"late", "0 7 * * *", past}}, future))
	is("the same spec keeps its time, another does not", due(), "81 Oct/Shop daily daily true", "81 Oct/Shop late 0 7 * * * true")
	if _, ok := unread()[811]; !ok {
		t.Error("a push during the reading is forgotten")
	}
	must(s.PutOffSchedules(ctx, unread()[811], future))
	if _, ok := unread()[811]; ok {
		t.Error("what was put off is to be read")
	}
	must(s.ReadSchedulesOfOwnerAt(ctx, "OCT", past))
	if got := unread(); len(got) != 2 {
		t.Errorf("of the owner are to be read %+v", got)
	}

	// Moving a schedule on: once, and not at all when the transaction fails.
	d := must1[[]Due](t)(s.DueSchedules(ctx, 1))[0]
	move := func(end error) (moved bool) {
		err := s.Write(ctx, func(tx *sql.Tx) (err error) {
			if moved, err = s.MoveSchedule(ctx, tx, d, future); err != nil {
				return err
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		return moved
	}
	failed := errors.New("cut off")
	if !move(failed) || !move(nil) || move(nil) {
		t.Error("a schedule is moved on once")
	}
	is("after one was moved on", due(), "81 Oct/Shop late 0 7 * * * true")

	// Suspended, active again, taken away, and added again.
	note := func(status InstallationStatus, at time.Time) {
		t.Helper()
		must(s.NoteInstallation(ctx, Installation{ID: 81, Account: "oct", Status: status, UpdatedAt: at}))
	}
	note(InstallationSuspended, past)
	is("suspended", due())
	if got := unread(); len(got) != 0 {
		t.Errorf("of a suspended installation are to be read %+v", got)
	}
	if _, ok, err := s.RepositoryNamed(ctx, "oct", "shop"); ok || err != nil {
		t.Errorf("of a suspended installation is found %t, %v", ok, err)
	}
	note(InstallationActive, now)
	is("active again", due(), "81 Oct/Shop late 0 7 * * * true")
	if r, ok, err := s.RepositoryNamed(ctx, "oct", "sHOP"); !ok || err != nil || r.Repo != repo || r.Installation != 81 {
		t.Errorf("found by its name is %+v, %t, %v", r, ok, err)
	}
	must(s.DropRepositories(ctx, 82, []review.Repo{repo}))
	is("dropped by another installation", due(), "81 Oct/Shop late 0 7 * * * true")
	must(s.DropRepositories(ctx, 81, []review.Repo{repo}))
	must(s.AddRepositories(ctx, 81, []review.Repo{repo}))
	is("added again", due())
	if _, ok := unread()[811]; !ok {
		t.Error("a repository that was added again is not read")
	}
	must(s.SetSchedules(ctx, unread()[811], []Schedule{{"daily", "daily", past}}, future))
	must(s.Purge(ctx, 81, 0, 1))
	var left int
	must(s.DB().QueryRowContext(ctx, `SELECT count(*) FROM schedules`).Scan(&left))
	if left != 0 {
		t.Errorf("%d schedules are left after the purge", left)
	}
}

// TestNoteTrouble holds that what a delivery waits for is shown while it waits.
func TestNoteTrouble(t *testing.T) {
	suite(t, func(t *testing.T, s *Store) {
		d := &Delivery{GUID: "g", Event: "push", ReceivedAt: time.Now(), Body: []byte("{}")}
		s.insertAll(t, d)
		for _, want := range []string{"GitHub is down", "still"} {
			if err := s.NoteTrouble(t.Context(), d.ID, want+"\nstack"); err != nil {
				t.Fatal(err)
			}
			if got := must1[[]Delivery](t)(s.Deliveries(t.Context(), DeliveryAccepted, 5)); len(got) != 1 || got[0].Reason != want {
				t.Errorf("%+v", got)
			}
		}
		if err := s.Write(t.Context(), func(tx *sql.Tx) error { return s.FinishDelivery(t.Context(), tx, d.ID, DeliveryDone, "") }); err != nil {
			t.Fatal(err)
		}
		if err := s.NoteTrouble(t.Context(), d.ID, "late"); err != nil {
			t.Fatal(err)
		}
		if got := must1[Delivery](t)(s.Delivery(t.Context(), d.ID)); got.Reason != "" {
			t.Errorf("a finished delivery is told %q", got.Reason)
		}
	})
}
