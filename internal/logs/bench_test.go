package logs

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// BenchmarkHandler is what censoring adds to a usual line of the log, of
// attributes without secrets.
func BenchmarkHandler(b *testing.B) {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "run done", 0)
	r.Add("run", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "repo", "octo-org/shop", "pull", 7, "pipeline", "review", "conclusion", "success", "error", errors.New("none"))
	plain := slog.NewJSONHandler(discard{}, nil)
	for name, h := range map[string]slog.Handler{"plain": plain, "censored": newCensor().Handler(plain)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := h.Handle(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
