package pipeline

import (
	"context"
	"errors"
	"time"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
)

// concludeTimeout bounds what is done for a run whose own time is over.
const concludeTimeout = time.Minute

// Run reviews a run's change and publishes the report. Of a run that is final
// it only concludes the check run.
func (p *Pipeline) Run(ctx context.Context, id string) error {
	r, err := p.Store.Run(ctx, id)
	if err != nil {
		return err
	}
	if err := p.toItsEnd(ctx, &r); err != nil || !r.Status.Final() {
		return err
	}
	p.OnRun(ctx, r.Run)
	return nil
}

// toItsEnd leaves in r what became of the run.
func (p *Pipeline) toItsEnd(ctx context.Context, r *store.Run) error {
	if r.Status.Final() {
		return p.conclude(ctx, r)
	}
	err := p.work(ctx, r)
	if !errors.Is(context.Cause(ctx), queue.ErrOvertaken) && !errors.Is(err, queue.ErrOvertaken) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeTimeout)
	defer cancel()
	if *r, err = p.Store.Run(ctx, r.ID); err != nil {
		return err
	}
	return p.conclude(ctx, r)
}

func (p *Pipeline) work(ctx context.Context, r *store.Run) error {
	ok, err := p.Store.StartRun(ctx, r.ID)
	if err != nil {
		return err
	}
	if !ok {
		return queue.ErrOvertaken
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = p.Now().UTC()
	}
	r.Status = review.StatusRunning
	repo := p.GitHub.Repository(r.Installation, r.Repo)
	resumed := r.Judged
	if !r.Judged {
		if err := p.judge(ctx, repo, r); err != nil {
			return err
		}
	}
	heal, err := p.healOf(*r)
	if err != nil {
		return err
	}
	if heal != nil && !heal.OpenUntil.IsZero() {
		return p.await(ctx, repo, r, *heal)
	}
	return p.publish(ctx, repo, r, resumed, heal)
}

// judge runs the agents over the change and keeps what came of it.
func (p *Pipeline) judge(ctx context.Context, repo Repository, r *store.Run) error {
	plan, err := planOf(*r)
	if err != nil {
		return err
	}
	progress := p.startProgress(ctx, repo, *r, plan)
	defer progress.stop()
	change, err := repo.Change(ctx, r.Pull)
	if errors.Is(err, review.ErrHeadMoved) {
		return p.behind(ctx, r, review.StatusSuperseded, "superseded by a push: the head moved while it was read")
	}
	if err != nil {
		return err
	}
	change.Issue = r.Issue
	if err := p.Review(ctx, plan, change, &r.Run, progress.set); err != nil {
		return err
	}
	if err := p.tryConfig(ctx, repo, plan, change, &r.Run); err != nil {
		return err
	}
	progress.stop()
	ok, err := p.Store.SaveJudged(ctx, r.Run)
	if err != nil {
		return err
	}
	if !ok {
		return queue.ErrOvertaken
	}
	p.Crash("judged")
	return nil
}

const (
	// apiLag is how far behind its own webhooks GitHub's API is believed to be:
	// for so long an answer that does not fit the last event may be the older.
	apiLag     = 20 * time.Second
	apiLagWait = 2 * time.Second
)

// behind ends a run whose pull request is not, by GitHub's answer, what it was
// opened for. While the last event that is known says that it is, the answer
// may be old, or the event on its way: the run waits.
func (p *Pipeline) behind(ctx context.Context, r *store.Run, status review.Status, reason string) error {
	sub, _, err := p.Store.Subject(ctx, r.Repo.ID, r.Pull.Number)
	if err != nil {
		return err
	}
	now := p.Now()
	if sub.HeadSHA == r.Pull.HeadSHA && !sub.Closed && now.Sub(r.QueuedAt) < apiLag {
		return fault.Until(fault.Busy, now.Add(apiLagWait), errors.New("GitHub does not show the pull request as its last event did: "+reason))
	}
	return p.overtaken(ctx, r, status, reason)
}

// overtaken ends the run without a result of its own.
func (p *Pipeline) overtaken(ctx context.Context, r *store.Run, status review.Status, reason string) error {
	if _, err := p.Store.FinishRun(ctx, r.ID, status, reason); err != nil {
		return err
	}
	return queue.ErrOvertaken
}

// RunFailed makes the run a dead letter and shows it on the pull request. A run
// whose repository is gone is cancelled: there is nobody to tell.
func (p *Pipeline) RunFailed(ctx context.Context, id string, cause error) error {
	status, reason := review.StatusDead, deadReason(cause)
	if fault.KindOf(cause) == fault.Gone {
		status = review.StatusCancelled
	}
	if _, err := p.Store.FinishRun(ctx, id, status, reason); err != nil {
		return err
	}
	r, err := p.Store.Run(ctx, id)
	if fault.KindOf(err) == fault.Gone {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.conclude(ctx, &r); err != nil {
		return err
	}
	p.OnRun(ctx, r.Run)
	return nil
}

// deadReason says on the pull request why there is no review. The error itself
// may name hosts and paths of the operator's and goes to the log alone.
func deadReason(cause error) string {
	switch fault.KindOf(cause) {
	case fault.Gone:
		return "the repository or the app's installation is gone"
	case fault.Unauthorized:
		return "GitHub refused access: the app lacks a permission or its installation is suspended"
	case fault.Transient, fault.RateLimited, fault.Busy:
		return "a service was out of reach for too long"
	case fault.Invalid:
		return "GitHub refused what was asked of it; the operator's log has the answer"
	default:
		return "an internal error; the operator's log has it"
	}
}

// conclude shows on the check run that the run came to nothing, unless a later
// attempt has taken the check run over.
func (p *Pipeline) conclude(ctx context.Context, r *store.Run) error {
	if r.CheckShows == review.CheckCompleted {
		return nil
	}
	attempts, err := p.Store.Attempts(ctx, r.Repo.ID, r.Pull.HeadSHA, r.Pipeline)
	if err != nil {
		return err
	}
	if len(attempts) > 0 && attempts[len(attempts)-1].Attempt > r.Attempt {
		return nil
	}
	err = p.concludeCheck(ctx, p.GitHub.Repository(r.Installation, r.Repo), r)
	switch fault.KindOf(err) {
	case fault.Gone, fault.Unauthorized, fault.Invalid:
		p.Logger.Warn("check run of an ended run cannot be concluded", "run", r.ID, "error", err)
		return nil
	}
	return err
}

func (p *Pipeline) concludeCheck(ctx context.Context, repo Checks, r *store.Run) (err error) {
	if r.CheckID != 0 || r.Issue != nil {
		return p.update(ctx, repo, r, nil)
	}
	// A crash may have kept its ID from being noted.
	plan, err := planOf(*r)
	if err != nil {
		return err
	}
	if r.CheckID, _, err = repo.FindCheck(ctx, r.Pull.HeadSHA, plan.CheckName, r.ID); err != nil {
		return err
	}
	if r.CheckID == 0 && r.Status != review.StatusDead {
		return nil // nothing is shown, and nobody waits for it
	}
	return p.show(ctx, repo, r)
}
