package app

import (
	"context"
	"log/slog"
	"strconv"

	"assay/internal/cache"
	"assay/internal/store"
	"assay/review"
)

// maxAnswers bounds the memory that models' answers take.
const maxAnswers = 32 << 20

// answers keeps what models answered: in memory, and under it in the store.
type answers struct {
	memory *cache.Cache[string, []byte]
	// store is asked for late: agents are made before the database is open.
	store func() *store.Store
	log   *slog.Logger
}

func (a *App) newAnswers() (*answers, error) {
	cfg := a.opts.Config.Caches.Results
	memory, err := cache.New[string, []byte](cache.Config[[]byte]{
		Name: "model_answers", TTL: cfg.TTL, Size: cfg.Size, Bytes: maxAnswers, Weigh: func(b []byte) int { return len(b) },
	})
	if err != nil {
		return nil, err
	}
	return &answers{memory: memory, store: func() *store.Store { return a.store }, log: a.log}, a.caches.Add(memory)
}

// Lookup implements reviewer.Answers.
func (a *answers) Lookup(ctx context.Context, repo review.Repo, key string) ([]byte, bool) {
	if answer, ok := a.memory.Lookup(of(repo, key)); ok {
		return answer, true
	}
	answer, ok, err := a.store().Answer(ctx, repo.ID, key)
	if err != nil {
		a.log.WarnContext(ctx, "answer of a model not read, it is asked again", "error", err)
	}
	if ok {
		a.memory.Put(of(repo, key), answer)
	}
	return answer, ok
}

// Put implements reviewer.Answers.
func (a *answers) Put(ctx context.Context, repo review.Repo, key string, answer []byte) {
	a.memory.Put(of(repo, key), answer)
	if err := a.store().KeepAnswer(ctx, repo.ID, key, answer); err != nil {
		a.log.WarnContext(ctx, "answer of a model not kept beyond this process", "error", err)
	}
}

// of keeps the answers of repositories apart, whatever is the same in them.
func of(repo review.Repo, key string) string { return strconv.FormatInt(repo.ID, 10) + "/" + key }
