package app

import (
	"context"
	"strconv"

	"assay/internal/cache"
	"assay/review"
)

// maxAnswers bounds the memory that models' answers take.
const maxAnswers = 32 << 20

// answers keeps what models answered: in memory, and under it in the store.
type answers struct {
	memory *cache.Cache[string, []byte]
}

func (a *App) newAnswers() (*answers, error) {
	cfg := a.opts.Config.Caches.Results
	memory, err := cache.New[string, []byte](cache.Config[[]byte]{
		Name: "model_answers", TTL: cfg.TTL, Size: cfg.Size, Bytes: maxAnswers, Weigh: func(b []byte) int { return len(b) },
	})
	if err != nil {
		return nil, err
	}
	return &answers{memory: memory}, a.caches.Add(memory)
}

// Lookup implements reviewer.Answers.
func (a *answers) Lookup(ctx context.Context, repo review.Repo, key string) ([]byte, bool) {
	return a.memory.Lookup(of(repo, key))
}

// Put implements reviewer.Answers.
func (a *answers) Put(ctx context.Context, repo review.Repo, key string, answer []byte) {
	a.memory.Put(of(repo, key), answer)
}

// of keeps the answers of repositories apart, whatever is the same in them.
func of(repo review.Repo, key string) string { return strconv.FormatInt(repo.ID, 10) + "/" + key }
