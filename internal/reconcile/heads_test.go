package reconcile

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/store"
	"assay/review"
	"assay/webhook"
)

func sha(c string) string { return strings.Repeat(c, 40) }

func (w *world) addRepo(installation, id int64) review.Repo {
	repo := review.Repo{ID: id, Owner: "octo", Name: fmt.Sprint("r", id), DefaultBranch: "main"}
	w.repos[installation] = append(w.repos[installation], repo)
	return repo
}

func (w *world) addPull(repo review.Repo, number int, head string, age time.Duration) *ghapp.OpenPull {
	w.pulls[repo.ID] = append(w.pulls[repo.ID], ghapp.OpenPull{UpdatedAt: time.Now().Add(-age).UTC(), Pull: review.Pull{
		Number: number, Title: "T", Author: review.Actor{Login: "mona"}, BaseRef: "main", BaseSHA: sha("0"), HeadRef: "topic", HeadSHA: head,
	}})
	return &w.pulls[repo.ID][len(w.pulls[repo.ID])-1]
}

// know notes what the store knows of a pull request: its head, and a run of it
// with the status, if any.
func (w *world) know(repo review.Repo, sub store.Subject, pull review.Pull, statuses ...review.Status) {
	w.t.Helper()
	ctx := w.t.Context()
	sub.RepoID, sub.Number = repo.ID, pull.Number
	err := w.store.Write(ctx, func(tx *sql.Tx) error {
		for i, status := range statuses {
			run := store.Run{Plan: []byte("{}"), Run: review.Run{
				ID: store.NewRunID(), Pipeline: "review", Attempt: i + 1, Status: status, Repo: repo, Pull: pull, QueuedAt: time.Now(),
			}}
			if _, err := w.store.InsertRun(ctx, tx, run); err != nil {
				return err
			}
		}
		return w.store.MoveSubject(ctx, tx, sub)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestMissing holds which open heads count as missed, and as what.
func TestMissing(t *testing.T) {
	at := func(head string, closed bool) *store.Subject {
		return &store.Subject{HeadSHA: head, Closed: closed, PullUpdatedAt: time.Unix(0, 0)}
	}
	other := func(p *review.Pull) { p.BaseRef = "old" }
	draft := func(p *review.Pull) { p.Draft = true }
	tests := []struct {
		name     string
		known    *store.Subject
		statuses []review.Status
		before   func(*review.Pull) // as the run has it
		want     string
	}{
		{"never heard of", nil, nil, nil, "opened"},
		{"pushed to", at(sha("b"), false), nil, nil, "synchronize"},
		{"closed, as far as is known", at(sha("a"), true), []review.Status{review.StatusCancelled}, nil, "reopened"},
		{"reviewed", at(sha("a"), false), []review.Status{review.StatusDone}, nil, ""},
		{"under review", at(sha("a"), false), []review.Status{review.StatusRunning}, nil, ""},
		{"given up, and shown as such", at(sha("a"), false), []review.Status{review.StatusDead}, nil, ""},
		{"filtered", at(sha("a"), false), []review.Status{review.StatusSkipped}, nil, ""},
		{"a draft once", at(sha("a"), false), []review.Status{review.StatusSkipped}, draft, "ready_for_review"},
		{"for another base", at(sha("a"), false), []review.Status{review.StatusDone}, other, "edited"},
		{"nothing listens to it", at(sha("a"), false), nil, nil, ""},
		{"superseded, and the head again", at(sha("a"), false), []review.Status{review.StatusSuperseded}, nil, "synchronize"},
		{"superseded, and run again", at(sha("a"), false), []review.Status{review.StatusSuperseded, review.StatusDone}, nil, ""},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.installations = []ghapp.Installation{{ID: 7}}
		for i, tt := range tests {
			repo := w.addRepo(7, int64(i+1))
			pull := w.addPull(repo, 5, sha("a"), time.Hour)
			if tt.known != nil {
				before := pull.Pull
				if tt.before != nil {
					tt.before(&before)
				}
				w.know(repo, *tt.known, before, tt.statuses...)
			}
		}
		w.sweep()
		w.sweep() // does nothing more
		got := make(map[int64]string)
		for _, d := range w.line.accepted {
			got[d.RepoID] += d.Action
		}
		for _, d := range w.line.accepted {
			if ev, err := webhook.Parse(d.Event, d.Body); err != nil || ev.Retargeted != (d.Action == "edited") {
				t.Errorf("%s is read as retargeted %v, %v", d.Action, ev.Retargeted, err)
			}
		}
		for i, tt := range tests {
			if got := got[int64(i+1)]; got != tt.want {
				t.Errorf("%s: opened as %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

// TestPayload holds that what is made up is read as what it stands for.
func TestPayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.installations = []ghapp.Installation{{ID: 7}}
		repo := w.addRepo(7, 1)
		repo.Private = true
		w.repos[7][0] = repo
		for i, change := range []func(*review.Pull){
			func(*review.Pull) {},
			func(p *review.Pull) { p.Fork, p.Author.Bot, p.Body = true, true, "<b>\"é\u2028\"</b>" },
			func(p *review.Pull) { p.Draft, p.Labels = true, []string{"wip", "skip-review"} },
		} {
			change(&w.addPull(repo, i+1, sha("a"), time.Hour+time.Duration(i)).Pull)
		}
		w.sweep()
		if len(w.line.accepted) != 3 {
			t.Fatalf("%d deliveries", len(w.line.accepted))
		}
		for i, d := range w.line.accepted {
			got, err := webhook.Parse(d.Event, d.Body)
			if err != nil {
				t.Fatal(err)
			}
			pull := w.pulls[1][i]
			want := review.Event{
				Name: "pull_request", Action: "opened", Installation: 7, Repo: repo, Sender: pull.Author,
				Pull: &pull.Pull, PullUpdatedAt: pull.UpdatedAt.Truncate(time.Second),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if d.HeadSHA != pull.HeadSHA || d.RepoID != 1 || d.Number != i+1 || d.Installation != 7 || d.Header["X-Mark"] != "yes" || !strings.HasPrefix(d.GUID, "reconcile-") || len(d.GUID) > 64 {
				t.Errorf("delivery %+v", d)
			}
		}
	})
}

// TestOneAtATime holds that a head is left alone while its webhook may be under
// way, while a delivery of it waits, and when another node has opened it.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.installations = []ghapp.Installation{{ID: 7}}
		repo := w.addRepo(7, 1)
		w.addPull(repo, 1, sha("a"), 0)
		w.addPull(repo, 2, sha("b"), time.Hour)
		if _, err := w.line.Accept(t.Context(), store.Delivery{GUID: "real", Event: "pull_request", RepoID: 1, Number: 2, HeadSHA: sha("b")}); err != nil {
			t.Fatal(err)
		}
		w.sweep()
		if len(w.line.accepted) != 1 {
			t.Errorf("opened %+v, though one is fresh and the other one is being decided on", w.line.accepted[1:])
		}
		time.Sleep(maxGrace)
		w.sweep()
		if len(w.line.accepted) != 2 || w.line.accepted[1].Number != 1 {
			t.Fatalf("opened %+v, want the one that is not fresh any more", w.line.accepted[1:])
		}
		// Its work has come to nothing: it is not begun again with each sweep.
		if _, err := w.store.DB().ExecContext(t.Context(), `UPDATE deliveries SET status = 'dead'`); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for time.Since(start) < 150*time.Minute {
			time.Sleep(defaultInterval)
			w.sweep()
			if _, err := w.store.DB().ExecContext(t.Context(), `UPDATE deliveries SET status = 'dead'`); err != nil {
				t.Fatal(err)
			}
		}
		first := 0
		for _, d := range w.line.accepted[2:] {
			if d.Number == 1 {
				first++
			}
		}
		if first < 2 || first > 3 {
			t.Errorf("a head whose decision dies was tried %d times in two and a half hours, want one an hour", first)
		}
	})
}

// TestTurns holds that one node sweeps at a time, and that another one takes
// over when it stops.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		other := w.reconciler()
		w.sweep()
		time.Sleep(defaultInterval)
		if err := other.Sweep(t.Context()); err != nil || w.count("Deliveries") != 1 {
			t.Errorf("another node swept between two sweeps: %v", err)
		}
		time.Sleep(time.Second)
		w.sweep()
		if w.count("Deliveries") != 2 {
			t.Error("the node lost its turn to itself")
		}
		w.r.Start(t.Context())
		if err := w.r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := other.Sweep(t.Context()); err != nil || w.count("Deliveries") != 3 {
			t.Errorf("nobody took over: %v", err)
		}
		// A node that takes longer than its turn lasts keeps it by renewing it.
		w.fail = func(string, int64) error { time.Sleep(4 * time.Minute); return nil }
		w.installations = []ghapp.Installation{{ID: 7}}
		for id := range int64(5) {
			w.addRepo(7, id+1)
		}
		done := make(chan error)
		go func() { done <- other.Sweep(t.Context()) }()
		time.Sleep(20 * time.Minute)
		w.sweep()
		if n := w.count("Installations"); n != 4 {
			t.Errorf("%d sweeps, want 4: the one under way was not respected", n)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestWalk holds that a sweep looks at a bounded number of repositories, that
// the next goes on where it ended, and that none is left out.
func TestWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		const repos = 2*maxLists + 50
		w.installations = []ghapp.Installation{{ID: 9}, {ID: 8, Suspended: true}, {ID: 7}}
		for i := range int64(repos) {
			w.addRepo(7+2*(i%2), repos-i)
		}
		for i := 1; i <= 2; i++ {
			w.sweep()
			if n := w.count("OpenPulls") + w.count("Repositories"); n > i*maxLists+i {
				t.Fatalf("%d lists read by %d sweeps", n, i)
			}
		}
		w.sweep()
		seen := make(map[string]int)
		for _, c := range w.calls {
			if strings.HasPrefix(c, "OpenPulls") {
				seen[c]++
			}
		}
		for c, n := range seen {
			if n != 1 {
				t.Errorf("%s: %d times", c, n)
			}
		}
		if len(seen) != repos {
			t.Errorf("%d repositories looked at, want %d", len(seen), repos)
		}
		state, err := load[walk](t.Context(), w.r, walkName)
		if err != nil || state.Since.IsZero() || state.Installation != 0 {
			t.Errorf("after the walk: %+v, %v", state, err)
		}
		if w.count("Repositories 8") != 0 {
			t.Error("a suspended installation was looked at")
		}
	})
}

// TestBoundedOpenings holds that a flood of open heads is spread over sweeps.
func TestBoundedOpenings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.installations = []ghapp.Installation{{ID: 7}}
		first, second := w.addRepo(7, 1), w.addRepo(7, 2)
		for i := range maxOpened + 20 {
			w.addPull(first, i+1, sha("a"), time.Hour)
			w.addPull(second, i+1, sha("b"), time.Hour)
		}
		w.addPull(second, 999, sha("c"), 4*24*time.Hour) // nobody has touched it for days
		for _, want := range []int{maxOpened, 2 * maxOpened, 2*maxOpened + 40, 2*maxOpened + 40} {
			w.sweep()
			if n := len(w.line.accepted); n != want {
				t.Errorf("%d heads opened, want %d", n, want)
			}
		}
	})
}

// TestAfterLongSilence holds that heads are found that were pushed while
// nobody looked, however long that was.
func TestAfterLongSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.installations = []ghapp.Installation{{ID: 7}}
		repo := w.addRepo(7, 1)
		start := time.Now().UTC()
		w.sweep()
		time.Sleep(time.Hour)
		w.addPull(repo, 1, sha("a"), 0)
		time.Sleep(10 * 24 * time.Hour)
		w.sweep()
		if len(w.line.accepted) != 1 {
			t.Errorf("%d heads opened, want 1", len(w.line.accepted))
		}
		if d := cmp.Diff([]time.Time{start.Add(-window), start.Add(-overlap)}, w.since); d != "" {
			t.Errorf("looked back to: %s", d)
		}
	})
}

// TestWalkFaults holds how far an error of one repository reaches.
func TestWalkFaults(t *testing.T) {
	tests := []struct {
		name    string
		at      string
		err     error
		opened  int // of six heads, two in each of three installations
		wantErr bool
		partial bool
	}{
		{"no permission", "OpenPulls 71", fault.New(fault.Unauthorized, errOther), 5, false, false},
		{"deleted", "OpenPulls 71", fault.New(fault.Gone, errOther), 5, false, false},
		{"uninstalled", "Repositories 7", fault.New(fault.Gone, errOther), 4, false, false},
		{"rate limited", "OpenPulls 71", fault.Until(fault.RateLimited, time.Now().Add(time.Hour), errOther), 4, false, true},
		{"outage of one", "OpenPulls 71", fault.New(fault.Transient, errOther), 5, false, true},
		{"outage of all", "OpenPulls", fault.New(fault.Transient, errOther), 0, false, true},
		{"breaker open", "OpenPulls 81", fault.New(fault.Busy, errOther), 2, true, true},
		{"no list of installations", "Installations", fault.New(fault.Transient, errOther), 0, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				for _, in := range []int64{7, 8, 9} {
					w.installations = append(w.installations, ghapp.Installation{ID: in})
					for i := range int64(2) {
						w.addPull(w.addRepo(in, 10*in+1+i), 1, sha("a"), time.Hour)
					}
				}
				w.fail = func(call string, id int64) error {
					if strings.HasPrefix(fmt.Sprint(call, " ", id), tt.at) {
						return tt.err
					}
					return nil
				}
				if err := w.r.Sweep(t.Context()); (err != nil) != tt.wantErr {
					t.Errorf("sweep: %v", err)
				}
				if n := len(w.line.accepted); n != tt.opened {
					t.Errorf("%d heads opened, want %d", n, tt.opened)
				}
				if n := w.count("OpenPulls"); tt.opened == 0 && n > maxTrouble {
					t.Errorf("asked %d times during an outage", n)
				}
				state, err := load[walk](t.Context(), w.r, walkName)
				if err != nil || state.Since.IsZero() != tt.partial {
					t.Errorf("the walk counts as %+v, %v", state, err)
				}
				w.fail = nil
				w.sweep()
				w.sweep()
				if n := len(w.line.accepted); n != 6 {
					t.Errorf("in the end %d heads are open, want 6", n)
				}
			})
		})
	}
}

// TestReviewGap follows a head that was missed from being found to its end.
func TestReviewGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		gap := func(what string, want time.Duration) {
			t.Helper()
			if got, err := w.r.ReviewGap(t.Context()); err != nil || got.Round(time.Second) != want {
				t.Errorf("%s: gap %s, %v; want %s", what, got, err, want)
			}
		}
		gap("nothing is known", 0)
		w.installations = []ghapp.Installation{{ID: 7}}
		repo := w.addRepo(7, 1)
		pull := w.addPull(repo, 1, sha("a"), 14*time.Minute)
		gap("nobody has looked yet", 0)
		w.sweep()
		wait := time.Since(pull.UpdatedAt).Round(time.Second)
		gap("found, and waiting to be decided on", wait)
		w.know(repo, store.Subject{HeadSHA: sha("a"), PullUpdatedAt: pull.UpdatedAt}, pull.Pull, review.StatusRunning)
		if _, err := w.store.DB().ExecContext(t.Context(), `UPDATE deliveries SET status = 'done'`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		gap("under review", wait+time.Minute)
		if _, err := w.store.DB().ExecContext(t.Context(), `UPDATE runs SET status = 'done'`); err != nil {
			t.Fatal(err)
		}
		gap("reviewed", 0)
		w.take("fresh")
		if _, err := w.store.DB().ExecContext(t.Context(), `UPDATE deliveries SET number = 3 WHERE guid = 'fresh'`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		gap("a delivery that waits", 10*time.Second)
		// A repository that is out of reach counts no more.
		pull.HeadSHA = sha("b")
		w.sweep()
		gap("another head", time.Since(pull.UpdatedAt).Round(time.Second))
		w.repos[7] = nil
		w.sweep()
		gap("the repository is gone", 10*time.Second+time.Since(time.Now()))
	})
}

// TestLoop holds that sweeps come soon after the start and then at the interval,
// or when a limit ends.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		start := time.Now()
		var at []time.Duration
		w.fail = func(call string, _ int64) error {
			if call != "Deliveries" {
				return nil
			}
			at = append(at, time.Since(start).Round(time.Second))
			if len(at) == 2 {
				return fault.Until(fault.RateLimited, time.Now().Add(20*time.Minute), errOther)
			}
			return nil
		}
		w.r.Start(t.Context())
		time.Sleep(31 * time.Minute)
		if err := w.r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		want := []time.Duration{10 * time.Second, 5*time.Minute + 10*time.Second, 25*time.Minute + 10*time.Second, 30*time.Minute + 10*time.Second}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("swept at: %s", d)
		}
	})
}
