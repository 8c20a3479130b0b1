package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"assay/agents/sarif"
	"assay/internal/intake"
	"assay/internal/store"
)

// intake takes uploads; nil where the operator wants none.
func (a *App) intake() (http.Handler, error) {
	secret := a.opts.Config.Server.SARIFSecret
	if secret.IsZero() {
		return nil, nil
	}
	handler, err := intake.New(intake.Config{Secret: secret.Reveal(), Keeper: uploads{a}, Logger: a.log})
	if err != nil {
		return nil, err
	}
	return a.traces.Handler("sarif", handler), nil
}

// uploads keeps what CI sends in the store, and gives it to the agent.
type uploads struct{ app *App }

// Repository implements intake.Keeper.
func (u uploads) Repository(ctx context.Context, owner, name string) (int64, bool, error) {
	repo, ok, err := u.app.store.RepositoryNamed(ctx, owner, name)
	return repo.ID, ok, err
}

// Keep implements intake.Keeper. The reviews that wait for the upload are woken.
func (u uploads) Keep(ctx context.Context, upload intake.Upload) error {
	var results bytes.Buffer
	encoder := json.NewEncoder(&results)
	encoder.SetEscapeHTML(false) // it is for ourselves
	if err := encoder.Encode(upload.Log); err != nil {
		return fmt.Errorf("keep upload: %w", err)
	}
	err := u.app.store.PutUpload(ctx, store.Upload{
		RepoID: upload.RepoID, HeadSHA: upload.HeadSHA, Category: upload.Category, Results: results.Bytes(), ReceivedAt: upload.Received,
	})
	if err != nil {
		return err
	}
	u.app.log.Info("results of CI taken", "repository", upload.RepoID, "head", upload.HeadSHA, "category", upload.Category, "results", upload.Log.Results())
	u.app.heal(sarif.Dependency(upload.HeadSHA))
	return nil
}

// Uploads implements sarif.Source.
func (u uploads) Uploads(ctx context.Context, repoID int64, headSHA string) ([]sarif.Upload, error) {
	kept, err := u.app.store.Uploads(ctx, repoID, headSHA)
	if err != nil {
		return nil, err
	}
	all := make([]sarif.Upload, len(kept))
	for i, k := range kept {
		all[i] = sarif.Upload{Category: k.Category, Received: k.ReceivedAt}
		if err := json.Unmarshal(k.Results, &all[i].Log); err != nil {
			return nil, fmt.Errorf("read the upload %q for %s: %w", k.Category, headSHA, err)
		}
	}
	return all, nil
}
