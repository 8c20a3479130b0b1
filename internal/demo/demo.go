// Package demo shows Assay at work without a GitHub App: a fake GitHub with a
// sample repository, the real service beside it, and pull requests that are
// opened, reviewed and mended while somebody watches.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"assay/internal/app"
	"assay/internal/config"
	"assay/internal/ghfake"
)

// Options say how a demo is run.
type Options struct {
	// Env is the environment: PORT and HOST are honoured, and the settings of
	// work and logs.
	Env config.Lookup
	// DataDir is where the service keeps its database.
	DataDir string
	Version string
	Logger  *slog.Logger
}

// Demo is a running demo.
type Demo struct {
	github  *ghfake.Server
	hub     *http.Server
	app     *ghfake.App
	service *app.App
	url     string // the service's
	hubURL  string // the fake GitHub's
}

// hookSecret signs the webhooks between the two halves of the demo; they both
// listen on loopback alone.
const hookSecret = "demo-only-webhook-secret-of-the-fake"

// appID is the demo app's.
const appID = 1

// Start starts the fake GitHub and the service.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{}
	if err := d.start(ctx, o); err != nil {
		return nil, errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context, o Options) (err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the fake GitHub: %w", err)
	}
	hubURL := "http://" + listener.Addr().String()
	d.hubURL = hubURL
	if d.github, err = ghfake.New(ghfake.Config{
		APIURL: hubURL + "/api/v3", WebURL: hubURL, HookConcurrency: 1, Logger: quiet(o.Logger),
	}); err != nil {
		return errors.Join(fmt.Errorf("start the fake GitHub: %w", err), listener.Close())
	}
	d.hub = &http.Server{Handler: d.github, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = d.hub.Serve(listener) }()
	d.app = d.github.AddApp(ghfake.App{ID: appID, Slug: "assay", Name: "Assay", WebhookSecret: hookSecret})

	cfg, err := d.config(o, hubURL)
	if err != nil {
		return err
	}
	if d.service, err = app.Start(ctx, app.Options{Config: cfg, Version: o.Version, Logger: o.Logger}); err != nil {
		return err
	}
	d.url = cfg.Server.PublicURL
	d.github.SetHook(d.app, d.url+"/webhook", hookSecret)
	return nil
}

// config is the service's, as an operator would set it.
func (d *Demo) config(o Options, hubURL string) (config.Config, error) {
	values := map[string]string{
		"GITHUB_APP_ID": strconv.Itoa(appID), "GITHUB_APP_PRIVATE_KEY": string(d.app.KeyPEM()), "GITHUB_WEBHOOK_SECRET": hookSecret,
		"GITHUB_URL": hubURL, "GITHUB_API_URL": hubURL + "/api/v3", "DATA_DIR": o.DataDir, "ASSAY_ROLES": "accept,work",
		// This GitHub has no limits to keep to.
		"GITHUB_WRITE_INTERVAL": "50ms", "GITHUB_WRITES_PER_MINUTE": "0", "GITHUB_WRITES_PER_HOUR": "0",
	}
	if host, _ := o.Env("HOST"); host == "" {
		values["HOST"] = "127.0.0.1"
	}
	cfg, err := config.Load(config.Override(values, only(o.Env, "HOST", "PORT", "ASSAY_WORKERS", "ASSAY_SHUTDOWN_TIMEOUT")))
	if err != nil {
		return cfg, err
	}
	if cfg.Server.Port == 0 {
		if cfg.Server.Port, err = freePort(); err != nil {
			return cfg, err
		}
		cfg.Server.PublicURL = "http://localhost:" + strconv.Itoa(cfg.Server.Port)
	}
	return cfg, nil
}

// only hides all but some variables: the operator's credentials, database and
// PUBLIC_URL, which the demo's webhooks would be sent to, have no business in a
// demo.
func only(env config.Lookup, names ...string) config.Lookup {
	return func(name string) (string, bool) {
		for _, n := range names {
			if n == name {
				return env(name)
			}
		}
		return "", false
	}
}

// freePort finds a port for a service that must know its own address before it
// listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// URL is where the service's pages are.
func (d *Demo) URL() string { return d.url }

// Wait returns when the service can no longer serve.
func (d *Demo) Wait() error { return d.service.Wait() }

// Stop stops both halves.
func (d *Demo) Stop(ctx context.Context) error {
	var errs []error
	if d.service != nil {
		errs = append(errs, d.service.Stop(ctx))
	}
	if d.hub != nil {
		errs = append(errs, d.hub.Close())
	}
	if d.github != nil {
		d.github.Close()
	}
	return errors.Join(errs...)
}

// Violations are requests of the service that the real GitHub would have
// refused, or answers it would not have given.
func (d *Demo) Violations() []ghfake.Violation { return d.github.Violations() }

func quiet(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log.With("part", "fake GitHub")
}
