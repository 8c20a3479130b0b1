package app

import (
	"context"
	"net/http"

	"assay/agents/dependencies"
	"assay/internal/guard"
	"assay/internal/osv"
	"assay/review"
)

// advisories is where known vulnerabilities are looked up, as the operator
// chose; nil for nowhere.
func (a *App) advisories() (dependencies.Source, error) {
	switch cfg := a.opts.Config.Advisories; {
	case cfg.API:
		client, err := osv.NewClient(&http.Client{Transport: a.traces.Transport(http.DefaultTransport)}, osv.DefaultURL)
		if err != nil {
			return nil, err
		}
		return osvAPI{app: a, client: client}, nil
	case cfg.Dir != "":
		copied, err := osv.OpenOffline(cfg.Dir)
		if err != nil {
			return nil, err
		}
		return osvCopy{copied}, nil
	default:
		return nil, nil
	}
}

// osvAPI asks OSV's API behind a guard.
type osvAPI struct {
	app    *App
	client *osv.Client
}

func (s osvAPI) Advisories(ctx context.Context, _ *review.Change, packages []review.Package) ([]review.Advisory, error) {
	dependency, err := s.app.guards.Get(osv.Dependency)
	if err != nil {
		return nil, err
	}
	return guard.Do(ctx, dependency, guard.Call{Idempotent: true}, func(ctx context.Context) ([]review.Advisory, error) {
		return s.client.Advisories(ctx, packages)
	})
}

// osvCopy asks a copy of the database.
type osvCopy struct{ *osv.Offline }

func (s osvCopy) Advisories(ctx context.Context, _ *review.Change, packages []review.Package) ([]review.Advisory, error) {
	return s.Offline.Advisories(ctx, packages)
}
