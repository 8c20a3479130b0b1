package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

// ReplayHeader marks a delivery that the operator replays: its value is the
// GUID of the one replayed. GitHub does not send it, and the webhook does not
// let it in.
const ReplayHeader = "X-Assay-Replay"

// ConfigPath is where a repository keeps its config, on the base branch.
const ConfigPath = ".github/assay.yml"

// Decide reads a delivery and opens the runs that it leads to.
func (p *Pipeline) Decide(ctx context.Context, id int64) error {
	d, err := p.Store.Delivery(ctx, id)
	if err != nil {
		return err
	}
	if d.Status != store.DeliveryAccepted {
		return nil // finished before a crash
	}
	ev, err := webhook.Parse(d.Event, d.Body)
	if err != nil {
		return fault.New(fault.Invalid, fmt.Errorf("read delivery %s: %w", d.GUID, err))
	}
	ev.Delivery = d.GUID
	switch ev.String() {
	case "pull_request.closed":
		return p.closed(ctx, d, ev)
	case "check_run.rerequested", "check_suite.rerequested":
		return p.rerequested(ctx, d, ev)
	}
	if ev.Name != "pull_request" || ev.Pull == nil {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "nothing acts on "+ev.String())
	}
	return p.pushed(ctx, d, ev)
}

// DecideFailed makes the delivery a dead letter. Runs that it had opened show
// a reason on their pages; the error's own words are for the operator.
func (p *Pipeline) DecideFailed(ctx context.Context, id int64, cause error) error {
	return p.Queue.Bury(ctx, id, p.Censor(cause.Error()), deadReason(cause))
}

func subjectOf(ev review.Event) store.Subject {
	return store.Subject{RepoID: ev.Repo.ID, Number: ev.Pull.Number, HeadSHA: ev.Pull.HeadSHA, PullUpdatedAt: ev.PullUpdatedAt, Closed: ev.Pull.Closed}
}

func (p *Pipeline) closed(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Pull == nil {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the event names no pull request")
	}
	seen, known, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Pull.Number)
	if err != nil {
		return err
	}
	// Closed and reopened within a second, in either order: GitHub is asked.
	if known && !seen.Closed && seen.PullUpdatedAt.Equal(ev.PullUpdatedAt) {
		now, err := p.GitHub.Repository(ev.Installation, ev.Repo).Pull(ctx, ev.Pull.Number)
		if err != nil && fault.KindOf(err) != fault.Gone {
			return err
		}
		if err == nil && !now.Closed {
			return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "the pull request is open again")
		}
	}
	return p.Queue.Close(ctx, d, subjectOf(ev))
}

// pushed opens the runs of a pull request's head, unless a later head is known.
func (p *Pipeline) pushed(ctx context.Context, d store.Delivery, ev review.Event) error {
	repo := p.GitHub.Repository(ev.Installation, ev.Repo)
	seen, known, err := p.Store.Subject(ctx, ev.Repo.ID, ev.Pull.Number)
	if err != nil {
		return err
	}
	stale, err := p.stale(ctx, repo, d, ev, seen)
	if err != nil {
		return err
	}
	if stale {
		return p.Queue.Finish(ctx, d, store.DeliverySuperseded, "a later event of the pull request is known")
	}
	if known && !seen.PullUpdatedAt.Before(ev.PullUpdatedAt) {
		// A late event of the head. The base that it names, whose config would
		// be in force, may be one that the pull request has left.
		now, err := repo.Pull(ctx, ev.Pull.Number)
		if err != nil {
			return err
		}
		ev.Pull.BaseRef, ev.Pull.BaseSHA, ev.PullUpdatedAt = now.BaseRef, now.BaseSHA, seen.PullUpdatedAt
	}
	return p.open(ctx, repo, d, ev, seen)
}

// stale reports whether the event is about a head that is no longer the pull
// request's. Webhooks arrive in any order; updated_at tells which is later, and
// where two heads have the same second, or an event has no time, GitHub is asked.
func (p *Pipeline) stale(ctx context.Context, repo Source, d store.Delivery, ev review.Event, seen store.Subject) (bool, error) {
	if ev.PullUpdatedAt.IsZero() {
		now, err := repo.Pull(ctx, ev.Pull.Number)
		return err == nil && now.HeadSHA != ev.Pull.HeadSHA, err
	}
	if newer, err := p.Store.NewerHead(ctx, d); newer || err != nil {
		return newer, err
	}
	later := seen.PullUpdatedAt.After(ev.PullUpdatedAt)
	if seen.HeadSHA == ev.Pull.HeadSHA {
		return later && seen.Closed, nil
	}
	if later || seen.PullUpdatedAt.Before(ev.PullUpdatedAt) {
		return later, nil
	}
	now, err := repo.Pull(ctx, ev.Pull.Number)
	if err != nil {
		return false, err
	}
	return now.HeadSHA != ev.Pull.HeadSHA, nil
}

// rerequested opens new attempts for a check run or suite that somebody asked
// to run again.
func (p *Pipeline) rerequested(ctx context.Context, d store.Delivery, ev review.Event) error {
	if ev.Check == nil || (ev.Check.AppID != 0 && p.AppID != 0 && ev.Check.AppID != p.AppID) {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "the check belongs to another app")
	}
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

// open decides by the base branch's config and opens, shows and enqueues.
func (p *Pipeline) open(ctx context.Context, repo Repository, d store.Delivery, ev review.Event, seen store.Subject) error {
	settings, err := p.settings(ctx, repo, *ev.Pull)
	if err != nil {
		return err
	}
	decision := strategy.Decide(ev, settings)
	runs, err := p.runsOf(decision, ev)
	if err != nil {
		return err
	}
	note, err := p.note(ctx, d)
	if err != nil {
		return err
	}
	for i := range runs {
		runs[i].Note = note
	}
	opened, err := p.Queue.Open(ctx, queue.Opening{
		Delivery: d, Subject: subjectOf(ev), Seen: seen, Runs: runs, Rerun: ev.Action == "rerequested" || d.Header[ReplayHeader] != "",
	})
	if err != nil {
		return err
	}
	for i := range opened {
		if err := p.show(ctx, repo, &opened[i]); err != nil {
			return err
		}
	}
	if len(runs) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "no pipeline listens to "+ev.String())
	}
	return p.Queue.Commit(ctx, d, opened)
}

// settings reads the repository's config from the base branch: what a pull
// request says about its own review does not count.
func (p *Pipeline) settings(ctx context.Context, repo Source, pull review.Pull) (strategy.Settings, error) {
	s := strategy.Settings{Vocabulary: p.vocabulary}
	// In full: a tag may have the branch's name.
	text, err := repo.File(ctx, "refs/heads/"+pull.BaseRef, ConfigPath)
	switch {
	case errors.Is(err, review.ErrNotExist):
		return s, nil
	case errors.Is(err, review.ErrTooLarge):
		s.Problems = []review.Problem{{Path: ConfigPath, Line: 1, Message: "the file is too large; the built-in config is in force"}}
		return s, nil
	case err != nil:
		return s, fmt.Errorf("read config: %w", err)
	}
	s.Config, s.Problems = strategy.Parse(ConfigPath, text, p.vocabulary)
	return s, nil
}

func (p *Pipeline) runsOf(decision strategy.Decision, ev review.Event) ([]store.Run, error) {
	var runs []store.Run
	for _, plan := range decision.Plans {
		r, err := p.newRun(ev, plan)
		if err != nil {
			return nil, err
		}
		r.Status, r.Problems = review.StatusQueued, plan.Problems
		runs = append(runs, r)
	}
	for _, skip := range decision.Skips {
		r, err := p.newRun(ev, strategy.Plan{Pipeline: skip.Pipeline, CheckName: skip.CheckName, Event: ev.String()})
		if err != nil {
			return nil, err
		}
		r.Status, r.Reason, r.FinishedAt = review.StatusSkipped, skip.Reason, r.QueuedAt
		runs = append(runs, r)
	}
	return runs, nil
}

func (p *Pipeline) newRun(ev review.Event, plan strategy.Plan) (store.Run, error) {
	stored, err := json.Marshal(plan)
	if err != nil {
		return store.Run{}, fmt.Errorf("store plan of %s: %w", plan.Pipeline, err)
	}
	return store.Run{Plan: stored, Run: review.Run{
		ID: store.NewRunID(), Pipeline: plan.Pipeline, Event: ev.String(), Delivery: ev.Delivery, Installation: ev.Installation,
		Repo: ev.Repo, Pull: *ev.Pull, QueuedAt: p.Now().UTC(),
	}}, nil
}

func planOf(r store.Run) (strategy.Plan, error) {
	var plan strategy.Plan
	if err := json.Unmarshal(r.Plan, &plan); err != nil {
		return plan, fmt.Errorf("read plan of run %s: %w", r.ID, err)
	}
	return plan, nil
}
