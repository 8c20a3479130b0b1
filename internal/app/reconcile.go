package app

import (
	"context"
	"time"

	"assay/internal/ghapp"
	"assay/internal/pipeline"
	"assay/internal/reconcile"
	"assay/review"
	"assay/webhook"
)

// newReconciler makes the reconciler.
func (a *App) newReconciler(node string) (err error) {
	cfg := a.opts.Config
	a.reconciler, err = reconcile.New(reach{a.github}, a.store, a.queue, reconcile.Config{
		Node: node, Subscribed: webhook.Subscribed, Mark: map[string]string{pipeline.ReconcileHeader: "1"},
		Interval: cfg.Work.ReconcileInterval, Spacing: cfg.GitHub.WriteInterval, Logger: a.log,
	})
	return err
}

// reconcile starts the reconciler where there is work to do, unless it is
// turned off.
func (a *App) reconcile(ctx context.Context) {
	if a.reconciler == nil || a.opts.Config.Work.ReconcileInterval == 0 {
		return
	}
	a.onStop("reconciliation", a.reconciler.Stop)
	a.reconciler.Start(ctx)
}

// reach is ghapp as the reconciler uses it: with tokens that can read pull
// requests and nothing else.
type reach struct{ *ghapp.App }

func (r reach) OpenPulls(ctx context.Context, installation int64, repo review.Repo, since time.Time) ([]ghapp.OpenPull, error) {
	return r.Repository(installation, repo, ghapp.ReadPulls).OpenPulls(ctx, since)
}
