package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
)

// Heal tries to complete a run some of whose agents wait for something outside:
// they alone are run again, and what comes of it is shown in the same check run
// and the same comment. While something is still awaited the error is
// fault.Busy with the time of the next try. A run that was overtaken is left.
func (p *Pipeline) Heal(ctx context.Context, id string) error {
	h, ok, err := p.Store.Heal(ctx, id)
	if err != nil || !ok {
		return err // done before a crash
	}
	r, err := p.Store.Run(ctx, id)
	if fault.KindOf(err) == fault.Gone {
		return p.Queue.Forget(ctx, id)
	}
	if err != nil {
		return err
	}
	err = p.heal(ctx, &r, h)
	if errors.Is(context.Cause(ctx), queue.ErrOvertaken) || errors.Is(err, queue.ErrOvertaken) {
		return p.leave(ctx, id)
	}
	if fault.KindOf(err) == fault.Transient { // GitHub is down too: nothing was tried
		return fault.Until(fault.Busy, p.Now().Add(healBase), err)
	}
	return err
}

// leave ends the healing of a run that was overtaken, and concludes its check
// run if it was kept open.
func (p *Pipeline) leave(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeTimeout)
	defer cancel()
	r, err := p.Store.Run(ctx, id)
	if err != nil {
		return err
	}
	if r.Status.Final() && r.Status != review.StatusDone {
		if err := p.conclude(ctx, &r); err != nil {
			return err
		}
		p.OnRun(ctx, r.Run)
	}
	p.Logger.Info("run is not completed, it was overtaken", "run", id)
	return p.Queue.Forget(ctx, id)
}

func (p *Pipeline) heal(ctx context.Context, r *store.Run, h store.Heal) error {
	if err := p.stands(ctx, *r); err != nil {
		return err
	}
	if r.Status == review.StatusDone && !h.OpenUntil.IsZero() {
		// Concluded right before a crash: what is stored is what is shown.
		h.OpenUntil, h.Shown = time.Time{}, partOf(r.Run)
	}
	repo, now, missing := p.GitHub.Repository(r.Installation, r.Repo), p.Now(), awaited(r.Run)
	switch {
	case h.Unshown || len(missing) == 0:
		return p.showHealed(ctx, repo, r, h, true)
	case !now.Before(h.GiveUp):
		return p.giveUp(ctx, repo, r, h)
	case r.Status == review.StatusRunning && !now.Before(h.OpenUntil):
		return p.closeOpen(ctx, repo, r, h)
	case now.Before(h.NextTry):
		return waiting(h, h.NextTry)
	}
	again, until := p.reachable(missing)
	if len(again) == 0 {
		h.NextTry = until
		return p.putOff(ctx, h)
	}
	return p.tryAgain(ctx, repo, r, h, again)
}

// stands makes sure that the run speaks for its head still. Of a pull request
// that is closed nobody waits for it; it may be opened again.
func (p *Pipeline) stands(ctx context.Context, r store.Run) error {
	if r.Status != review.StatusRunning && r.Status != review.StatusDone {
		return queue.ErrOvertaken
	}
	standing, err := p.Store.Standing(ctx, r.ID)
	if err != nil {
		return err
	}
	if !standing {
		return queue.ErrOvertaken
	}
	sub, _, err := p.Store.Subject(ctx, r.Repo.ID, r.Pull.Number)
	if err == nil && sub.Closed {
		err = fault.Until(fault.Busy, p.Now().Add(healMax), errors.New("the pull request is closed"))
	}
	return err
}

// reachable are the names of those agents whose dependency may be in reach;
// until is when the first of the others is.
func (p *Pipeline) reachable(missing []review.AgentRun) (again map[string]bool, until time.Time) {
	again = make(map[string]bool)
	for _, a := range missing {
		at, down := p.Down(a.Dependency)
		if !down {
			again[a.Name] = true
		} else if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	return again, until
}

// waiting is the error of a run that still waits.
func waiting(h store.Heal, until time.Time) error {
	return fault.Until(fault.Busy, until, fmt.Errorf("run %s waits for %s", h.Run, strings.Join(h.Dependencies, ", ")))
}

func (p *Pipeline) putOff(ctx context.Context, h store.Heal) error {
	if !h.OpenUntil.IsZero() && h.OpenUntil.Before(h.NextTry) {
		h.NextTry = h.OpenUntil
	}
	next, err := p.Queue.PutOff(ctx, h)
	if err != nil {
		return err
	}
	return waiting(h, next)
}

// tryAgain runs the agents that again names.
func (p *Pipeline) tryAgain(ctx context.Context, repo Repository, r *store.Run, h store.Heal, again map[string]bool) error {
	plan, err := planOf(*r)
	if err != nil {
		return err
	}
	if err := p.unchanged(ctx, repo, *r); err != nil {
		return err
	}
	change, err := repo.Change(ctx, r.Pull)
	if errors.Is(err, review.ErrHeadMoved) {
		return fault.Until(fault.Busy, p.Now().Add(apiLag), err)
	}
	if err != nil {
		return err
	}
	before := awaited(r.Run)
	if err := p.Complete(ctx, plan, change, &r.Run, func(a review.AgentRun) bool { return again[a.Name] }); err != nil {
		return err
	}
	if _, err := p.markDismissed(ctx, r); err != nil {
		return err
	}
	missing := awaited(r.Run)
	h.Tries++
	h.Dependencies, h.NextTry = dependencies(missing), nextTry(h, missing, p.Now())
	h.Unshown = len(missing) < len(before)
	for _, name := range dependencies(before) {
		if !slices.Contains(h.Dependencies, name) {
			p.Queue.Recovered(ctx, name)
		}
	}
	if len(missing) == 0 {
		noteHealed(&r.Run, dependencies(before), p.Now())
	}
	return p.keepHealed(ctx, repo, r, h)
}

// keepHealed stores what a try has brought, and shows it if it brought
// anything.
func (p *Pipeline) keepHealed(ctx context.Context, repo Repository, r *store.Run, h store.Heal) error {
	next, ok, err := p.Queue.Healed(ctx, r.Run, h)
	if err != nil {
		return err
	}
	if !ok {
		return queue.ErrOvertaken
	}
	p.Crash("healed")
	if h.Unshown {
		return p.showHealed(ctx, repo, r, h, false)
	}
	return waiting(h, next)
}

// noteHealed says in the report that it came in two parts.
func noteHealed(r *review.Run, names []string, now time.Time) {
	if r.FinishedAt.IsZero() {
		return // the first part was never given out as the report
	}
	note := fmt.Sprintf("completed %s later: %s was out of reach", spoken(now.Sub(r.FinishedAt)), strings.Join(names, " and "))
	if r.Note != "" {
		note = r.Note + "; " + note
	}
	r.Note = note
}

// unchanged makes sure that GitHub, too, shows the run's head as the pull
// request's. Where it does not, the event that says so is on its way, or
// reconciliation finds it.
func (p *Pipeline) unchanged(ctx context.Context, repo Source, r store.Run) error {
	if r.Pull.Number == 0 {
		return nil // commits do not move
	}
	pull, err := repo.Pull(ctx, r.Pull.Number)
	if err != nil {
		return err
	}
	if pull.HeadSHA != r.Pull.HeadSHA || pull.BaseRef != r.Pull.BaseRef || pull.Closed {
		return fault.Until(fault.Busy, p.Now().Add(apiLag), errors.New("GitHub does not show the pull request as it was reviewed"))
	}
	return nil
}

// showHealed brings the pull request up to date with the stored result. It may
// have been cut off before (resumed).
func (p *Pipeline) showHealed(ctx context.Context, repo Repository, r *store.Run, h store.Heal, resumed bool) error {
	var err error
	switch missing := awaited(r.Run); {
	case r.Status == review.StatusDone:
		err = p.showAgain(ctx, repo, r, h, resumed)
	case len(missing) > 0:
		err = p.update(ctx, repo, r, nil) // still open, with less missing
	default:
		if err = p.publish(ctx, repo, r, true, nil); err == nil {
			p.OnRun(ctx, r.Run)
		}
	}
	if err != nil {
		return err
	}
	p.Crash("shown-again")
	if len(awaited(r.Run)) == 0 {
		p.Logger.Info("run completed itself", "run", r.ID, "conclusion", r.Outcome.Conclusion, "tries", h.Tries)
		return p.Queue.Forget(ctx, r.ID)
	}
	h.Unshown = false
	if r.Status == review.StatusDone {
		h.Shown = partOf(r.Run)
	}
	return p.putOff(ctx, h)
}

// showAgain updates what was concluded.
func (p *Pipeline) showAgain(ctx context.Context, repo Repository, r *store.Run, h store.Heal, resumed bool) error {
	if err := p.unchanged(ctx, repo, *r); err != nil {
		return err
	}
	if err := p.publishCheck(ctx, repo, r, h.Shown, resumed); err != nil {
		return err
	}
	p.Crash("check-updated")
	return p.finish(ctx, repo, r, func(context.Context) error { return nil })
}

// closeOpen concludes a check that was kept open for as long as it may be: the
// gate says as what. The run goes on to complete itself.
func (p *Pipeline) closeOpen(ctx context.Context, repo Repository, r *store.Run, h store.Heal) error {
	if err := p.publish(ctx, repo, r, true, nil); err != nil {
		return err
	}
	p.OnRun(ctx, r.Run)
	h.OpenUntil, h.Shown = time.Time{}, partOf(r.Run)
	h.NextTry = nextTry(h, awaited(r.Run), p.Now())
	return p.putOff(ctx, h)
}

// giveUp ends the waiting: the missing agents stay missing.
func (p *Pipeline) giveUp(ctx context.Context, repo Repository, r *store.Run, h store.Heal) error {
	plan, err := planOf(*r)
	if err != nil {
		return err
	}
	for i, a := range r.Agents {
		if a.Awaited() {
			r.Agents[i].Reason, r.Agents[i].Dependency, r.Agents[i].RetryAt = a.Reason+"; given up after "+spoken(healFor), "", time.Time{}
		}
	}
	r.Outcome = outcomeOf(plan, r.Run)
	h.Unshown, h.Dependencies = true, nil
	p.Logger.Warn("run could not be completed", "run", r.ID, "tries", h.Tries)
	return p.keepHealed(ctx, repo, r, h)
}

// HealFailed ends the healing of a run by an error that time does not mend. A
// check run that was kept open is concluded like that of any failed run; one
// that was concluded stays as it is.
func (p *Pipeline) HealFailed(ctx context.Context, id string, cause error) error {
	r, err := p.Store.Run(ctx, id)
	if err != nil && fault.KindOf(err) != fault.Gone {
		return err
	}
	if err == nil && !r.Status.Final() {
		if err := p.RunFailed(ctx, id, cause); err != nil {
			return err
		}
	}
	return p.Queue.Forget(ctx, id)
}
