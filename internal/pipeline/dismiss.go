package pipeline

import (
	"context"
	"time"

	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
)

// applyDismissals marks the findings of a judged run that were dismissed on its
// pull request, and judges the run anew without them. It comes between judging
// and publishing and looks at the dismissals after the result was stored, so
// that none is missed: who dismisses a finding looks at the result after the
// dismissal was.
func (p *Pipeline) applyDismissals(ctx context.Context, r *store.Run) error {
	marked, err := p.markDismissed(ctx, r)
	if err != nil || !marked {
		return err
	}
	ok, err := p.Store.SaveJudged(ctx, r.Run)
	if err == nil && !ok {
		err = queue.ErrOvertaken
	}
	return err
}

// markDismissed marks what was dismissed, judges anew without it, and reports
// whether there is any.
func (p *Pipeline) markDismissed(ctx context.Context, r *store.Run) (bool, error) {
	if r.Pull.Number == 0 || len(r.Findings) == 0 {
		return false, nil
	}
	dismissals, err := p.Store.Dismissals(ctx, r.Repo.ID, r.Pull.Number)
	if err != nil || !mark(r.Findings, dismissals) {
		return false, err
	}
	plan, err := planOf(*r)
	if err != nil {
		return false, err
	}
	r.Outcome = outcomeOf(plan, r.Run)
	return true, nil
}

// mark marks the findings that were dismissed and reports whether there are
// any.
func mark(findings []review.Finding, dismissals map[string]store.Dismissal) (any bool) {
	for i := range findings {
		if d, ok := dismissals[findings[i].ID]; ok {
			findings[i].Dismissed, any = &review.Dismissed{By: d.Who, Reason: d.Reason, At: d.At}, true
		}
	}
	return any
}

// counted are the findings that count.
func counted(findings []review.Finding) (left []review.Finding) {
	for _, f := range findings {
		if f.Dismissed == nil {
			left = append(left, f)
		}
	}
	return left
}

// judgedAgain is another attempt of a run that is done, with what its agents
// have found: only judging and publishing are left.
func (p *Pipeline) judgedAgain(done store.Run, ev review.Event) store.Run {
	r := store.Run{Run: done.Run, Plan: done.Plan, Judged: true, Of: done.ID}
	r.ID, r.Event, r.Delivery = store.NewRunID(), ev.String(), ev.Delivery
	r.Status, r.Reason = review.StatusQueued, ""
	r.QueuedAt, r.StartedAt, r.FinishedAt = p.Now().UTC(), time.Time{}, time.Time{}
	return r
}
