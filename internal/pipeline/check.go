package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"assay/internal/fault"
	"assay/internal/store"
	"assay/reports"
	"assay/review"
	"assay/strategy"
)

// show gives a run that was just opened its check run. After a crash it may
// have one already, which is found by its external ID.
func (p *Pipeline) show(ctx context.Context, repo Checks, r *store.Run) error {
	if r.CheckShows != "" {
		return nil
	}
	if r.Issue != nil {
		return p.showNowhere(ctx, r)
	}
	check, err := p.shown(ctx, *r)
	if err != nil {
		return err
	}
	if !r.Status.Final() {
		check.Output.Annotations = nil // of an earlier attempt, which has sent them
	}
	if r.CheckID == 0 {
		if r.CheckID, err = p.shownBefore(ctx, repo, *r, check); err != nil {
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

// shownBefore finds the check run that a run may have without knowing: one that
// was made right before a crash, and, for a head that reconciliation found
// without a run of ours, one that was left behind by a database that is lost.
// Nobody else would ever conclude that.
func (p *Pipeline) shownBefore(ctx context.Context, repo Checks, r store.Run, check review.CheckRun) (id int64, err error) {
	externalID := check.ExternalID
	switch d, err := p.Store.DeliveryByGUID(ctx, r.Delivery); {
	case fault.KindOf(err) == fault.Gone:
	case err != nil:
		return 0, err
	case d.Header[ReconcileHeader] != "":
		externalID = "" // any of ours by that name
	}
	if externalID != "" && !r.Resumed {
		return 0, nil
	}
	id, _, err = repo.FindCheck(ctx, check.HeadSHA, check.Name, externalID)
	return id, err
}

// update shows what the run has come to. annotations replaces those that the
// report would send.
func (p *Pipeline) update(ctx context.Context, repo Checks, r *store.Run, annotations []review.Annotation) error {
	if r.Issue != nil {
		return p.showNowhere(ctx, r)
	}
	check, err := p.shown(ctx, *r)
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
	r.Findings = counted(r.Findings)
	check := reports.Check(r.Run, p.options(r))
	check.Name, check.HeadSHA, check.ExternalID, check.DetailsURL = plan.CheckName, r.Pull.HeadSHA, r.ID, p.runURL(r.ID)
	return check, nil
}

// shown is the check of a run as it is to be shown. GitHub knows a check by its
// commit, and several pull requests may have that as their head, of which some
// go to a branch with a milder config: a result shows the worst of theirs.
func (p *Pipeline) shown(ctx context.Context, r store.Run) (review.CheckRun, error) {
	check, err := p.check(r)
	if err != nil || (r.Status != review.StatusDone && r.Status != review.StatusSkipped) {
		return check, err
	}
	attempts, err := p.Store.Attempts(ctx, r.Repo.ID, r.Pull.HeadSHA, r.Pipeline)
	if err != nil {
		return check, err
	}
	latest := make(map[int]store.Run)
	for _, a := range attempts {
		if a.Pull.Number == r.Pull.Number {
			continue
		}
		switch a.Status {
		case review.StatusDead: // it says of its head that nobody has reviewed it
			plan, err := planOf(a)
			if err != nil {
				return check, err
			}
			a.Outcome = strategy.Unavailable(plan.Gate, a.Reason)
			latest[a.Pull.Number] = a
		case review.StatusDone:
			latest[a.Pull.Number] = a
		}
	}
	for _, number := range slices.Sorted(maps.Keys(latest)) {
		other := latest[number].Outcome
		if !worse(other, review.Outcome{Conclusion: check.Conclusion}) {
			continue
		}
		sub, _, err := p.Store.Subject(ctx, r.Repo.ID, number)
		if err != nil {
			return check, err
		}
		if !sub.Closed && sub.HeadSHA == r.Pull.HeadSHA {
			check.Conclusion = other.Conclusion
			check.Output.Title = fmt.Sprintf("The result of pull request #%d, which has the same head", number)
		}
	}
	return check, nil
}

func (p *Pipeline) options(r store.Run) reports.Options {
	return reports.Options{RunURL: p.runURL(r.ID), GitHubURL: p.GitHubURL, Version: p.Version}
}

// fresh is what the run's check is to be sent. GitHub appends annotations and
// takes none back, so those that earlier attempts have sent are left out, and
// those of what the check shows of this one already. before is how many those
// are.
func (p *Pipeline) fresh(attempts []store.Run, r store.Run, shown review.Run) (list []review.Annotation, before int, err error) {
	seen := make(map[review.Annotation]bool)
	add := func(r store.Run) error {
		check, err := p.check(r)
		if err != nil {
			return err
		}
		list = nil
		for _, a := range check.Output.Annotations {
			if !seen[a] {
				seen[a] = true
				list = append(list, a)
			}
		}
		return nil
	}
	for _, earlier := range attempts {
		if earlier.Attempt < r.Attempt && earlier.Status == review.StatusDone {
			if err := add(earlier); err != nil {
				return nil, 0, err
			}
		}
	}
	if shown.ID != "" {
		part := r
		part.Run = shown
		if err := add(part); err != nil {
			return nil, 0, err
		}
	}
	before = len(seen)
	err = add(r)
	return list, before, err
}
