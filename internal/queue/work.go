package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// decideArgs and runArgs are the jobs' arguments: keys, never payloads.
type decideArgs struct {
	Delivery int64 `json:"delivery"`
}

func (decideArgs) Kind() string { return "decide" }

// InsertOpts puts deciding on a queue of its own, so that a long run never
// holds a delivery up.
func (decideArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "decide"} }

type runArgs struct {
	Run  string `json:"run"`
	Lane string `json:"lane"`
}

func (runArgs) Kind() string { return "run" }

// InsertOpts puts runs on a queue of their own.
func (runArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "run"} }

// Deadlines of jobs. A run's pipeline has a shorter one of its own; this is the
// last resort, and shorter than River's rescue of an hour.
const (
	decideTimeout = 2 * time.Minute
	runTimeout    = 50 * time.Minute
	rescueAfter   = time.Hour
)

func (q *Queue) riverConfig(handler Handler) *river.Config {
	cfg := &river.Config{
		ID:                   q.cfg.Node,
		Logger:               q.cfg.Logger,
		FetchCooldown:        5 * time.Millisecond,
		FetchPollInterval:    250 * time.Millisecond,
		JobTimeout:           runTimeout,
		MaxAttempts:          maxAttempts,
		RescueStuckJobsAfter: rescueAfter,
		RetryPolicy:          retryPolicy{now: q.cfg.Now},
		SoftStopTimeout:      q.cfg.StopTimeout,
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &decideWorker{q: q, handler: handler})
	river.AddWorker(workers, &runWorker{q: q, handler: handler})
	river.AddWorker(workers, &healWorker{q: q, handler: handler})
	cfg.Workers = workers
	cfg.Queues = map[string]river.QueueConfig{
		"decide": {MaxWorkers: q.cfg.Deciders},
		"run":    {MaxWorkers: q.cfg.Runners},
		"heal":   {MaxWorkers: max(1, q.cfg.Runners/2)},
	}
	return cfg
}

type decideWorker struct {
	river.WorkerDefaults[decideArgs]
	q       *Queue
	handler Handler
}

func (w *decideWorker) Timeout(*river.Job[decideArgs]) time.Duration { return decideTimeout }

func (w *decideWorker) Work(ctx context.Context, job *river.Job[decideArgs]) error {
	err := poison(job.JobRow)
	if err == nil {
		err = guard(func() error { return w.handler.Decide(ctx, job.Args.Delivery) })
	}
	return w.q.settle(ctx, job.JobRow, err, func(ctx context.Context, cause error) error {
		return w.handler.DecideFailed(ctx, job.Args.Delivery, cause)
	})
}

type runWorker struct {
	river.WorkerDefaults[runArgs]
	q       *Queue
	handler Handler
}

func (w *runWorker) Work(ctx context.Context, job *river.Job[runArgs]) error {
	return w.q.inLane(ctx, job.JobRow, laneWork{
		run: job.Args.Run, lane: job.Args.Lane, stands: w.q.active(job.Args.Run), work: w.handler.Run, failed: w.handler.RunFailed,
	})
}

// laneWork is work on a run that has its lane to itself.
type laneWork struct {
	run, lane string
	// stands reports whether the run is still to be worked on.
	stands func(ctx context.Context) bool
	work   func(ctx context.Context, run string) error
	failed func(ctx context.Context, run string, cause error) error
}

func (q *Queue) inLane(ctx context.Context, job *rivertype.JobRow, l laneWork) error {
	owner := fmt.Sprintf("%s/%d/%d", q.cfg.Node, job.ID, job.Attempt)
	got, err := q.store.Acquire(ctx, l.lane, owner, q.cfg.LaneTTL)
	if err != nil {
		return q.settle(ctx, job, err, nil)
	}
	if !got {
		return river.JobSnooze(laneWait)
	}
	defer func() {
		if err := q.store.Release(context.WithoutCancel(ctx), l.lane, owner); err != nil {
			q.cfg.Logger.Warn("lane not released, it will time out", "lane", l.lane, "error", err)
		}
	}()
	err = poison(job)
	if err == nil {
		err = q.watched(ctx, owner, l)
	}
	return q.settle(ctx, job, err, func(ctx context.Context, cause error) error { return l.failed(ctx, l.run, cause) })
}

// watched works on a run for as long as it stands.
func (q *Queue) watched(ctx context.Context, owner string, l laneWork) error {
	return guard(func() error {
		runCtx, done := q.watch(ctx, l.run, l.lane, owner, l.stands)
		defer done()
		err := l.work(runCtx, l.run)
		if cause := context.Cause(runCtx); errors.Is(cause, errLostLane) {
			return cause
		}
		return err
	})
}

// poison is the error of a job that was begun again and again and never came to
// an end, not even to an error: it takes the process down with it.
func poison(job *rivertype.JobRow) error {
	if job.Attempt <= job.MaxAttempts {
		return nil
	}
	return fmt.Errorf("begun %d times without coming to an end", job.Attempt-1)
}

// guard turns a panic into an error, so that the job is retried and given up
// like any other.
func guard(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return work()
}

// settle turns the outcome of a job into what River should do with it.
func (q *Queue) settle(ctx context.Context, job *rivertype.JobRow, err error, giveUp func(context.Context, error) error) error {
	if err == nil {
		return nil
	}
	log := q.cfg.Logger.With("job", job.ID, "kind", job.Kind, "attempt", job.Attempt)
	if errors.Is(ctx.Err(), context.Canceled) {
		log.Info("job handed back, the process is stopping")
		return river.JobSnooze(0)
	}
	verdict, after := judge(job, err, q.cfg.Now())
	switch {
	case verdict == later:
		log.Info("job put off", "for", after, "reason", err)
		return river.JobSnooze(after)
	case verdict == again || giveUp == nil:
		log.Warn("job failed, it will be tried again", "error", err)
		return counted{err}
	}
	log.Error("job given up", slog.Any("error", err))
	// The deadline of the job may be what failed it.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), decideTimeout)
	defer cancel()
	if buryErr := guard(func() error { return giveUp(cleanup, err) }); buryErr != nil {
		log.Error("given-up job could not be shown, it will be tried again", "error", buryErr)
		if job.Attempt >= job.MaxAttempts {
			return river.JobSnooze(maxDelay) // as an error River would throw it away
		}
		return counted{errors.Join(err, buryErr)}
	}
	return river.JobCancel(err)
}
