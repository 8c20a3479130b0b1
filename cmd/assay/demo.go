package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"assay/internal/config"
	"assay/internal/demo"
)

type demoCmd struct {
	Once    bool `help:"End when all reports are there."`
	Verbose bool `help:"Show the service's log." short:"v"`
}

// Help is shown by assay demo --help.
func (demoCmd) Help() string {
	return `Starts a fake GitHub and the real service beside it, opens pull requests on a
sample repository and tells what happens. Everything stays on this machine and
is gone afterwards. PORT chooses the service's port (8080, or a free one when
that is taken).`
}

// playTimeout bounds the sample's reviews; they take seconds.
const playTimeout = 2 * time.Minute

func (c demoCmd) Run(cmd command) (err error) {
	// A reader that goes away, as head does, ends the demo; its data goes too.
	ctx, stop := signal.NotifyContext(cmd.ctx, syscall.SIGPIPE)
	defer stop()
	cmd.ctx = ctx
	dir, err := os.MkdirTemp("", "assay-demo-")
	if err != nil {
		return fmt.Errorf("make a place for the demo's data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := c.start(cmd, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop(context.WithoutCancel(cmd.ctx))) }()

	fmt.Fprintf(cmd.stdout, "Assay %s, with a GitHub of its own. Reports: %s\n", buildVersion(), d.URL())
	playing, cancel := context.WithTimeout(cmd.ctx, playTimeout)
	defer cancel()
	if err := d.Play(playing, cmd.stdout); err != nil {
		if cmd.ctx.Err() != nil {
			return errors.New("the demo was interrupted")
		}
		return err
	}
	for _, v := range d.Violations() {
		return fmt.Errorf("the real GitHub would have refused: %s", v)
	}
	d.Footer(cmd.stdout)
	if c.Once {
		return nil
	}
	fmt.Fprintln(cmd.stdout, "\nServing until Ctrl-C.")
	failed := make(chan error, 1)
	go func() { failed <- d.Wait() }()
	select {
	case <-cmd.ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

func (c demoCmd) start(cmd command, dir string) (*demo.Demo, error) {
	o := demo.Options{Env: cmd.env, DataDir: dir, Version: buildVersion(), Logger: c.logger(cmd)}
	d, err := demo.Start(cmd.ctx, o)
	if port, _ := cmd.env("PORT"); err == nil || port != "" || !errors.Is(err, syscall.EADDRINUSE) {
		return d, err
	}
	o.Env = config.Override(map[string]string{"PORT": "0"}, cmd.env)
	return demo.Start(cmd.ctx, o)
}

func (c demoCmd) logger(cmd command) *slog.Logger {
	level, out := slog.LevelWarn, cmd.stderr
	if c.Verbose {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
}
