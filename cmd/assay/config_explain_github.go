package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"assay/internal/config"
	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/pipeline"
	"assay/review"
	"assay/strategy"
)

// fromGitHub reads a pull request and the layers of its repository.
func (c explainCmd) fromGitHub(cmd command) (s strategy.Settings, ev review.Event, err error) {
	cfg, err := config.Load(cmd.env)
	if err != nil {
		return s, ev, err
	}
	owner, name, number, err := pullURL(c.PR, cfg.GitHub.URL)
	if err != nil {
		return s, ev, err
	}
	if cfg.App.ID == 0 || cfg.App.PrivateKey.IsZero() {
		return s, ev, errors.New("--pr needs GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY (or _PATH) as the service has them; --event needs neither")
	}
	github, err := ghapp.New(ghapp.Config{AppID: cfg.App.ID, PrivateKey: []byte(cfg.App.PrivateKey.Reveal()), APIURL: cfg.GitHub.APIURL})
	if err != nil {
		return s, ev, err
	}
	installation, repo, err := github.InstallationOf(cmd.ctx, owner, name)
	if fault.KindOf(err) == fault.Gone {
		return s, ev, fmt.Errorf("the app is not installed on %s/%s: install it there, or give --event FILE", owner, name)
	}
	if err != nil {
		return s, ev, err
	}
	repository := github.Repository(installation, repo, ghapp.ForReading)
	pull, err := repository.Pull(cmd.ctx, number)
	if err != nil {
		return s, ev, err
	}
	change, err := repository.Change(cmd.ctx, pull)
	if err != nil {
		return s, ev, err
	}
	event, action, _ := strings.Cut(c.As, ".")
	ev = review.Event{Name: event, Action: action, Installation: installation, Repo: repo, Sender: pull.Author, Pull: &pull}
	org := github.Repository(installation, review.Repo{Owner: owner, Name: ".github"}, ghapp.ForReading)
	layers, err := c.readLayers(cmd, org, repository, pull.BaseRef)
	if err != nil {
		return s, ev, err
	}
	v, err := serviceVocabulary(cmd)
	if err != nil {
		return s, ev, err
	}
	s = strategy.Load(v, layers...)
	s.Files, s.Truncated = append([]review.File{}, change.Files...), change.Truncated != ""
	return s, ev, nil
}

// readLayers reads from GitHub what is not named on the command line.
func (c explainCmd) readLayers(cmd command, org, repository *ghapp.Repository, base string) ([]strategy.Layer, error) {
	layers, err := c.layers(cmd.stdin, false)
	if err != nil {
		return nil, err
	}
	read := func(kind strategy.LayerKind, from *ghapp.Repository, ref, path, shown string) error {
		data, err := from.File(cmd.ctx, ref, path)
		switch {
		case errors.Is(err, review.ErrNotExist), kind == strategy.Organisation && (fault.KindOf(err) == fault.Gone || fault.KindOf(err) == fault.Unauthorized):
			return nil
		case err != nil:
			return fmt.Errorf("read config of the %s: %w", kind, err)
		}
		layers = append(layers, strategy.Layer{Kind: kind, Path: shown, Data: data})
		return nil
	}
	if c.OrgConfig == "" {
		if err := read(strategy.Organisation, org, "HEAD", "assay.yml", "the organisation's assay.yml"); err != nil {
			return nil, err
		}
	}
	if c.Config == "" {
		if err := read(strategy.Repository, repository, "refs/heads/"+base, pipeline.ConfigPath, pipeline.ConfigPath); err != nil {
			return nil, err
		}
	}
	return layers, nil
}

// pullURL reads the address of a pull request on the GitHub that is configured.
func pullURL(text, github string) (owner, name string, number int, err error) {
	bad := fmt.Errorf("--pr %q is not a pull request on %s: give %s/OWNER/NAME/pull/NUMBER", text, github, github)
	u, err := url.Parse(text)
	if err != nil {
		return "", "", 0, bad
	}
	home, err := url.Parse(github)
	if err != nil || !strings.EqualFold(u.Host, home.Host) {
		return "", "", 0, bad
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(u.Path, home.Path), "/"), "/")
	if len(parts) < 4 || parts[2] != "pull" {
		return "", "", 0, bad
	}
	if number, err = strconv.Atoi(parts[3]); err != nil || number < 1 {
		return "", "", 0, bad
	}
	return parts[0], parts[1], number, nil
}
