package pipeline

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
)

const (
	// healFor is how long missing agents are tried again: after a day the
	// pull request has been merged, pushed to, or looked at by a person.
	healFor = 24 * time.Hour
	// healBase doubles with each try that was in vain, up to healMax.
	healBase = 30 * time.Second
	healMax  = 15 * time.Minute
	// exactTries is how often what was out of reach is believed when it says
	// when it will be back.
	exactTries = 3
)

// awaited are the agents that are missing for want of something outside.
func awaited(r review.Run) []review.AgentRun {
	return slices.DeleteFunc(slices.Clone(r.Agents), func(a review.AgentRun) bool { return !a.Awaited() })
}

func dependencies(agents []review.AgentRun) []string {
	var names []string
	for _, a := range agents {
		names = append(names, a.Dependency)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// healOf is what is to be remembered of a run that was judged, so that it
// completes itself; nil where there is nothing to wait for.
func (p *Pipeline) healOf(r store.Run) (*store.Heal, error) {
	missing := awaited(r.Run)
	if len(missing) == 0 {
		return nil, nil
	}
	plan, err := planOf(r)
	if err != nil {
		return nil, err
	}
	now := p.Now().UTC()
	h := &store.Heal{Run: r.ID, Dependencies: dependencies(missing), GiveUp: now.Add(plan.Gate.RetryFor + healFor), Shown: partOf(r.Run)}
	// Where findings fail the check, what is missing cannot make it better.
	failed := r.Outcome.Verdict == review.RequestChanges || r.Outcome.Verdict == review.Block
	if plan.Gate.RetryFor > 0 && !failed {
		h.OpenUntil, h.Shown = r.AwaitUntil, review.Run{}
		if h.OpenUntil.IsZero() {
			h.OpenUntil = now.Add(plan.Gate.RetryFor)
		}
	}
	h.NextTry = nextTry(*h, missing, now)
	return h, nil
}

// partOf is as much of a run as makes annotations.
func partOf(r review.Run) review.Run {
	return review.Run{ID: r.ID, Status: review.StatusDone, Pipeline: r.Pipeline, Findings: r.Findings, Problems: r.Problems}
}

// nextTry is when the agents are run next: when what they wait for is said to
// be back, at first, and after growing pauses later.
func nextTry(h store.Heal, missing []review.AgentRun, now time.Time) time.Time {
	pause := min(healMax, healBase<<min(h.Tries, 10))
	pause = pause/2 + rand.N(pause/2)
	at := now.Add(pause)
	if known := earliest(missing); known.After(now) && (h.Tries < exactTries || known.After(at)) {
		at = known
	}
	for _, end := range []time.Time{h.GiveUp, h.OpenUntil} { // what happens then is not put off
		if !end.IsZero() && end.Before(at) {
			at = end
		}
	}
	return at
}

func earliest(missing []review.AgentRun) (at time.Time) {
	for _, a := range missing {
		if at.IsZero() || !a.RetryAt.IsZero() && a.RetryAt.Before(at) {
			at = a.RetryAt
		}
	}
	return at
}

// await keeps the check of a run open, with what there is and what is awaited.
// From then on the run is Heal's.
func (p *Pipeline) await(ctx context.Context, repo Checks, r *store.Run, heal store.Heal) error {
	r.AwaitUntil = heal.OpenUntil
	ok, err := p.Store.SaveJudged(ctx, r.Run)
	if err != nil {
		return err
	}
	if !ok {
		return queue.ErrOvertaken
	}
	if err := p.update(ctx, repo, r, nil); err != nil {
		return err
	}
	p.Crash("awaited")
	p.Logger.Info("run waits", "run", r.ID, "for", heal.Dependencies, "until", heal.OpenUntil)
	return p.Queue.Await(ctx, *r, heal)
}
