package queue

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"assay/internal/store"
	"assay/review"
)

// healArgs are the arguments of the job that completes a run.
type healArgs struct {
	Run  string `json:"run"`
	Lane string `json:"lane"`
}

func (healArgs) Kind() string { return "heal" }

// InsertOpts puts healing on a queue of its own: after an outage it must not
// hold new pushes up.
func (healArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "heal"} }

const (
	// wakeLimit bounds the runs that are woken at once; the others come by
	// their own time.
	wakeLimit = 2000
	// wakeSpacing and wakeSpread keep what waited for the same thing from all
	// coming at once: so many a second, and none later than the spread.
	wakeSpacing = 50 * time.Millisecond
	wakeSpread  = time.Minute
	// recoveredEvery is how often the runs that wait for a dependency are woken
	// because another one has found it back.
	recoveredEvery = 5 * time.Second
)

// End gives a run its final status, done. With a heal it is remembered and
// completes itself later; the job for that is committed with it. It reports
// false when the run was final already.
func (q *Queue) End(ctx context.Context, r store.Run, heal *store.Heal) (ok bool, err error) {
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		if ok, err = q.store.FinishRunTx(ctx, tx, r.ID, review.StatusDone, ""); err != nil || !ok || heal == nil {
			return err
		}
		return q.remember(ctx, tx, r, *heal)
	})
	return ok, err
}

// Await remembers a run that is not final: it is kept open until it is complete
// or heal.OpenUntil. It does nothing for a run that is remembered already.
func (q *Queue) Await(ctx context.Context, r store.Run, heal store.Heal) error {
	return q.store.Write(ctx, func(tx *sql.Tx) error { return q.remember(ctx, tx, r, heal) })
}

func (q *Queue) remember(ctx context.Context, tx *sql.Tx, r store.Run, heal store.Heal) error {
	heal.Run = r.ID
	fresh, err := q.store.InsertHealTx(ctx, tx, heal)
	if err != nil || !fresh {
		return err
	}
	return q.insertHeal(ctx, tx, r, heal.NextTry)
}

func (q *Queue) insertHeal(ctx context.Context, tx *sql.Tx, r store.Run, at time.Time) error {
	job, err := q.client.InsertTx(ctx, tx, healArgs{Run: r.ID, Lane: lane(r)}, &river.InsertOpts{ScheduledAt: at})
	if err != nil {
		return fmt.Errorf("insert job that completes run %s: %w", r.ID, err)
	}
	return q.store.SetHealJobTx(ctx, tx, r.ID, job.Job.ID)
}

// Healed keeps what a try has brought: the result, while the run still speaks
// for its head, and what is still awaited. It returns when the next try is to
// be; ok is false for a run that was overtaken.
func (q *Queue) Healed(ctx context.Context, r review.Run, heal store.Heal) (next time.Time, ok bool, err error) {
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		if ok, err = q.store.SaveHealedTx(ctx, tx, r); err != nil || !ok {
			return err
		}
		next, ok, err = q.store.UpdateHealTx(ctx, tx, heal)
		return err
	})
	return next, ok, err
}

// PutOff keeps when a run is tried next, and what its pull request shows. It
// returns when that is: sooner, where a dependency has come back meanwhile.
func (q *Queue) PutOff(ctx context.Context, heal store.Heal) (next time.Time, err error) {
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		next, _, err = q.store.UpdateHealTx(ctx, tx, heal)
		return err
	})
	return next, err
}

// Forget ends the healing of a run: it is complete, or was overtaken.
func (q *Queue) Forget(ctx context.Context, run string) error {
	return q.store.Write(ctx, func(tx *sql.Tx) error { return q.store.DeleteHealTx(ctx, tx, run) })
}

// Wake has the runs that wait for the dependency tried again, one after
// another. It returns how many there are.
func (q *Queue) Wake(ctx context.Context, dependency string) (int, error) {
	runs, err := q.store.HealsOf(ctx, dependency, wakeLimit)
	if err != nil || len(runs) == 0 {
		return 0, err
	}
	spread := min(wakeSpread, time.Duration(len(runs))*wakeSpacing)
	err = q.store.Write(ctx, func(tx *sql.Tx) error {
		for _, run := range runs {
			if err := q.store.WakeHealTx(ctx, tx, run, rand.N(spread)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("wake runs that wait for %s: %w", dependency, err)
	}
	return len(runs), nil
}

// Recovered is told of a dependency that a run has found back, and has the
// others tried: no breaker tells of it where the process that saw the outage is
// gone, or where it was too short to open one.
func (q *Queue) Recovered(ctx context.Context, dependency string) {
	now := q.cfg.Now()
	q.recovered.mu.Lock()
	recent := now.Sub(q.recovered.at[dependency]) < recoveredEvery
	if !recent {
		// Names of heads come and go.
		maps.DeleteFunc(q.recovered.at, func(_ string, at time.Time) bool { return now.Sub(at) >= recoveredEvery })
		q.recovered.at[dependency] = now
	}
	q.recovered.mu.Unlock()
	if recent {
		return
	}
	if _, err := q.Wake(ctx, dependency); err != nil {
		q.cfg.Logger.Warn("runs not woken, they come by their own time", "error", err)
	}
}

// recovered is when dependencies were last found back, by name, as far as that
// is recent.
type recovered struct {
	mu sync.Mutex
	at map[string]time.Time
}

// wakeAll has all runs tried that wait for something: a process that has just
// started does not know what came back while it was away.
func (q *Queue) wakeAll(ctx context.Context) error {
	names, err := q.store.Awaited(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := q.Wake(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// wakeOvertaken has the check runs concluded that were kept open.
func (q *Queue) wakeOvertaken(ctx context.Context, tx *sql.Tx, runs []string) error {
	for _, run := range runs {
		if err := q.store.WakeHealTx(ctx, tx, run, 0); err != nil {
			return err
		}
	}
	return nil
}

// reviveHeals gives a job to runs that are to complete themselves and have
// none.
func (q *Queue) reviveHeals(ctx context.Context, tx *sql.Tx) (int, error) {
	ids, err := q.store.OrphanHealsTx(ctx, tx, reviveLimit)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		r, err := q.store.RunTx(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		if err := q.insertHeal(ctx, tx, r, q.cfg.Now()); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

type healWorker struct {
	river.WorkerDefaults[healArgs]
	q       *Queue
	handler Handler
}

// Work tries once. What is still missing has the job put off, which burns no
// attempt.
func (w *healWorker) Work(ctx context.Context, job *river.Job[healArgs]) error {
	stands := func(ctx context.Context) bool {
		status, _, err := w.q.store.RunStatus(ctx, job.Args.Run)
		if err != nil || status == review.StatusRunning {
			return true
		}
		standing, err := w.q.store.Standing(ctx, job.Args.Run)
		return err != nil || standing && status == review.StatusDone
	}
	return w.q.inLane(ctx, job.JobRow, laneWork{
		run: job.Args.Run, lane: job.Args.Lane, stands: stands, work: w.handler.Heal, failed: w.handler.HealFailed,
	})
}
