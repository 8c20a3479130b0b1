package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"assay/internal/app"
	"assay/internal/config"
)

type serveCmd struct {
	Roles string `help:"What this process does: accept, work, or both. Overrides ASSAY_ROLES." placeholder:"accept,work"`
	Port  string `help:"The port to listen on. Overrides PORT." placeholder:"8080"`
}

// Help is shown by assay serve --help.
func (serveCmd) Help() string {
	return `Settings come from the environment; docs/environment.md lists them all. Required:
GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY (or _PATH) and GITHUB_WEBHOOK_SECRET. The
app's webhook URL is PUBLIC_URL followed by /webhook.`
}

func (c serveCmd) Run(cmd command) error {
	cfg, err := config.Load(config.Override(c.overrides(), cmd.env))
	if err != nil {
		return err
	}
	log := newLogger(cmd.stderr, cfg.Log)
	service, err := app.Start(cmd.ctx, app.Options{Config: cfg, Version: buildVersion(), Logger: log})
	if err != nil {
		return err
	}
	log.Info("serving", "addr", service.Addr(), "webhook", strings.TrimSuffix(cfg.Server.PublicURL, "/")+"/webhook", "version", buildVersion())
	if cfg.Server.Local {
		log.Warn("PUBLIC_URL leads to this machine only: GitHub cannot deliver webhooks, and links in reports work here alone")
	}
	failed := make(chan error, 1)
	go func() { failed <- service.Wait() }()
	select {
	case <-cmd.ctx.Done():
		log.Info("stopping")
	case err = <-failed:
	}
	if stopErr := service.Stop(context.WithoutCancel(cmd.ctx)); stopErr != nil {
		return fmt.Errorf("stop: %w", stopErr)
	}
	return err
}

func (c serveCmd) overrides() map[string]string {
	values := make(map[string]string)
	if c.Roles != "" {
		values["ASSAY_ROLES"] = c.Roles
	}
	if c.Port != "" {
		values["PORT"] = c.Port
	}
	return values
}

func newLogger(w io.Writer, cfg config.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == config.Text {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}
