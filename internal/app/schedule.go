package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/pipeline"
	"assay/internal/schedule"
	"assay/internal/server"
	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// asked are the headers of deliveries of the service's own making.
func asked() map[string]string { return map[string]string{pipeline.AskedHeader: "1"} }

// newScheduler makes the scheduler.
func (a *App) newScheduler(node string, p *pipeline.Pipeline, crash func(string)) (err error) {
	a.scheduler, err = schedule.New(configs{a.github, p}, a.store, a.queue, schedule.Config{
		Node: node, Mark: asked(), Base: a.base(), Interval: a.opts.Config.Work.ScheduleInterval, Crash: crash, Logger: a.log,
	})
	return err
}

// base is what the operator's file is known by.
func (a *App) base() string {
	if a.operator == nil {
		return ""
	}
	sum := sha256.Sum256(a.operator.Data)
	return hex.EncodeToString(sum[:])
}

// schedule starts the scheduler where there is work to do, unless it is turned
// off.
func (a *App) schedule(ctx context.Context) {
	if a.scheduler == nil || a.opts.Config.Work.ScheduleInterval == 0 {
		return
	}
	a.onStop("schedules", a.scheduler.Stop)
	a.scheduler.Start(ctx)
}

// configs reads schedules.
type configs struct {
	github   *ghapp.App
	pipeline *pipeline.Pipeline
}

func (c configs) Schedules(ctx context.Context, r store.Repository) (review.Repo, []strategy.Schedule, error) {
	// The default branch may have changed, and events do not always tell it.
	repo, err := c.github.Repository(r.Installation, r.Repo, ghapp.ForReview).Repo(ctx)
	if err != nil {
		return repo, nil, err
	}
	list, err := c.pipeline.Schedules(ctx, r.Installation, repo)
	return repo, list, err
}

// runByHand starts what the operator asks for.
func (a *App) runByHand(ctx context.Context, r server.RunRequest) (server.RunAnswer, error) {
	manual := schedule.Manual{Finder: a.github, Store: a.store, Queue: a.queue, Mark: asked()}
	answer, err := manual.Run(ctx, schedule.Request{
		Owner: r.Owner, Name: r.Name, Event: r.Event, Key: r.Key, Asked: review.Asked{Number: r.Pull, Ref: r.Ref, Pipeline: r.Pipeline},
	})
	if errors.Is(err, schedule.ErrOtherRequest) {
		err = fault.New(fault.Invalid, err)
	}
	if err != nil {
		return server.RunAnswer{}, err
	}
	out := server.RunAnswer{Delivery: answer.Delivery, Status: string(answer.Status)}
	if len(answer.Runs) == 0 && answer.Status != store.DeliveryAccepted {
		out.Error = cmp.Or(answer.Reason, "nothing was started")
	}
	for _, run := range answer.Runs {
		out.Runs = append(out.Runs, server.RunStarted{
			ID: run.ID, Pipeline: run.Pipeline, URL: a.opts.Config.Server.PublicURL + "/runs/" + run.ID, Status: string(run.Status), HeadSHA: run.Pull.HeadSHA,
		})
	}
	return out, nil
}
