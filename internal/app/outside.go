package app

import (
	"cmp"
	"time"

	"assay/internal/config"
	"assay/internal/ghapp"
	"assay/internal/guard"
	"assay/internal/osv"
)

const (
	// githubConcurrent is the number of requests to GitHub at a time. GitHub
	// allows 100 of the whole app
	// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits),
	// tokens' among them.
	githubConcurrent = 64
	tokenConcurrent  = 16
	graphConcurrent  = 16
	// callDeadline bounds a request to GitHub, which itself gives up on one
	// after 10 s.
	callDeadline = 20 * time.Second
	// A question to OSV is a batch and the advisories that its answer names.
	osvConcurrent = 8
	osvDeadline   = 45 * time.Second
)

// outside makes what stands between the service and the world.
func (a *App) outside() (err error) {
	a.github, err = a.newGitHub()
	return err
}

// guardConfig is how the dependency of a name is guarded.
func (a *App) guardConfig(name string) guard.Config {
	cfg := guard.Config{OnChange: a.breakerChanged}
	var b config.Breaker
	switch name {
	case ghapp.RESTDependency:
		b = a.opts.Config.Breakers.GitHub
		cfg.MaxConcurrent, cfg.Deadline = githubConcurrent, callDeadline
	case ghapp.TokenDependency:
		b = a.opts.Config.Breakers.GitHubToken
		cfg.MaxConcurrent, cfg.Deadline = tokenConcurrent, callDeadline
	case ghapp.GraphQLDependency:
		b = a.opts.Config.Breakers.GitHubGraphQL
		cfg.MaxConcurrent, cfg.Deadline = graphConcurrent, callDeadline
	case osv.Dependency:
		b = a.opts.Config.Breakers.OSV
		cfg.MaxConcurrent, cfg.Deadline = osvConcurrent, osvDeadline
	default:
		var model bool
		if b, model = modelBreaker(a.opts.Config, name); model {
			cfg = a.modelGuard(cfg)
		}
	}
	cfg.FailureThreshold, cfg.ResetTimeout, cfg.MaxResetTimeout = b.FailureThreshold, b.ResetTimeout, b.MaxResetTimeout
	if a.opts.Guard != nil {
		cfg = a.opts.Guard(name, cfg)
	}
	return cfg
}

func (a *App) breakerChanged(c guard.Change) {
	a.metrics.BreakerChanged(c)
	log := a.log.With("dependency", c.Dependency, "from", c.From.String(), "to", c.To.String())
	if c.To == guard.Open {
		log.Warn("dependency is down and left alone", "next_probe", c.NextProbe)
		return
	}
	log.Info("breaker changed")
	if c.To == guard.Closed {
		a.heal(c.Dependency)
	}
}

func (a *App) newGitHub() (*ghapp.App, error) {
	cfg := a.opts.Config
	limits := func(c config.Cache) ghapp.CacheLimits { return ghapp.CacheLimits{TTL: c.TTL, Size: c.Size} }
	return ghapp.New(ghapp.Config{
		AppID: cfg.App.ID, PrivateKey: []byte(cfg.App.PrivateKey.Reveal()), APIURL: cfg.GitHub.APIURL, Logger: a.log,
		Transport: a.metrics.Transport(a.traces.Transport(ghapp.NewTransport())),
		// Here no bound is 0, there it is what is below it.
		WriteInterval: cfg.GitHub.WriteInterval, WritesPerMinute: cmp.Or(cfg.GitHub.WritesPerMinute, -1), WritesPerHour: cmp.Or(cfg.GitHub.WritesPerHour, -1),
		CallTimeout: callDeadline, Guards: a.guards, CacheSet: a.caches,
		Caches: ghapp.CacheConfig{
			Tokens: cfg.Caches.Tokens.Size, Config: limits(cfg.Caches.Config),
			Contents: limits(cfg.Caches.Contents), Answers: limits(cfg.Caches.Answers),
		},
	})
}
