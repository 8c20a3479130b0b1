package app

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"strings"
	"time"

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
	if a.reviewer, err = NewReviewer(a.log, a.traces.Agent); err != nil {
		return err
	}
	a.metrics = metrics.New(metrics.Config{Version: a.opts.Version, Agents: a.reviewer.Agents.Names(), Logger: a.log})
	return nil
}

// operations are what the operator's routes answer from.
func (a *App) operations() *server.Operations {
	a.metrics.Watch(metrics.Sources{Backlog: a.store.Backlog, Breakers: a.guards.Stats, Caches: a.caches.Stats})
	sources := health.Sources{
		Commit: a.store.Ping, Backlog: a.store.Backlog, Breakers: a.guards.Stats, Limits: a.limits, Caches: a.caches.Stats, Censor: a.censor.Text,
	}
	return &server.Operations{
		Health: sources.Check, CacheStats: sources.CacheStats, Strategies: a.strategies, Metrics: a.metrics.Handler(),
	}
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

// strategies are those of a repository without a config of its own.
func (a *App) strategies() []server.Strategy {
	list := []server.Strategy{}
	for _, p := range strategy.Default(strategy.Vocabulary{Agents: a.reviewer.Agents.Names()}).Pipelines {
		for _, event := range p.On {
			list = append(list, server.Strategy{
				Event: event, Pipeline: p.Name, Agents: p.Agents, Execution: string(p.Strategy),
				Description: cmp.Or(p.Description, "The built-in pipeline, for repositories without a config"),
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

func (o observed) Run(ctx context.Context, run string) error {
	defer o.metrics.RunStarted()()
	return o.traces.Job(ctx, "run", run, func(ctx context.Context) error { return o.Handler.Run(ctx, run) })
}

// newTransport carries requests to GitHub, with bounds on each stage: it is
// what ghapp would make for itself. The calls' contexts bound the whole.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment, // where the operator says all traffic goes
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    20,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}
