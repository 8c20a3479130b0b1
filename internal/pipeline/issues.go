package pipeline

import (
	"context"

	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// issueOpened opens the runs of an issue, over the default branch as it stands.
// An issue has no check run, and to comment on it the app would need to be
// allowed to write issues, which it does not ask for: the report is the run's
// page.
func (p *Pipeline) issueOpened(ctx context.Context, d store.Delivery, ev review.Event) error {
	branch := ev.Repo.DefaultBranch
	if branch == "" {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the event does not name the default branch")
	}
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	ev.Pull = &review.Pull{Title: ev.Issue.Title, Body: ev.Issue.Body, Author: ev.Issue.Author, Labels: ev.Issue.Labels, BaseRef: branch, HeadRef: branch}
	decision, err := p.decide(ctx, repo, d, ev)
	if err != nil {
		return err
	}
	if len(decision.Plans) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "no pipeline is for the issue")
	}
	if ev.Pull.HeadSHA, err = p.headFor(ctx, repo, d, branch); err != nil {
		return err
	}
	runs, err := p.runsOf(strategy.Decision{Plans: decision.Plans}, ev)
	if err != nil {
		return err
	}
	opened, err := p.start(ctx, repo, queue.Opening{Delivery: d, Subject: subjectOf(ev), Runs: runs})
	if err != nil {
		return err
	}
	return p.Queue.Commit(ctx, d, opened)
}

// headFor is the branch's head as the first try of the delivery saw it.
func (p *Pipeline) headFor(ctx context.Context, repo Source, d store.Delivery, branch string) (string, error) {
	opened, err := p.Store.RunsOfDelivery(ctx, d.GUID)
	if err != nil {
		return "", err
	}
	if len(opened) > 0 {
		return opened[0].Pull.HeadSHA, nil
	}
	return repo.BranchHead(ctx, branch)
}

// showNowhere notes what the check run of a run would show if it had one.
func (p *Pipeline) showNowhere(ctx context.Context, r *store.Run) error {
	shows := review.CheckInProgress
	if r.Status.Final() {
		shows = review.CheckCompleted
	}
	return p.noteCheck(ctx, r, shows)
}
