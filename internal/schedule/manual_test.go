package schedule

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
	"assay/webhook"
)

// Accept stores a delivery as the queue does, without a job.
func (w *world) Accept(ctx context.Context, d store.Delivery) (bool, error) {
	return w.AcceptWith(ctx, d, func(*sql.Tx) (bool, error) { return true, nil })
}

func (w *world) InstallationOf(_ context.Context, owner, name string) (int64, review.Repo, error) {
	if name != "known" {
		return 0, review.Repo{}, fault.New(fault.Gone, errors.New("not installed"))
	}
	return 9, review.Repo{ID: 99, Owner: owner, Name: name, DefaultBranch: "trunk"}, nil
}

// opened stores a run of a delivery, or of none.
func (w *world) opened(guid, id, branch string) {
	w.t.Helper()
	r := store.Run{Plan: []byte("{}"), Run: review.Run{
		ID: id, Delivery: guid, Pipeline: "health", Attempt: 1, Status: review.StatusQueued, Repo: review.Repo{ID: 7}, Pull: review.Pull{HeadRef: branch, HeadSHA: id},
	}}
	if err := w.store.Write(w.t.Context(), func(tx *sql.Tx) error { _, err := w.store.InsertRun(w.t.Context(), tx, r); return err }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) finish(guid string, status store.DeliveryStatus, reason string) {
	w.t.Helper()
	d, err := w.store.DeliveryByGUID(w.t.Context(), guid)
	if err == nil {
		err = w.store.Write(w.t.Context(), func(tx *sql.Tx) error { return w.store.FinishDelivery(w.t.Context(), tx, d.ID, status, reason) })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestManual(t *testing.T) {
	w := newWorld(t)
	w.repo(7)
	m := &Manual{Finder: w, Store: w.store, Queue: w, Mark: map[string]string{"X-Mark": "1"}, Wait: time.Millisecond}
	ask := Request{Owner: "O", Name: "R7", Event: "manual.run", Asked: review.Asked{Number: 3, Pipeline: "health"}, Key: "12345678"}
	a, err := m.Run(t.Context(), ask)
	if err != nil || a.Delivery != "manual-12345678" || a.Status != store.DeliveryAccepted || len(a.Runs) != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	d, err := w.store.DeliveryByGUID(t.Context(), a.Delivery)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := webhook.Parse(d.Event, d.Body)
	if err != nil || ev.String() != "manual.run" || ev.Asked == nil || *ev.Asked != ask.Asked || ev.Repo.ID != 7 || ev.Installation != 1 {
		t.Errorf("the delivery reads as %+v, %v", ev, err)
	}

	w.opened(a.Delivery, "A", "f")
	w.finish(a.Delivery, store.DeliveryDone, "")
	m.Wait = time.Minute
	again, err := m.Run(t.Context(), ask)
	if err != nil || again.Delivery != a.Delivery || len(again.Runs) != 1 || again.Runs[0].ID != "A" {
		t.Errorf("with the same key: %+v, %v", again, err)
	}
	w.is("asked twice with one key", 1)
	ask.Pipeline = "review"
	if _, err := m.Run(t.Context(), ask); !errors.Is(err, ErrOtherRequest) {
		t.Errorf("with the same key for something else: %v", err)
	}
}

// TestManualInPlace holds that the answer names the run that is under way in the
// place of one that is not opened.
func TestManualInPlace(t *testing.T) {
	w := newWorld(t)
	w.repo(7)
	w.opened("other", "A", "main")
	w.opened("other", "B", "dev")
	m := &Manual{Finder: w, Store: w.store, Queue: w, Wait: time.Millisecond}
	for ref, want := range map[string]string{"": "A", "main": "A", "dev": "B", "none": ""} {
		ask := Request{Owner: "o", Name: "r7", Event: "manual.run", Asked: review.Asked{Ref: ref}, Key: "key-of-" + ref}
		m.Wait = time.Millisecond
		a, err := m.Run(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		w.finish(a.Delivery, store.DeliveryIgnored, "one is under way")
		m.Wait = time.Minute
		a, err = m.Run(t.Context(), ask)
		got := ""
		if len(a.Runs) == 1 {
			got = a.Runs[0].ID
		}
		if err != nil || got != want || a.Reason != "one is under way" {
			t.Errorf("on %q: %+v, %v; want the run %q", ref, a, err, want)
		}
	}
}

func TestManualUnknown(t *testing.T) {
	w := newWorld(t)
	m := &Manual{Finder: w, Store: w.store, Queue: w, Wait: time.Millisecond}
	if _, err := m.Run(t.Context(), Request{Owner: "o", Name: "none", Event: "manual.run"}); fault.KindOf(err) != fault.Gone {
		t.Errorf("a repository that the app does not reach: %v", err)
	}
	a, err := m.Run(t.Context(), Request{Owner: "o", Name: "known", Event: "manual.run"})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := w.store.DeliveryByGUID(t.Context(), a.Delivery); err != nil || d.RepoID != 99 || d.Installation != 9 {
		t.Errorf("a repository that no event has told of: %+v, %v", d, err)
	}
	w.lost = fault.New(fault.Transient, errors.New("disk full"))
	if _, err := m.Run(t.Context(), Request{Owner: "o", Name: "known", Event: "manual.run"}); fault.KindOf(err) != fault.Transient {
		t.Errorf("what cannot be stored: %v", err)
	}
}
