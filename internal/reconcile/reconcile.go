// Package reconcile finds what webhooks did not bring: deliveries that GitHub
// could not deliver, open pull requests whose head has no check, and work that
// lost its job. It asks for the first again, makes deliveries for the second
// and jobs for the third; what is then done is the normal way of a delivery, so
// that nothing is done twice. Deciding and reviewing it leaves to
// internal/pipeline.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/store"
	"assay/review"
)

const (
	defaultInterval = 5 * time.Minute
	// defaultSpacing is what GitHub asks for between requests that change
	// something
	// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
	defaultSpacing = time.Second
	// window is how far back deliveries can be had again, and how far back open
	// pull requests are looked at: GitHub keeps deliveries for 3 days
	// (https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).
	window = 3 * 24 * time.Hour
	// startDelay bounds the wait before the first sweep: a platform needs some
	// seconds to let requests through to a process that has just started.
	startDelay = 10 * time.Second
	// minLease is the least time that a node's turn lasts.
	minLease = 2 * time.Minute
)

// Hook is the app's webhook as GitHub sees it.
type Hook interface {
	Deliveries(ctx context.Context, cursor string) (page []ghapp.HookDelivery, next string, err error)
	Redeliver(ctx context.Context, id int64) error
}

// Reach is what the app can reach.
type Reach interface {
	Installations(ctx context.Context) ([]ghapp.Installation, error)
	Repositories(ctx context.Context, installation int64) ([]review.Repo, error)
	OpenPulls(ctx context.Context, installation int64, repo review.Repo, since time.Time) ([]ghapp.OpenPull, error)
}

// GitHub is what is asked of GitHub.
type GitHub interface {
	Hook
	Reach
}

// Queue takes on what was found.
type Queue interface {
	Accept(ctx context.Context, d store.Delivery) (fresh bool, err error)
	Revive(ctx context.Context, since time.Time) (int, error)
}

// Config has the settings of a Reconciler. Node and Subscribed are required.
type Config struct {
	// Node is the ID of this process, as the queue has it: one node sweeps at a
	// time, and another takes over when it dies.
	Node string
	// Subscribed reports whether anything acts on an event.
	Subscribed func(name, action string) bool
	// Mark are the headers of deliveries that were made up, by which the
	// pipeline knows them.
	Mark map[string]string
	// Interval is the time between sweeps; 5 minutes when 0.
	Interval time.Duration
	// Spacing is kept between requests for a redelivery; a second when 0.
	Spacing time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Reconciler sweeps. ReviewGap may be called at any time; the rest is for one
// goroutine.
type Reconciler struct {
	cfg    Config
	github GitHub
	store  *store.Store
	queue  Queue

	held    time.Time // when the lease was last renewed
	waiting waiting

	stop context.CancelFunc
	done sync.WaitGroup
}

// New makes a Reconciler. It does nothing until Start or Sweep.
func New(github GitHub, st *store.Store, q Queue, cfg Config) (*Reconciler, error) {
	if cfg.Node == "" || cfg.Subscribed == nil {
		return nil, errors.New("make reconciler: Node and Subscribed are required")
	}
	if cfg.Interval < 0 || cfg.Spacing < 0 {
		return nil, errors.New("make reconciler: Interval and Spacing may not be negative")
	}
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Spacing == 0 {
		cfg.Spacing = defaultSpacing
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reconciler{cfg: cfg, github: github, store: st, queue: q}, nil
}

// Start sweeps soon, and then again and again until Stop.
func (r *Reconciler) Start(ctx context.Context) {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	r.done.Go(func() { r.loop(background) })
}

// Stop ends a sweep that is under way and lets another node have its turn.
func (r *Reconciler) Stop(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.done.Wait()
	return r.store.Release(ctx, lease, r.owner())
}

func (r *Reconciler) loop(ctx context.Context) {
	wait := min(startDelay, r.cfg.Interval/10)
	for pause(ctx, wait) == nil {
		err := r.Sweep(ctx)
		wait = r.cfg.Interval
		if err == nil || ctx.Err() != nil {
			continue
		}
		if at := fault.RetryAt(err); !at.IsZero() {
			wait = max(wait, at.Sub(r.cfg.Now()))
		}
		r.cfg.Logger.Warn("reconciliation is not complete, it will be tried again", "in", wait.Round(time.Second), "error", err)
	}
}

// Sweep looks once for everything that was missed, unless it is another node's
// turn. What fails does not keep the rest from being looked at; it is found
// again by the next sweep.
func (r *Reconciler) Sweep(ctx context.Context) error {
	r.held = time.Time{}
	switch err := r.hold(ctx); {
	case errors.Is(err, errNotOurTurn):
		return nil
	case err != nil:
		return err
	}
	revived, reviveErr := r.queue.Revive(ctx, r.cfg.Now().Add(-window))
	asked, recoverErr := r.recoverLost(ctx)
	if asked > 0 {
		// What comes at once need not be looked for below.
		_ = pause(ctx, min(startDelay, r.cfg.Interval/10))
	}
	opened, openErr := r.openHeads(ctx)
	if revived+asked+opened > 0 {
		r.cfg.Logger.Info("reconciled", "jobs_revived", revived, "deliveries_asked_for", asked, "heads_found", opened)
	}
	return errors.Join(reviveErr, recoverErr, openErr)
}

// lease is the name of the turn to sweep.
const lease = "reconcile"

var errNotOurTurn = errors.New("another node sweeps")

// owner begins with the node's ID: by that the lease is dropped when it dies.
func (r *Reconciler) owner() string { return r.cfg.Node + "/" + lease }

// hold makes sure that it is this node's turn, and stays so until the next
// sweep. It is called before each step that takes time.
func (r *Reconciler) hold(ctx context.Context) error {
	ttl := max(minLease, 2*r.cfg.Interval)
	now := r.cfg.Now()
	if age := now.Sub(r.held); age >= 0 && age < ttl/4 {
		return ctx.Err()
	}
	got, err := r.store.Acquire(ctx, lease, r.owner(), ttl)
	if err != nil {
		return fmt.Errorf("take the turn to reconcile: %w", err)
	}
	if !got {
		return errNotOurTurn
	}
	r.held = now
	return nil
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
