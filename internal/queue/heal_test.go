package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
)

// waiting makes runs that wait for a dependency, each of a pull request of its
// own.
func waitingRuns(t *testing.T, q *Queue, n int, at time.Time, dependencies ...string) []store.Run {
	t.Helper()
	var runs []store.Run
	for i := range n {
		head := fmt.Sprintf("%s-%d", dependencies[0], i)
		d := store.Delivery{GUID: "of " + head, Event: "pull_request", RepoID: 1, Number: 100 + i}
		if !accept(t, q, d) {
			t.Fatal("not fresh")
		}
		r := store.Run{Plan: []byte("{}"), Run: review.Run{
			ID: store.NewRunID(), Pipeline: dependencies[0], Delivery: d.GUID, Repo: review.Repo{ID: 1}, Pull: review.Pull{Number: 100 + i, HeadSHA: head}, Status: review.StatusQueued, QueuedAt: time.Now(),
		}}
		sub := store.Subject{RepoID: 1, Number: 100 + i, HeadSHA: head, PullUpdatedAt: time.Now()}
		seen, _, err := q.store.Subject(t.Context(), 1, 100+i)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := q.Open(t.Context(), Opening{Delivery: d, Subject: sub, Seen: seen, Runs: []store.Run{r}})
		if err != nil || len(opened) != 1 {
			t.Fatalf("opened %d, %v", len(opened), err)
		}
		ok, err := q.End(t.Context(), opened[0], &store.Heal{Dependencies: dependencies, NextTry: at, GiveUp: at.Add(time.Hour)})
		if err != nil || !ok {
			t.Fatalf("end: %v, %v", ok, err)
		}
		runs = append(runs, opened[0])
	}
	return runs
}

// TestWake holds that runs which wait for hours are tried as soon as what they
// wait for is back, by whichever process is there, and others are not.
func TestWake(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		healed := make(chan string, 100)
		h := handler{heal: func(_ context.Context, run string) error { healed <- run; return nil }}
		st := open(t, url)
		idle, err := New(t.Context(), st, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := idle.Start(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stop(t, idle) })
		later := time.Now().Add(5 * time.Hour)

		// Those that wait when a process starts are tried once: nobody knows
		// what came back before.
		first := waitingRuns(t, idle, 2, later, "old")
		q := start(t, st, h, Config{})
		var got []string
		for range first {
			got = append(got, receive(t, healed, "a try after the start"))
		}
		for _, r := range first {
			if !slices.Contains(got, r.ID) {
				t.Errorf("run %s was not tried", r.ID)
			}
		}

		mine := waitingRuns(t, idle, 5, later, "openai", "anthropic")
		others := waitingRuns(t, idle, 2, later, "gemini")
		if n, err := q.Wake(t.Context(), "openai"); err != nil || n != len(mine) {
			t.Errorf("woke %d, %v; want %d", n, err, len(mine))
		}
		got = nil
		for range mine {
			got = append(got, receive(t, healed, "a try after the dependency is back"))
		}
		for _, r := range mine {
			if !slices.Contains(got, r.ID) {
				t.Errorf("run %s was not woken", r.ID)
			}
		}
		q.Recovered(t.Context(), "gemini")
		for range others {
			receive(t, healed, "a try after another run found the dependency back")
		}
		if len(healed) > 0 {
			t.Errorf("%d tries too many", len(healed))
		}
		if b, err := st.Backlog(t.Context()); err != nil || b.Awaiting != len(first)+len(mine)+len(others) || b.Oldest > time.Minute {
			t.Errorf("what waits for others counts as backlog: %+v, %v", b, err)
		}
	})
}

// TestWakeDuringTry holds that a dependency which comes back while a try is
// under way, which has failed by then, is not missed.
func TestWakeDuringTry(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		q := start(t, st, nil, Config{})
		ctx := t.Context()
		later := time.Now().Add(5 * time.Hour).UTC().Truncate(time.Microsecond)
		r := waitingRuns(t, q, 1, later, "openai")[0]
		h, ok, err := st.Heal(ctx, r.ID)
		if err != nil || !ok || !h.NextTry.Equal(later) || fmt.Sprint(h.Dependencies) != "[openai]" {
			t.Fatalf("remembered %+v, %v, %v", h, ok, err)
		}
		h.Tries, h.NextTry = 7, later
		if next, ok, err := q.Healed(ctx, r.Run, h); err != nil || !ok || !next.Equal(later) {
			t.Errorf("put off until %s, %v, %v; want %s", next, ok, err, later)
		}
		if _, err := q.Wake(ctx, "openai"); err != nil {
			t.Fatal(err)
		}
		next, err := q.PutOff(ctx, h)
		if err != nil || next.After(time.Now().Add(time.Minute)) {
			t.Errorf("put off until %s, %v: the dependency that came back meanwhile was missed", next, err)
		}
		// A push: the result is not kept any more.
		if _, err := st.DB().ExecContext(ctx, `UPDATE subjects SET head_sha = 'other'`); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := q.Healed(ctx, r.Run, h); ok || err != nil {
			t.Errorf("the result of an overtaken run was kept: %v, %v", ok, err)
		}
		if err := q.Forget(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := st.Heal(ctx, r.ID); ok || err != nil {
			t.Errorf("remembered still: %v, %v", ok, err)
		}
	})
}

// TestHealSurvives holds that a run which waits keeps its job, over failures and
// restarts, and gets one again when it has lost it.
func TestHealSurvives(t *testing.T) {
	suite(t, func(t *testing.T, url string) {
		st := open(t, url)
		tries := make(chan string, 100)
		answer := fault.Until(fault.Busy, time.Now().Add(time.Hour), errors.New("still down"))
		h := handler{heal: func(_ context.Context, run string) error { tries <- run; return answer }}
		q := start(t, st, h, Config{})
		r := waitingRuns(t, q, 1, time.Now().Add(-time.Second), "openai")[0]
		if got := receive(t, tries, "the first try"); got != r.ID {
			t.Errorf("tried %s", got)
		}
		stop(t, q)
		q = start(t, st, h, Config{}) // which tries once
		receive(t, tries, "a try after the restart")
		stop(t, q)
		if _, err := st.DB().ExecContext(t.Context(), `DELETE FROM river_job`); err != nil {
			t.Fatal(err)
		}
		q = start(t, st, h, Config{})
		if n, err := q.Revive(t.Context(), time.Now().Add(-time.Hour)); err != nil || n < 1 {
			t.Errorf("revived %d, %v", n, err)
		}
		receive(t, tries, "a try of the run that had lost its job")
	})
}

// TestErrorsByKind holds that an error after many outages has all its tries.
func TestErrorsByKind(t *testing.T) {
	outage, defect := fault.New(fault.Transient, errors.New("503")), errors.New("nil map")
	now := time.Now()
	job := func(outages, defects int) *rivertype.JobRow {
		row := &rivertype.JobRow{Attempt: 1, MaxAttempts: maxAttempts}
		for i := range outages + defects {
			err := outage
			if i >= outages {
				err = defect
			}
			row.Errors = append(row.Errors, rivertype.AttemptError{Error: counted{err}.Error()})
		}
		return row
	}
	tests := []struct {
		outages, defects int
		err              error
		want             action
	}{
		{0, 0, defect, again},
		{10, 0, defect, again},
		{10, maxErrors - 1, defect, giveUp},
		{0, maxErrors - 1, defect, giveUp},
		{maxOutages - 2, maxErrors - 1, outage, again},
		{maxOutages - 1, 0, outage, giveUp},
	}
	for _, tt := range tests {
		if got, _ := judge(job(tt.outages, tt.defects), tt.err, now); got != tt.want {
			t.Errorf("after %d outages and %d defects, %v: %v, want %v", tt.outages, tt.defects, tt.err, got, tt.want)
		}
	}
}
