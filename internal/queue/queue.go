// Package queue is the durable line between accepting a delivery and having
// worked on it: River jobs in the same database, and in the same transactions,
// as the rows of internal/store.
//
// It accepts deliveries, lets a push supersede the run of an older head, hands
// jobs to a Handler, and acts on the kind of the Handler's errors: retry,
// snooze, give up. What a job means it does not know.
package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"

	"assay/internal/store"
)

// Handler does the work of the jobs. All its methods must be safe to call again
// for the same job: after a crash they are.
type Handler interface {
	// Decide says what a delivery leads to.
	Decide(ctx context.Context, delivery int64) error
	// Run works on a run. The cause of ctx is ErrOvertaken when the run became
	// final meanwhile: then Run concludes what the pull request shows and
	// returns.
	Run(ctx context.Context, run string) error
	// Heal tries to complete a run whose review is not whole. An error that is
	// fault.Busy has it called again at that time; ctx is as Run's.
	Heal(ctx context.Context, run string) error
	// DecideFailed, RunFailed and HealFailed are called when a job is given up, so that
	// the pull request shows it; an error has them called again later.
	DecideFailed(ctx context.Context, delivery int64, cause error) error
	RunFailed(ctx context.Context, run string, cause error) error
	HealFailed(ctx context.Context, run string, cause error) error
}

// ErrOvertaken is the cause of a run's context when the run was superseded or
// cancelled.
var ErrOvertaken = errors.New("the run was overtaken")

// Config has the settings of a queue; the zero value of each is useful.
type Config struct {
	// Node is this process; a new ID when empty. It is 26 characters long.
	Node string
	// Deciders and Runners bound the jobs of each kind that run at once;
	// 8 and 4 when 0.
	Deciders, Runners int
	// Debounce is how long the run of a push waits for the next push when the
	// pull request is being pushed to in quick succession; 3 s when 0.
	Debounce time.Duration
	// StopTimeout is how long jobs may go on after Stop before their contexts
	// are cancelled; 10 s when 0.
	StopTimeout time.Duration
	// LaneTTL is how long a lane outlives a worker that vanished; 30 s when 0.
	LaneTTL time.Duration
	// DeadAfter is the silence after which another node is taken for dead;
	// 15 s when 0.
	DeadAfter time.Duration
	// Crash is called at named points, so that a test can end the process
	// there; may be nil.
	Crash  func(point string)
	Logger *slog.Logger
	Now    func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Node == "" {
		c.Node = store.NewRunID()
	}
	c.Deciders = orDefault(c.Deciders, 8)
	c.Runners = orDefault(c.Runners, 4)
	c.Debounce = orDefault(c.Debounce, 3*time.Second)
	c.StopTimeout = orDefault(c.StopTimeout, 10*time.Second)
	c.LaneTTL = orDefault(c.LaneTTL, 30*time.Second)
	c.DeadAfter = orDefault(c.DeadAfter, 15*time.Second)
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Queue is the queue of one process.
type Queue struct {
	cfg       Config
	store     *store.Store
	driver    riverdriver.Driver[*sql.Tx]
	closeConn func()
	client    *river.Client[*sql.Tx] // inserts
	worker    *river.Client[*sql.Tx] // works; nil without a handler
	batch     *batcher
	running   *running
	recovered recovered

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// New makes a queue over an open store. Runs can be opened and enqueued at
// once; Accept needs Start.
func New(ctx context.Context, st *store.Store, cfg Config) (*Queue, error) {
	q := &Queue{cfg: cfg.withDefaults(), store: st, running: newRunning(), recovered: recovered{at: make(map[string]time.Time)}}
	var err error
	if q.driver, q.closeConn, err = openDriver(ctx, st); err != nil {
		return nil, err
	}
	if q.client, err = river.NewClient(q.driver, &river.Config{Logger: q.cfg.Logger, MaxAttempts: maxAttempts}); err != nil {
		q.closeConn()
		return nil, fmt.Errorf("make queue: %w", err)
	}
	q.batch = newBatcher(q.insert)
	return q, nil
}

// Start begins to accept and, with a handler, to work: what dead processes left
// unfinished is taken up first. With a nil handler jobs wait for a process that
// has one.
func (q *Queue) Start(ctx context.Context, handler Handler) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.stop = stop
	q.stopped.Go(func() { q.batch.loop(background) })
	if handler == nil {
		return nil
	}
	if err := q.store.Beat(ctx, q.cfg.Node); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	if err := q.releaseDead(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	if err := q.wakeAll(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	worker, err := river.NewClient(q.driver, q.riverConfig(handler))
	if err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	if err := worker.Start(background); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	q.worker = worker
	q.stopped.Go(func() { q.keep(background) })
	return nil
}

// Stop lets jobs finish for StopTimeout, then hands the unfinished ones back
// without costing them an attempt. ctx bounds all of it.
func (q *Queue) Stop(ctx context.Context) error {
	var errs []error
	if q.worker != nil {
		errs = append(errs, q.worker.Stop(ctx))
	}
	if q.stop != nil {
		q.stop()
	}
	q.stopped.Wait()
	if q.worker != nil {
		errs = append(errs, q.store.Leave(ctx, q.cfg.Node))
	}
	q.closeConn()
	return errors.Join(errs...)
}
