// Package app wires Assay together, starts it and stops it. It alone knows all
// the parts; none of them knows it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"time"

	"assay/agents"
	"assay/internal/cache"
	"assay/internal/config"
	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/guard"
	"assay/internal/logs"
	"assay/internal/metrics"
	"assay/internal/pipeline"
	"assay/internal/queue"
	"assay/internal/reconcile"
	"assay/internal/schedule"
	"assay/internal/server"
	"assay/internal/store"
	"assay/internal/traces"
	"assay/internal/web"
	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

// Options is what an App is made of.
type Options struct {
	Config  config.Config
	Version string
	Logger  *slog.Logger
	// Extra, if set, makes agents beyond those of this build, for tests. Their
	// calls go through dependencies of the set.
	Extra func(guards *guard.Set) ([]agents.Agent, error)
	// Guard, if set, adjusts how the dependency of a name is guarded.
	Guard func(name string, cfg guard.Config) guard.Config
}

// App is the running service.
type App struct {
	opts   Options
	censor logs.Censor
	log    *slog.Logger // censored
	store  *store.Store
	queue  *queue.Queue
	server *server.Server
	stops  []stop

	// What looks after the calls that leave the process, and what watches it.
	guards   *guard.Set
	caches   *cache.Set
	github   *ghapp.App
	metrics  *metrics.Metrics
	traces   *traces.Traces
	reviewer pipeline.Reviewer
	healing  healing
	// What configs may choose from, the operator's file (nil for none), and what
	// is in force by that alone.
	vocabulary strategy.Vocabulary
	operator   *strategy.Layer
	settings   strategy.Settings
	// reconciler is nil where nothing is worked on.
	reconciler *reconcile.Reconciler
	// scheduler is nil likewise.
	scheduler *schedule.Scheduler
}

// stop is what undoes a step of Start.
type stop struct {
	name string
	do   func(ctx context.Context) error
}

// Start starts the service. Whatever was started when a later step fails is
// stopped again.
func Start(ctx context.Context, opts Options) (*App, error) {
	if err := opts.Config.RequireApp(); err != nil {
		return nil, err
	}
	a := &App{opts: opts, censor: logs.New(opts.Config.Secrets()), caches: &cache.Set{}}
	a.guards = guard.NewSet(a.guardConfig)
	a.log = slog.New(a.censor.Handler(opts.Logger.Handler()))
	if err := a.start(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) onStop(name string, do func(ctx context.Context) error) {
	a.stops = append(a.stops, stop{name, do})
}

// start is straight wiring, kept whole: its order is the order of the data.
func (a *App) start(ctx context.Context) (err error) {
	cfg := a.opts.Config
	crash := crashAt(cfg.Work.CrashAt)
	if err = a.observe(ctx); err != nil {
		return err
	}
	if err = a.outside(); err != nil {
		return err
	}
	a.store, err = store.Open(ctx, store.Config{URL: databaseURL(cfg), Logger: quiet(a.log)})
	if err != nil {
		return err
	}
	a.onStop("database", func(context.Context) error { return a.store.Close() })

	node := store.NewRunID()
	a.queue, err = queue.New(ctx, a.store, queue.Config{
		Node: node, Runners: cfg.Work.Workers, StopTimeout: cfg.Work.ShutdownTimeout * 6 / 10, Crash: crash, Logger: quiet(a.log),
	})
	if err != nil {
		return err
	}
	var handler queue.Handler
	if cfg.Work.Run {
		var p *pipeline.Pipeline
		if p, err = a.pipeline(crash); err != nil {
			return err
		}
		handler = observed{p, a.metrics, a.traces}
		if err = a.newReconciler(node); err != nil {
			return err
		}
		if err = a.newScheduler(node, p, crash); err != nil {
			return err
		}
	}
	a.onStop("queue", a.queue.Stop)
	a.onStop("healing", a.stopHealing)
	if err = a.queue.Start(ctx, handler); err != nil {
		return err
	}

	serverConfig := server.Config{
		Addr: cfg.Server.Addr(), Ready: a.store.Ping, AdminToken: cfg.Server.AdminToken, Published: !cfg.Server.Local,
		Operations: a.operations(), Logger: a.log,
	}
	if serverConfig.Pages, err = web.New(runs{a.store}, web.Config{GitHubURL: cfg.GitHub.URL, PublicURL: cfg.Server.PublicURL, Version: a.opts.Version}); err != nil {
		return err
	}
	if cfg.Work.Accept {
		if serverConfig.Webhook, err = a.webhook(); err != nil {
			return err
		}
		if serverConfig.SARIF, err = a.intake(); err != nil {
			return err
		}
	}
	a.server = server.New(serverConfig)
	a.onStop("server", a.server.Stop)
	if err = a.server.Start(ctx); err != nil {
		return err
	}
	// After the server: what is asked for comes as a webhook.
	a.reconcile(ctx)
	a.schedule(ctx)
	return nil
}

func (a *App) pipeline(crash func(string)) (*pipeline.Pipeline, error) {
	cfg := a.opts.Config
	return pipeline.New(pipeline.Config{
		GitHub: repositories{a.github}, Store: a.store, Queue: a.queue, Reviewer: a.reviewer, Down: a.guards.Down, OnRun: a.runEnded, Censor: a.censor.Text,
		AppID: cfg.App.ID, PublicURL: cfg.Server.PublicURL, GitHubURL: cfg.GitHub.URL, Version: a.opts.Version,
		Vocabulary: a.vocabulary, Operator: a.operator, OrgConfigTTL: cfg.Caches.OrgConfig.TTL, OrgConfigSize: cfg.Caches.OrgConfig.Size, Caches: a.caches,
		Crash: crash, Logger: a.log,
	})
}

func (a *App) webhook() (http.Handler, error) {
	var secrets []webhook.Secret
	for _, s := range a.opts.Config.App.WebhookSecrets {
		secrets = append(secrets, webhook.Secret(s.Reveal()))
	}
	verifier, err := webhook.NewVerifier(secrets)
	if err != nil {
		return nil, fmt.Errorf("GITHUB_WEBHOOK_SECRET: %w", err)
	}
	handler := webhook.New(verifier, NewAccepter(a.queue), webhook.Config{AppID: a.opts.Config.App.ID, Logger: a.log, OnResult: a.metrics.Delivery})
	return a.traces.Handler("webhook", handler), nil
}

// Addr is the address that the service listens on.
func (a *App) Addr() string { return a.server.Addr() }

// Run returns a run as the store has it; a missing one is fault.Gone.
func (a *App) Run(ctx context.Context, id string) (review.Run, error) {
	return runs{a.store}.Run(ctx, id)
}

// Wait returns when the service can no longer serve.
func (a *App) Wait() error { return a.server.Wait() }

// Stop stops what Start started, last first, within the shutdown timeout: no
// new requests, then the work under way, then the database. It may be called
// twice.
func (a *App) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(a.opts.Config.Work.ShutdownTimeout, time.Second))
	defer cancel()
	var errs []error
	for len(a.stops) > 0 {
		last := a.stops[len(a.stops)-1]
		a.stops = a.stops[:len(a.stops)-1]
		if err := last.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

func databaseURL(cfg config.Config) string {
	if cfg.Storage.Database.Kind == config.Postgres {
		return cfg.Storage.Database.URL.Reveal()
	}
	return "sqlite:" + cfg.Storage.Database.Path
}

// OpenStore opens the service's database beside a running service, for commands
// that look at it. There must be one: a command in the wrong place must not make an empty one
// and call it the service's.
func OpenStore(ctx context.Context, cfg config.Config) (*store.Store, error) {
	if db := cfg.Storage.Database; db.Kind == config.SQLite {
		if _, err := os.Stat(db.Path); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Invalid, fmt.Errorf("there is no database at %s: set DATA_DIR or DATABASE_URL as they are for the service", db.Path))
		}
	}
	return store.Open(ctx, store.Config{URL: databaseURL(cfg), Shared: true})
}

// quiet keeps the queue's library from logging its routine at info.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(leveled{log.Handler()})
}

// repositories gives the pipeline ghapp's repositories with the permissions of
// a review.
type repositories struct{ app *ghapp.App }

func (r repositories) Repository(installation int64, repo review.Repo) pipeline.Repository {
	return r.app.Repository(installation, repo, ghapp.ForReview)
}
