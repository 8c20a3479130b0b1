package pipeline

import (
	"context"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// told opens the runs of pipelines that listen to something new about an open
// pull request whose head may have been reviewed.
func (p *Pipeline) told(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Pull.Closed {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, closedReason)
	}
	return p.pushed(ctx, d, ev)
}

// closedEvent is the one event whose runs work on a closed pull request.
const closedEvent = "pull_request.closed"

const closedReason = "the pull request is closed"

// pushed opens the runs of a pull request's head, unless a later head is known.
func (p *Pipeline) pushed(ctx context.Context, d store.Delivery, ev review.Event) error {
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	seen, known, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Pull.Number)
	if err != nil {
		return err
	}
	stale, err := p.stale(ctx, repo, d, ev, seen)
	if err != nil {
		return err
	}
	if stale {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "a later event of the pull request is known")
	}
	if known && !seen.PullUpdatedAt.Before(ev.PullUpdatedAt) {
		// A late event of the head. The base that it names, whose config would
		// be in force, may be one that the pull request has left.
		now, err := repo.Pull(ctx, ev.Pull.Number)
		if err != nil {
			return err
		}
		ev.Pull.BaseRef, ev.Pull.BaseSHA, ev.PullUpdatedAt = now.BaseRef, now.BaseSHA, seen.PullUpdatedAt
		if isFact(ev) { // of several in one second each knows only what was before it
			ev.Pull.Title, ev.Pull.Body, ev.Pull.Labels, ev.Pull.Draft = now.Title, now.Body, now.Labels, now.Draft
		}
	}
	return p.open(ctx, repo, d, ev, seen)
}

// stale reports whether the event is about a head that is no longer the pull
// request's. Webhooks arrive in any order; updated_at tells which is later, and
// where two heads have the same second, or an event has no time, GitHub is asked.
func (p *Pipeline) stale(ctx context.Context, repo Source, d store.Delivery, ev review.Event, seen store.Subject) (bool, error) {
	if ev.PullUpdatedAt.IsZero() {
		now, err := repo.Pull(ctx, ev.Pull.Number)
		return err == nil && now.HeadSHA != ev.Pull.HeadSHA, err
	}
	if newer, err := p.Store.NewerHead(ctx, d); newer || err != nil {
		return newer, err
	}
	later := seen.PullUpdatedAt.After(ev.PullUpdatedAt)
	if seen.HeadSHA == ev.Pull.HeadSHA {
		return later && seen.Closed, nil
	}
	if later || seen.PullUpdatedAt.Before(ev.PullUpdatedAt) {
		return later, nil
	}
	now, err := repo.Pull(ctx, ev.Pull.Number)
	if err != nil {
		return false, err
	}
	return now.HeadSHA != ev.Pull.HeadSHA, nil
}

func (p *Pipeline) closed(ctx context.Context, d store.Delivery, ev review.Event) error {
	seen, known, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Pull.Number)
	if err != nil {
		return err
	}
	// Closed and reopened within a second, in either order: GitHub is asked.
	if known && !seen.Closed && seen.PullUpdatedAt.Equal(ev.PullUpdatedAt) {
		now, err := p.GitHub.Repository(ev.Installation, ev.Repo).Pull(ctx, ev.Pull.Number)
		if err != nil && fault.KindOf(err) != fault.Gone {
			return err
		}
		if err == nil && !now.Closed {
			return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "the pull request is open again")
		}
	}
	closed, err := p.Queue.Close(ctx, d, subjectOf(ev))
	if err != nil {
		return err
	}
	if !closed {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "a later event is known")
	}
	return p.afterwards(ctx, d, ev)
}

// afterwards opens the runs of pipelines that listen to the closing itself.
// What they do not run needs no check: nobody waits for one any more. For the
// same reason a repository that is out of reach is no failure here.
func (p *Pipeline) afterwards(ctx context.Context, d store.Delivery, ev review.Event) error {
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	decision, err := p.decide(ctx, repo, d, ev)
	if err != nil && fault.KindOf(err) != fault.Gone && fault.KindOf(err) != fault.Unauthorized {
		return err
	}
	if err != nil || len(decision.Plans) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryDone, "")
	}
	runs, err := p.runsOf(strategy.Decision{Plans: decision.Plans}, ev)
	if err != nil {
		return err
	}
	seen, _, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Pull.Number)
	if err != nil {
		return err
	}
	opened, err := p.start(ctx, repo, queue.Opening{Delivery: d, Subject: subjectOf(ev), Seen: seen, Runs: runs, Fact: true})
	if err != nil {
		return err
	}
	return p.Queue.Commit(ctx, d, opened)
}
