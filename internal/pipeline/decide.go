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

// Decide reads a delivery and opens the runs that it leads to.
func (p *Pipeline) Decide(ctx context.Context, id int64) error {
	d, err := p.Store.Delivery(ctx, id)
	if err != nil {
		return err
	}
	if d.Status != store.DeliveryAccepted {
		return nil // finished before a crash
	}
	err = p.act(ctx, d)
	if err != nil && ctx.Err() == nil {
		if noteErr := p.Store.NoteTrouble(ctx, id, p.Censor(err.Error())); noteErr != nil {
			p.Logger.Warn("why a delivery waits is not noted", "delivery", d.GUID, "error", noteErr)
		}
	}
	return err
}

func (p *Pipeline) act(ctx context.Context, d store.Delivery) error {
	ev, err := webhook.Parse(d.Event, d.Body)
	if err != nil {
		return fault.New(fault.Invalid, fmt.Errorf("read delivery %s: %w", d.GUID, err))
	}
	ev.Delivery = d.GUID
	handle, ok := handlerOf(d, ev)
	if !ok {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "nothing acts on "+ev.String())
	}
	refused, err := p.refused(ctx, ev)
	if err != nil {
		return err
	}
	if refused != "" {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, refused)
	}
	if err := p.schedulesMayChange(ctx, ev); err != nil {
		return err
	}
	return handle(p, ctx, d, ev)
}

// DecideFailed makes the delivery a dead letter. Runs that it had opened show
// a reason on their pages; the error's own words are for the operator.
func (p *Pipeline) DecideFailed(ctx context.Context, id int64, cause error) error {
	return p.Queue.Bury(ctx, id, p.Censor(cause.Error()), deadReason(cause))
}

func subjectOf(ev review.Event) store.Subject {
	return store.Subject{RepoID: ev.Repo.ID, Number: ev.Pull.Number, HeadSHA: ev.Pull.HeadSHA, PullUpdatedAt: ev.PullUpdatedAt, Closed: ev.Pull.Closed}
}

// open decides by the base branch's config and opens, shows and enqueues.
func (p *Pipeline) open(ctx context.Context, repo Repository, d store.Delivery, ev review.Event, seen store.Subject) error {
	decision, err := p.decide(ctx, repo, d, ev)
	if err != nil {
		return err
	}
	runs, err := p.runsOf(decision, ev)
	if err != nil {
		return err
	}
	o := queue.Opening{
		Delivery: d, Subject: subjectOf(ev), Seen: seen, Runs: runs, Fact: isFact(ev),
		Rerun: ev.Action == "rerequested" || d.Header[ReplayHeader] != "",
	}
	opened, err := p.start(ctx, repo, o)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return p.Queue.Finish(ctx, d, store.DeliveryIgnored, "no pipeline listens to "+ev.String())
	}
	return p.Queue.Commit(ctx, d, opened)
}

// decide says what the event leads to, fetching the change's files where a
// condition asks for them.
func (p *Pipeline) decide(ctx context.Context, repo Source, d store.Delivery, ev review.Event) (strategy.Decision, error) {
	in, err := p.settings(ctx, repo, ev)
	if err != nil {
		return strategy.Decision{}, err
	}
	settings := in.Settings
	decision := standIn(strategy.Decide(ev, settings), ev, settings)
	if !decision.NeedsFiles {
		return decision, nil
	}
	if ev.Pull.Number == 0 && ev.Pull.BaseSHA == "" { // nothing was changed
		settings.Files = []review.File{}
		return standIn(strategy.Decide(ev, settings), ev, settings), nil
	}
	change, err := repo.Change(ctx, *ev.Pull)
	if errors.Is(err, review.ErrHeadMoved) && p.Now().Sub(d.ReceivedAt) < apiLag {
		// The API may be behind its own webhooks, or the next one on its way.
		return decision, fault.Until(fault.Busy, p.Now().Add(apiLagWait), fmt.Errorf("read files: %w", err))
	}
	if err != nil && !errors.Is(err, review.ErrHeadMoved) {
		return decision, fmt.Errorf("read files: %w", err)
	}
	settings.Files = []review.File{}
	if change != nil {
		settings.Files, settings.Truncated = append(settings.Files, change.Files...), change.Truncated != ""
	}
	return standIn(strategy.Decide(ev, settings), ev, settings), nil
}

// start opens runs and shows those that are the delivery's to show.
func (p *Pipeline) start(ctx context.Context, repo Checks, o queue.Opening) ([]store.Run, error) {
	note, err := p.note(ctx, o.Delivery)
	if err != nil {
		return nil, err
	}
	for i := range o.Runs {
		o.Runs[i].Note = note
	}
	opened, err := p.Queue.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	for i := range opened {
		if opened[i].Waits {
			continue // the check run is another attempt's until its end
		}
		if err := p.show(ctx, repo, &opened[i]); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

func (p *Pipeline) runsOf(decision strategy.Decision, ev review.Event) ([]store.Run, error) {
	var runs []store.Run
	for i, plan := range decision.Plans {
		plan.TriesConfig = i == 0 && ev.Pull.Number != 0 && !isFact(ev)
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
		Repo: ev.Repo, Pull: *ev.Pull, Issue: ev.Issue, QueuedAt: p.Now().UTC(),
	}}, nil
}

func planOf(r store.Run) (strategy.Plan, error) {
	var plan strategy.Plan
	if err := json.Unmarshal(r.Plan, &plan); err != nil {
		return plan, fmt.Errorf("read plan of run %s: %w", r.ID, err)
	}
	return plan, nil
}
