package app

import (
	"cmp"
	"context"
	"strings"

	"assay/internal/guard"
	"assay/internal/health"
	"assay/internal/metrics"
	"assay/internal/queue"
	"assay/internal/server"
	"assay/internal/traces"
	"assay/review"
	"assay/strategy"
)

// observe makes what watches the service, before there is anything to watch.
func (a *App) observe(ctx context.Context) (err error) {
	cfg := a.opts.Config
	a.traces, err = traces.Start(ctx, traces.Config{
		URL: cfg.Traces.URL, Headers: cfg.Traces.Headers, Service: cfg.Traces.Service, Version: a.opts.Version,
		Censor: a.censor.Text, Logger: a.log,
	})
	if err != nil {
		return err
	}
	a.onStop("traces", func(ctx context.Context) error { a.traces.Stop(ctx); return nil })
	if a.reviewer, err = a.newReviewer(); err != nil {
		return err
	}
	if err = a.readSettings(); err != nil {
		return err
	}
	a.metrics = metrics.New(metrics.Config{Version: a.opts.Version, Agents: a.reviewer.Agents.Names(), Logger: a.log})
	return nil
}

// operations are what the operator's routes answer from.
func (a *App) operations() *server.Operations {
	watched := metrics.Sources{Backlog: a.store.Backlog, Breakers: a.guards.Stats, Caches: a.caches.Stats}
	if a.reconciler != nil {
		watched.ReviewGap = a.reconciler.ReviewGap
	}
	a.metrics.Watch(watched)
	sources := health.Sources{
		Commit: a.store.Ping, Backlog: a.store.Backlog, Breakers: a.guards.Stats, Limits: a.limits, Budgets: a.budgets, Caches: a.caches.Stats, Censor: a.censor.Text,
	}
	return &server.Operations{
		Health: sources.Check, CacheStats: sources.CacheStats, Strategies: a.strategies, Metrics: a.metrics.Handler(), Run: a.runByHand,
	}
}

// budgets are what GitHub still allows the installations that are at work.
func (a *App) budgets() (all []health.Budget) {
	for _, b := range a.github.Budgets() {
		all = append(all, health.Budget{Installation: b.Installation, Resource: "core", Limit: b.Limit, Remaining: b.Remaining, Reset: b.Reset})
	}
	return all
}

// limits are the rate limits of GitHub that have not ended.
func (a *App) limits() (all []guard.Limit) {
	for _, d := range a.guards.All() {
		if strings.HasPrefix(d.Name(), "github") {
			all = append(all, d.Limits()...)
		}
	}
	return all
}

// strategies are those that are in force where no organisation and no
// repository says anything.
func (a *App) strategies() []server.Strategy {
	list := []server.Strategy{}
	for _, p := range a.settings.Config.Pipelines {
		standard := "The built-in pipeline, for repositories without a config"
		if a.settings.Config.Origin("pipelines."+p.Name).Layer == strategy.Operator {
			standard = "A pipeline of the operator's file"
		}
		for _, event := range p.On {
			list = append(list, server.Strategy{
				Event: event, Pipeline: p.Name, Agents: p.Agents, Execution: string(p.Strategy), Description: cmp.Or(p.Description, standard),
			})
		}
	}
	return list
}

func (a *App) runEnded(ctx context.Context, r review.Run) {
	a.metrics.RunEnded(r)
	a.traces.RunEnded(ctx, r)
}

// observed counts and traces the work on jobs.
type observed struct {
	queue.Handler
	metrics *metrics.Metrics
	traces  *traces.Traces
}

func (o observed) Decide(ctx context.Context, delivery int64) error {
	return o.traces.Job(ctx, "decide", "", func(ctx context.Context) error { return o.Handler.Decide(ctx, delivery) })
}

func (o observed) Heal(ctx context.Context, run string) error {
	return o.traces.Job(ctx, "heal", run, func(ctx context.Context) error { return o.Handler.Heal(ctx, run) })
}

func (o observed) Run(ctx context.Context, run string) error {
	defer o.metrics.RunStarted()()
	return o.traces.Job(ctx, "run", run, func(ctx context.Context) error { return o.Handler.Run(ctx, run) })
}
