package pipeline

import (
	"context"
	"slices"
	"strings"

	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

const branchPrefix = "refs/heads/"

// branchPushed opens the runs of a push to the default branch; pushes to others
// are their pull requests' business.
func (p *Pipeline) branchPushed(ctx context.Context, d store.Delivery, ev review.Event) error {
	c := ev.Commits
	branch, ok := strings.CutPrefix(c.Ref, branchPrefix)
	if !ok || branch != ev.Repo.DefaultBranch || c.Deletes() {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the push is not to the default branch")
	}
	ev.Pull = &review.Pull{Title: "Push to " + branch, Author: ev.Sender, BaseRef: branch, BaseSHA: c.BaseSHA, HeadRef: branch, HeadSHA: c.HeadSHA}
	if c.Creates() {
		ev.Pull.BaseSHA = ""
	}
	return p.open(ctx, p.GitHub.Repository(ev.Installation, ev.Repo), d, ev, store.Subject{})
}

// grouped opens the runs of a merge group. A required check must conclude on
// the group too, or it waits for ever: pipelines of pull requests that do not
// listen to merge groups are concluded as skipped.
func (p *Pipeline) grouped(ctx context.Context, d store.Delivery, ev review.Event) error {
	c := ev.Commits
	base := strings.TrimPrefix(c.BaseRef, branchPrefix)
	ev.Pull = &review.Pull{
		Title: "Merge group of " + base, Author: ev.Sender, BaseRef: base, BaseSHA: c.BaseSHA,
		HeadRef: strings.TrimPrefix(c.Ref, branchPrefix), HeadSHA: c.HeadSHA,
	}
	return p.open(ctx, p.GitHub.Repository(ev.Installation, ev.Repo), d, ev, store.Subject{})
}

// standIn adds to the decision on a merge group a skip of each pipeline that
// reviews pull requests and is not in it.
func standIn(decision strategy.Decision, ev review.Event, s strategy.Settings) strategy.Decision {
	if ev.Name != "merge_group" || decision.NeedsFiles {
		return decision
	}
	ev.Name, ev.Action = "check_suite", "rerequested" // to which each of them is started
	s.Files = []review.File{}
	on := strategy.Decide(ev, s)
	add := func(pipeline, check string) {
		if slices.ContainsFunc(decision.Plans, func(p strategy.Plan) bool { return p.Pipeline == pipeline }) ||
			slices.ContainsFunc(decision.Skips, func(s strategy.Skip) bool { return s.Pipeline == pipeline }) {
			return
		}
		decision.Skips = append(decision.Skips, strategy.Skip{
			Pipeline: pipeline, CheckName: check, Reason: "each pull request of the merge group was reviewed by itself",
		})
	}
	for _, plan := range on.Plans {
		add(plan.Pipeline, plan.CheckName)
	}
	for _, skip := range on.Skips {
		add(skip.Pipeline, skip.CheckName)
	}
	return decision
}
