package pipeline

import (
	"assay/internal/store"
	"assay/reports"
	"assay/review"
	"assay/strategy"
	"context"
)

// show gives a run that was just opened its check run. After a crash it may
// have one already, which is found by its external ID.
func (p *Pipeline) show(ctx context.Context, repo Checks, r *store.Run) error {
	if r.CheckShows != "" {
		return nil
	}
	check, err := p.check(*r)
	if err != nil {
		return err
	}
	if r.CheckID == 0 && r.Resumed {
		if r.CheckID, _, err = repo.FindCheck(ctx, check.HeadSHA, check.Name, check.ExternalID); err != nil {
			return err
		}
	}
	if r.CheckID == 0 {
		if r.CheckID, err = repo.CreateCheck(ctx, check); err != nil {
			return err
		}
		p.Crash("check-created")
	} else if err := repo.UpdateCheck(ctx, r.CheckID, check); err != nil {
		return err
	}
	return p.noteCheck(ctx, r, check.Status)
}

// update shows what the run has come to. annotations replaces those that the
// report would send.
func (p *Pipeline) update(ctx context.Context, repo Checks, r *store.Run, annotations []review.Annotation) error {
	check, err := p.check(*r)
	if err != nil {
		return err
	}
	check.Output.Annotations = annotations
	if err := repo.UpdateCheck(ctx, r.CheckID, check); err != nil {
		return err
	}
	return p.noteCheck(ctx, r, check.Status)
}

func (p *Pipeline) noteCheck(ctx context.Context, r *store.Run, shows review.CheckStatus) error {
	if err := p.Store.NoteCheck(ctx, r.ID, r.CheckID, shows); err != nil {
		return err
	}
	r.CheckShows = shows
	return nil
}

func (p *Pipeline) check(r store.Run) (review.CheckRun, error) {
	plan, err := planOf(r)
	if err != nil {
		return review.CheckRun{}, err
	}
	if r.Status == review.StatusDead {
		r.Outcome = strategy.Unavailable(plan.Gate, r.Reason)
	}
	check := reports.Check(r.Run, p.options(r))
	check.Name, check.HeadSHA, check.ExternalID, check.DetailsURL = plan.CheckName, r.Pull.HeadSHA, r.ID, p.runURL(r.ID)
	return check, nil
}

func (p *Pipeline) options(r store.Run) reports.Options {
	return reports.Options{RunURL: p.runURL(r.ID), GitHubURL: p.GitHubURL, Version: p.Version}
}

// unsent is what the run's check still lacks. GitHub appends annotations and
// takes none back, so those that earlier attempts have sent are left out, and
// so are those that were sent before a crash: sent says how many the check has.
func (p *Pipeline) unsent(attempts []store.Run, r store.Run, sent int) ([]review.Annotation, error) {
	seen := make(map[review.Annotation]bool)
	fresh := func(r store.Run) ([]review.Annotation, error) {
		check, err := p.check(r)
		if err != nil {
			return nil, err
		}
		var list []review.Annotation
		for _, a := range check.Output.Annotations {
			if !seen[a] {
				seen[a] = true
				list = append(list, a)
			}
		}
		return list, nil
	}
	before := 0
	for _, earlier := range attempts {
		if earlier.Attempt >= r.Attempt || earlier.Status != review.StatusDone {
			continue
		}
		list, err := fresh(earlier)
		if err != nil {
			return nil, err
		}
		before += len(list)
	}
	list, err := fresh(r)
	if err != nil {
		return nil, err
	}
	return list[min(len(list), max(0, sent-before)):], nil
}
