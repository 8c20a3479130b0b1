// Package schedule starts work that no webhook asks for: schedules of the
// repositories' configs when they are due, and what the operator asks for by
// hand. It makes deliveries of it, and what is then done is the normal way of a
// delivery, so that nothing is lost or done twice. Which pipelines run it leaves
// to internal/pipeline, what a config says to strategy.
package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

const (
	defaultInterval = 15 * time.Second
	// maxReads bounds the configs that are read in a tick. With the default
	// interval they are 1,200 an hour, of the 5,000 requests that GitHub allows
	// an installation at least
	// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
	maxReads = 5
	// maxTrouble is how many reads may fail before a tick leaves GitHub alone.
	maxTrouble = 2
	// maxFired bounds what a tick starts; after a long outage everything is
	// due at once.
	maxFired = 25
	// readAgain is how long a config that nothing was pushed to is believed:
	// webhooks get lost.
	readAgain = 12 * time.Hour
	// readRetry is when a config that could not be read is tried again, where
	// nobody says when.
	readRetry = 5 * time.Minute
	// minLease is the least time that a node's turn lasts.
	minLease = time.Minute
)

// Queue takes on what is started.
type Queue interface {
	AcceptWith(ctx context.Context, d store.Delivery, with func(tx *sql.Tx) (bool, error)) (fresh bool, err error)
}

// Source reads the configs of repositories.
type Source interface {
	// Schedules are those that the repository's config listens to, by its
	// default branch. The repository is as GitHub has it now.
	Schedules(ctx context.Context, r store.Repository) (review.Repo, []strategy.Schedule, error)
}

// Config has the settings of a Scheduler. Node is required.
type Config struct {
	// Node is the ID of this process, as the queue has it: one node watches the
	// clock at a time, and another takes over when it dies.
	Node string
	// Mark are the headers of deliveries that were made up.
	Mark map[string]string
	// Base is what the config below all repositories is known by: with
	// another, all are read anew.
	Base string
	// Interval is the time between two looks at the clock; 15 seconds when 0.
	Interval time.Duration
	// Crash is called at named points, so that a test can end the process
	// there; may be nil.
	Crash  func(point string)
	Logger *slog.Logger
	Now    func() time.Time
}

// Scheduler starts schedules. Its methods are for one goroutine, but for Stop.
type Scheduler struct {
	cfg    Config
	source Source
	store  *store.Store
	queue  Queue

	held time.Time // when the lease was last renewed
	stop context.CancelFunc
	done sync.WaitGroup
}

// New makes a Scheduler. It does nothing until Start or Tick.
func New(source Source, st *store.Store, q Queue, cfg Config) (*Scheduler, error) {
	if cfg.Node == "" {
		return nil, errors.New("make scheduler: Node is required")
	}
	if cfg.Interval < 0 {
		return nil, errors.New("make scheduler: Interval may not be negative")
	}
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Scheduler{cfg: cfg, source: source, store: st, queue: q}, nil
}

// Start looks at the clock again and again until Stop.
func (s *Scheduler) Start(ctx context.Context) {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.loop(background) })
}

// Stop ends what is under way and lets another node have its turn.
func (s *Scheduler) Stop(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.done.Wait()
	return s.store.Release(ctx, lease, s.owner())
}

func (s *Scheduler) loop(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("schedules not all looked at, they will be again", "in", s.cfg.Interval, "error", err)
		}
	}
}

// Tick starts what is due and reads the configs that are to be read, unless it
// is another node's turn.
func (s *Scheduler) Tick(ctx context.Context) error {
	switch err := s.hold(ctx); {
	case errors.Is(err, errNotOurTurn):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(s.fire(ctx), s.rebase(ctx), s.read(ctx))
}

// lease is the name of the turn to watch the clock.
const lease = "schedule"

var errNotOurTurn = errors.New("another node watches the clock")

// owner begins with the node's ID: by that the lease is dropped when it dies.
func (s *Scheduler) owner() string { return s.cfg.Node + "/" + lease }

// hold makes sure that it is this node's turn. That two should believe so does
// no harm: a due schedule is moved on by one of them.
func (s *Scheduler) hold(ctx context.Context) error {
	ttl := max(minLease, 4*s.cfg.Interval)
	now := s.cfg.Now()
	if age := now.Sub(s.held); age >= 0 && age < ttl/4 {
		return ctx.Err()
	}
	s.held = time.Time{}
	got, err := s.store.Acquire(ctx, lease, s.owner(), ttl)
	if err != nil {
		return fmt.Errorf("take the turn to watch the clock: %w", err)
	}
	if !got {
		return errNotOurTurn
	}
	s.held = now
	return nil
}

// baseCursor is the name under which the last Base is kept.
const baseCursor = "schedules-base"

// rebase has all configs read anew when what is below them has changed.
func (s *Scheduler) rebase(ctx context.Context) error {
	known, err := s.store.Cursor(ctx, baseCursor)
	if err != nil || known == s.cfg.Base {
		return err
	}
	if err := s.store.ReadAllSchedulesAt(ctx, s.cfg.Now()); err != nil {
		return err
	}
	return s.store.SetCursor(ctx, baseCursor, s.cfg.Base)
}

// read reads some of the configs that are to be read.
func (s *Scheduler) read(ctx context.Context) error {
	unread, err := s.store.UnreadSchedules(ctx, maxReads)
	if err != nil {
		return err
	}
	trouble := 0
	for _, u := range unread {
		repo, list, err := s.source.Schedules(ctx, u.Repository)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if trouble++; trouble > maxTrouble {
				return err
			}
			err = s.putOff(ctx, u, err)
		default:
			err = s.keep(ctx, u, repo, list)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putOff notes when a config that could not be read is tried again. What is
// known of it stands.
func (s *Scheduler) putOff(ctx context.Context, u store.Unread, cause error) error {
	again := s.cfg.Now().Add(readRetry)
	switch fault.KindOf(cause) {
	case fault.Gone, fault.Unauthorized:
		again = s.cfg.Now().Add(readAgain)
	default:
		if at := fault.RetryAt(cause); at.After(again) {
			again = at
		}
	}
	s.cfg.Logger.Info("schedules not read yet", "repo", u.String(), "again", again, "error", cause)
	return s.store.PutOffSchedules(ctx, u, again)
}

// keep stores what a config says.
func (s *Scheduler) keep(ctx context.Context, u store.Unread, repo review.Repo, list []strategy.Schedule) error {
	if repo != u.Repo {
		// Before the schedules: noting it has them read again, once.
		if err := s.store.SeeRepository(ctx, u.Installation, repo); err != nil {
			return err
		}
	}
	now := s.cfg.Now()
	var schedules []store.Schedule
	for _, sch := range list {
		if at := next(sch, u.ID, now); !at.IsZero() {
			schedules = append(schedules, store.Schedule{Name: sch.Name, Spec: sch.Spec, NextAt: at})
		}
	}
	return s.store.SetSchedules(ctx, u, schedules, now.Add(readAgain))
}

// fire starts what is due.
func (s *Scheduler) fire(ctx context.Context) error {
	due, err := s.store.DueSchedules(ctx, maxFired)
	if err != nil {
		return err
	}
	for _, d := range due {
		if err := s.start(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// start makes the delivery of a due schedule. However many of its times have
// gone by, it comes once.
func (s *Scheduler) start(ctx context.Context, d store.Due) error {
	now := s.cfg.Now()
	at := next(strategy.Schedule{Name: d.Schedule.Name, Spec: d.Spec}, d.ID, now)
	if at.IsZero() { // of another version's language; the next reading tells
		at = now.Add(readAgain)
	}
	delivery, err := made(scheduleGUID(d), review.Event{
		Name: "schedule", Action: d.Schedule.Name, Installation: d.Installation, Repo: d.Repo,
	}, s.cfg.Mark)
	if err != nil {
		return err
	}
	s.cfg.Crash("schedule-due")
	fresh, err := s.queue.AcceptWith(ctx, delivery, func(tx *sql.Tx) (bool, error) { return s.store.MoveSchedule(ctx, tx, d, at) })
	if err != nil {
		return fmt.Errorf("start schedule %s of %s: %w", d.Schedule.Name, d.Repo, err)
	}
	if fresh {
		s.cfg.Logger.Info("schedule started", "repo", d.String(), "schedule", d.Schedule.Name, "due", d.NextAt, "next", at, "delivery", delivery.GUID)
	}
	return nil
}
