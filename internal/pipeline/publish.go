package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/reports"
	"assay/review"
)

// publish shows the report: the check run, then the summary comment. It may
// have been cut off before (resumed); nothing is then sent twice. With a heal
// the run completes itself later.
func (p *Pipeline) publish(ctx context.Context, repo Repository, r *store.Run, resumed bool, heal *store.Heal) error {
	if err := p.stillCurrent(ctx, repo, r); err != nil {
		return err
	}
	if err := p.applyDismissals(ctx, r); err != nil {
		return err
	}
	r.Status, r.FinishedAt = review.StatusDone, p.Now().UTC()
	if err := p.publishCheck(ctx, repo, r, review.Run{}, resumed); err != nil {
		return err
	}
	p.Crash("check-completed")
	end := func(ctx context.Context) error {
		ok, err := p.Queue.End(ctx, *r, heal)
		if err == nil && !ok {
			err = queue.ErrOvertaken
		}
		return err
	}
	if err := p.finish(ctx, repo, r, end); err != nil {
		return err
	}
	p.Crash("ended")
	p.Logger.Info("run done", "run", r.ID, "repo", r.Repo.String(), "pull", r.Pull.Number, "pipeline", r.Pipeline,
		"conclusion", r.Outcome.Conclusion, "findings", len(r.Findings))
	return nil
}

// stillCurrent makes sure, just before publishing, that head and base are still
// the pull request's: a stale result is never shown as the current one.
func (p *Pipeline) stillCurrent(ctx context.Context, repo Source, r *store.Run) error {
	if r.Pull.Number == 0 {
		return nil // commits stay what they are
	}
	pull, err := repo.Pull(ctx, r.Pull.Number)
	if err != nil {
		return err
	}
	status, reason := review.StatusSuperseded, "superseded by a push: the head is now "+short(pull.HeadSHA)
	switch {
	case pull.HeadSHA != r.Pull.HeadSHA:
	case pull.BaseRef != r.Pull.BaseRef:
		reason = "superseded: the pull request has another base branch now"
	case pull.Closed && r.Event != closedEvent:
		status, reason = review.StatusCancelled, "the pull request was closed"
	default:
		return nil
	}
	return p.behind(ctx, r, status, reason)
}

func short(sha string) string { return sha[:min(len(sha), 7)] }

// annotationsAtOnce is how many annotations GitHub takes in a request. A check
// with more is not complete until the last of them
// (https://docs.github.com/rest/checks/runs#update-a-check-run).
const annotationsAtOnce = 50

// publishCheck shows the result on the check run. shown is a result of the run
// that it shows already, or the zero Run.
func (p *Pipeline) publishCheck(ctx context.Context, repo Checks, r *store.Run, shown review.Run, resumed bool) error {
	if r.Issue != nil {
		return p.update(ctx, repo, r, nil)
	}
	if r.CheckID == 0 {
		return fmt.Errorf("run %s has no check run to report to", r.ID)
	}
	attempts, err := p.Store.Attempts(ctx, r.Repo.ID, r.Pull.HeadSHA, r.Pipeline)
	if err != nil {
		return err
	}
	annotations, before, err := p.fresh(attempts, *r, shown)
	if err != nil {
		return err
	}
	if resumed {
		sent, err := repo.AnnotationCount(ctx, r.CheckID)
		if err != nil {
			return err
		}
		annotations = annotations[min(len(annotations), max(0, sent-before)):]
	}
	// A check that was concluded does not go back to being in progress.
	for r.CheckShows == review.CheckCompleted && len(annotations) > annotationsAtOnce {
		if err := p.update(ctx, repo, r, annotations[:annotationsAtOnce]); err != nil {
			return err
		}
		annotations = annotations[annotationsAtOnce:]
	}
	return p.update(ctx, repo, r, annotations)
}

const (
	commentLeaseTTL  = 30 * time.Second
	commentLeaseWait = 2 * time.Second
)

// finish brings the pull request's one summary comment up to date and ends the
// run. Pipelines of one pull request take turns at both: a comment holds what
// the pipelines that are done have found, so none may be written between this
// one's comment and its end.
func (p *Pipeline) finish(ctx context.Context, repo Comments, r *store.Run, end func(context.Context) error) error {
	if r.Pull.Number == 0 { // there is nothing to comment on
		return end(ctx)
	}
	lease, owner := fmt.Sprintf("comment/%d/%d", r.Repo.ID, r.Pull.Number), store.NewRunID()
	got, err := p.Store.Acquire(ctx, lease, owner, commentLeaseTTL)
	if err != nil {
		return err
	}
	if !got {
		return fault.Until(fault.Busy, p.Now().Add(commentLeaseWait), errors.New("another pipeline is writing the comment"))
	}
	defer func() {
		if err := p.Store.Release(context.WithoutCancel(ctx), lease, owner); err != nil {
			p.Logger.Warn("comment lease not released, it will time out", "error", err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, commentLeaseTTL)
	defer cancel()
	if err := p.upsertComment(ctx, repo, r); err != nil {
		return err
	}
	return end(ctx)
}

func (p *Pipeline) upsertComment(ctx context.Context, repo Comments, r *store.Run) error {
	sub, _, err := p.Store.Subject(ctx, r.Repo.ID, r.Pull.Number)
	if err != nil {
		return err
	}
	id := sub.CommentID
	if id == 0 && sub.CommentPosting {
		if id, _, _, err = repo.FindComment(ctx, r.Pull.Number, reports.CommentMarker); err != nil {
			return err
		}
	}
	body, wanted, err := p.comment(ctx, r, id != 0)
	if err != nil || !wanted {
		return err
	}
	if id != 0 {
		err := repo.UpdateComment(ctx, id, body)
		if fault.KindOf(err) != fault.Gone {
			return errors.Join(err, p.noteComment(ctx, r, sub, id))
		}
		// Somebody deleted it. It is written anew only if there is something to
		// say without it.
		if body, wanted, err = p.comment(ctx, r, false); err != nil || !wanted {
			return errors.Join(err, p.Store.NoteComment(ctx, r.Repo.ID, r.Pull.Number, 0))
		}
	}
	if err := p.Store.NoteCommentPosting(ctx, r.Repo.ID, r.Pull.Number); err != nil {
		return err
	}
	if id, err = repo.CreateComment(ctx, r.Pull.Number, reports.CommentMarker, body); err != nil {
		return err
	}
	p.Crash("comment-posted")
	return p.Store.NoteComment(ctx, r.Repo.ID, r.Pull.Number, id)
}

func (p *Pipeline) noteComment(ctx context.Context, r *store.Run, sub store.Subject, id int64) error {
	if sub.CommentID == id {
		return nil
	}
	return p.Store.NoteComment(ctx, r.Repo.ID, r.Pull.Number, id)
}

// comment renders the summary of all pipelines of the head that have a result.
func (p *Pipeline) comment(ctx context.Context, r *store.Run, exists bool) (body string, wanted bool, err error) {
	latest, err := p.Store.LatestOfPull(ctx, r.Repo.ID, r.Pull.Number, r.Pull.HeadSHA)
	if err != nil {
		return "", false, err
	}
	o := p.options(*r)
	o.HasComment, o.Comment = exists, reports.CommentNever
	var runs []review.Run
	for _, l := range latest {
		if l.ID == r.ID {
			l = *r
		}
		plan, err := planOf(l)
		if err != nil {
			return "", false, err
		}
		policy := reports.CommentPolicy(plan.Report.Comment)
		if l.Status != review.StatusDone || policy == reports.CommentNever {
			continue
		}
		l.Findings = counted(l.Findings)
		runs = append(runs, l.Run)
		if o.Comment != reports.CommentAlways {
			o.Comment = policy
		}
	}
	if len(runs) == 0 {
		return "", false, nil
	}
	body, wanted = reports.Comment(Join(runs), o)
	return body, wanted, nil
}
