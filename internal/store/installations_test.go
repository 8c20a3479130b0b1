package store

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func testInstallations(t *testing.T, s *Store) {
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Microsecond)
	note := func(status InstallationStatus, after time.Duration) InstallationStatus {
		t.Helper()
		if err := s.NoteInstallation(ctx, Installation{ID: 71, Account: "o", Status: status, UpdatedAt: at.Add(after)}); err != nil {
			t.Fatal(err)
		}
		in, ok, err := s.Installation(ctx, 71)
		if err != nil || !ok {
			t.Fatalf("installation known %t, %v", ok, err)
		}
		return in.Status
	}
	if _, ok, err := s.Installation(ctx, 71); ok || err != nil {
		t.Fatalf("an installation that nothing tells of is known, %v", err)
	}
	names := func() (list []string) {
		t.Helper()
		for _, r := range must1[[]Repository](t)(s.Repositories(ctx)) {
			list = append(list, fmt.Sprint(r.Installation, " ", r.Repo, " ", r.DefaultBranch))
		}
		return list
	}
	is := func(what string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, names()); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := review.Repo{ID: 711, Owner: "o", Name: "a", DefaultBranch: "main"}, review.Repo{ID: 712, Owner: "o", Name: "b"}
	must(s.SeeRepository(ctx, 71, a))
	is("seen before its installation is known", "71 o/a main")
	must(s.AddRepositories(ctx, 71, []review.Repo{{ID: 711, Owner: "o", Name: "a"}, b}))
	is("added, and the default branch is kept", "71 o/a main", "71 o/b ")
	a.Name = "z"
	must(s.SeeRepository(ctx, 71, a))
	is("renamed", "71 o/b ", "71 o/z main")
	must(s.DropRepositories(ctx, 72, []review.Repo{b}))
	is("dropped by another installation", "71 o/b ", "71 o/z main")
	must(s.DropRepositories(ctx, 71, []review.Repo{b}))
	must(s.SeeRepository(ctx, 71, b))
	is("dropped, and a late event does not bring it back", "71 o/z main")
	must(s.SeeRepository(ctx, 72, b))
	is("seen under another installation", "72 o/b ", "71 o/z main")

	if got := note(InstallationSuspended, 2*time.Second); got != InstallationSuspended {
		t.Errorf("suspended is %s", got)
	}
	is("suspended", "72 o/b ")
	if got := note(InstallationActive, time.Second); got != InstallationSuspended {
		t.Errorf("a late event makes it %s", got)
	}
	if got := note(InstallationActive, 3*time.Second); got != InstallationActive {
		t.Errorf("unsuspended is %s", got)
	}
	is("active again", "72 o/b ", "71 o/z main")
	note(InstallationDeleted, 0)
	if got := note(InstallationActive, time.Hour); got != InstallationDeleted {
		t.Errorf("a deleted installation became %s", got)
	}
	is("deleted", "72 o/b ")
}

func testDismissals(t *testing.T, s *Store) {
	at := time.Now().UTC().Truncate(time.Microsecond)
	first := Dismissal{RepoID: 72, Number: 3, Fingerprint: "aa", Who: "ada", Reason: "a test key", At: at}
	second := first
	second.Who = "bob"
	other := first
	other.Number, other.Reason = 4, "a\x00b\xff"
	for _, d := range []Dismissal{first, second, other} {
		if err := s.Dismiss(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	got := must1[map[string]Dismissal](t)(s.Dismissals(t.Context(), 72, 3))
	if d := cmp.Diff(map[string]Dismissal{"aa": first}, got); d != "" {
		t.Error(d)
	}
	if got := must1[map[string]Dismissal](t)(s.Dismissals(t.Context(), 72, 4)); got["aa"].Reason != "ab\uFFFD" {
		t.Errorf("reason %q", got["aa"].Reason)
	}
}

func runOf(installation, repo int64, number int, head string, attempt int) Run {
	return Run{Plan: []byte("{}"), Run: review.Run{
		ID: NewRunID(), Pipeline: "p", Attempt: attempt, Installation: installation, Repo: review.Repo{ID: repo, Owner: "o", Name: "n"},
		Pull: review.Pull{Number: number, HeadSHA: head}, Status: review.StatusQueued, QueuedAt: time.Now(),
	}}
}

func (s *Store) keepRun(t *testing.T, r Run) Run {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *sql.Tx) error {
		ok, err := s.InsertRun(t.Context(), tx, r)
		if err == nil && !ok {
			t.Error("the run is known")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return r
}

func testRefresh(t *testing.T, s *Store) {
	r := s.keepRun(t, runOf(73, 73, 0, "push", 1))
	refresh := func() (ok bool) {
		t.Helper()
		r.Plan, r.Pull.Title = []byte(`{"pipeline":"p"}`), "newer"
		if err := s.Write(t.Context(), func(tx *sql.Tx) (err error) {
			ok, err = s.RefreshRun(t.Context(), tx, r)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !refresh() {
		t.Error("a waiting run is not refreshed")
	}
	if got := must1[Run](t)(s.Run(t.Context(), r.ID)); got.Pull.Title != "newer" || string(got.Plan) != `{"pipeline":"p"}` || got.Judged {
		t.Errorf("refreshed: %+v", got)
	}
	must1[bool](t)(s.StartRun(t.Context(), r.ID))
	if refresh() {
		t.Error("a running run is refreshed")
	}
	if number := must1[int](t)(s.PullOfHead(t.Context(), 73, "push")); number != 0 {
		t.Errorf("a push counts as pull request %d", number)
	}
	judged := runOf(73, 73, 0, "push", 2)
	judged.Judged = true
	if got := must1[Run](t)(s.Run(t.Context(), s.keepRun(t, judged).ID)); !got.Judged {
		t.Error("a run inserted with its result is not judged")
	}
}

func testPurge(t *testing.T, s *Store) {
	ctx := t.Context()
	now := time.Now()
	var gone, waits, own, kept Delivery
	for i, d := range []*Delivery{&gone, &waits, &own, &kept} {
		*d = Delivery{GUID: fmt.Sprint("purge-", i), Event: "push", Installation: 74, RepoID: 74, ReceivedAt: now, Body: []byte(`{"secret":1}`)}
	}
	kept.Installation, kept.RepoID = 75, 75
	s.insertAll(t, &gone, &waits, &own, &kept)
	for i := range 7 {
		s.keepRun(t, runOf(74, 74, i, fmt.Sprint("h", i), 1))
		s.keepRun(t, runOf(75, 75, i, fmt.Sprint("h", i), 1))
		for _, repo := range []int64{74, 75} {
			if err := s.Dismiss(ctx, Dismissal{RepoID: repo, Number: i, Fingerprint: "f"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The repository 75 was 74's before it was transferred.
	old := s.keepRun(t, runOf(74, 75, 9, "before", 1))
	if err := s.Write(ctx, func(tx *sql.Tx) error {
		for _, repo := range []int64{74, 75} {
			for n := range 7 {
				if err := s.MoveSubject(ctx, tx, Subject{RepoID: repo, Number: n, HeadSHA: "h"}); err != nil {
					return err
				}
			}
		}
		return s.FinishDelivery(ctx, tx, gone.ID, DeliveryDone, "as it was")
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRepositories(ctx, 75, []review.Repo{{ID: 75, Owner: "o", Name: "kept"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it may be cut off and called again
		if err := s.Purge(ctx, 74, own.ID, 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		d      Delivery
		body   string
		status DeliveryStatus
	}{{gone, "{}", DeliveryDone}, {waits, "{}", DeliveryIgnored}, {own, `{"secret":1}`, DeliveryAccepted}, {kept, `{"secret":1}`, DeliveryAccepted}} {
		got := must1[Delivery](t)(s.Delivery(ctx, tt.d.ID))
		if string(got.Body) != tt.body || got.Status != tt.status {
			t.Errorf("delivery %s is %s with %s, want %s with %s", got.GUID, got.Status, got.Body, tt.status, tt.body)
		}
	}
	if _, err := s.Run(ctx, old.ID); err == nil {
		t.Error("a run of the installation in a repository that it does not have any more is kept")
	}
	for repo, want := range map[int64]int{74: 0, 75: 7} {
		for _, table := range []string{"runs", "subjects", "dismissals"} {
			var n int
			if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM `+table+` WHERE repo_id = $1`, repo).Scan(&n); err != nil || n != want {
				t.Errorf("%d rows of %s in repository %d, %v; want %d", n, table, repo, err, want)
			}
		}
	}
	// The tests after this one count what waits.
	if err := s.Purge(ctx, 75, 0, 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(ctx, func(tx *sql.Tx) error { return s.FinishDelivery(ctx, tx, own.ID, DeliveryDone, "") }); err != nil {
		t.Fatal(err)
	}
}
