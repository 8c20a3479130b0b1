package pipeline

import (
	"context"

	"assay/internal/store"
	"assay/review"
)

// requested opens the runs that a check run or suite of ours asks for.
func (p *Pipeline) requested(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Check.AppID != 0 && p.AppID != 0 && ev.Check.AppID != p.AppID {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the check belongs to another app")
	}
	return p.onHead(ctx, d, ev)
}

// completed opens the runs of pipelines that wait for other checks. Our own
// suite ends with each of our runs: it would start the next one, for ever.
func (p *Pipeline) completed(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Check.AppID == p.AppID {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the suite is our own")
	}
	return p.onHead(ctx, d, ev)
}

// onHead decides on the pull request whose head a check is about.
func (p *Pipeline) onHead(ctx context.Context, d store.Delivery, ev review.Event) error {
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	number, err := p.pullOf(ctx, repo, ev)
	if err != nil {
		return err
	}
	if number == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "no open pull request has the head "+ev.Check.HeadSHA)
	}
	// Before GitHub is asked: a push that comes after its answer must be seen.
	seen, _, err := p.Store.Subject(ctx, ev.Repo.ID, number)
	if err != nil {
		return err
	}
	pull, err := repo.Pull(ctx, number)
	if err != nil {
		return err
	}
	if pull.HeadSHA != ev.Check.HeadSHA {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "the head has moved on to "+pull.HeadSHA)
	}
	if pull.Closed && isFact(ev) {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, closedReason)
	}
	// The event has no time of the pull request's; keep the one that is known.
	ev.Pull, ev.PullUpdatedAt = &pull, seen.PullUpdatedAt
	return p.open(ctx, repo, d, ev, seen)
}

// pullOf finds the pull request of a check: our own table first, since GitHub
// names none for forks.
func (p *Pipeline) pullOf(ctx context.Context, repo Source, ev review.Event) (int, error) {
	number, err := p.Store.PullOfHead(ctx, ev.Repo.ID, ev.Check.HeadSHA)
	if number != 0 || err != nil {
		return number, err
	}
	if len(ev.Check.Pulls) > 0 {
		return ev.Check.Pulls[0], nil
	}
	pulls, err := repo.PullsForCommit(ctx, ev.Check.HeadSHA)
	if err != nil {
		return 0, err
	}
	for _, pull := range pulls {
		if !pull.Closed && pull.HeadSHA == ev.Check.HeadSHA {
			return pull.Number, nil
		}
	}
	return 0, nil
}
