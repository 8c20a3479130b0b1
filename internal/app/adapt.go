package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"assay/internal/queue"
	"assay/internal/store"
	"assay/review"
	"assay/webhook"
)

// NewAccepter stores what webhook accepts.
func NewAccepter(q *queue.Queue) webhook.Accepter { return accepter{q} }

type accepter struct{ queue *queue.Queue }

func (a accepter) Accept(ctx context.Context, d webhook.Delivery) (webhook.Result, error) {
	fresh, err := a.queue.Accept(ctx, DeliveryRow(d))
	if err != nil || fresh {
		return webhook.Accepted, err
	}
	return webhook.Duplicate, nil
}

// DeliveryRow is a delivery as it is stored.
func DeliveryRow(d webhook.Delivery) store.Delivery {
	row := store.Delivery{
		GUID: d.GUID, Event: d.Event.Name, Action: d.Event.Action, Installation: d.Event.Installation,
		RepoID: d.Event.Repo.ID, PullUpdatedAt: d.Event.PullUpdatedAt, Header: d.Header, Body: d.Body,
	}
	if d.Event.Pull != nil {
		row.Number, row.HeadSHA = d.Event.Pull.Number, d.Event.Pull.HeadSHA
	}
	if !d.Repeatable {
		row.ReplayKey = append([]byte(d.Event.String()+"\x00"), d.SHA256[:]...)
	}
	return row
}

// runs shows the store's runs to the pages.
type runs struct{ store *store.Store }

func (r runs) Run(ctx context.Context, id string) (review.Run, error) {
	run, err := r.store.Run(ctx, id)
	return run.Run, err
}

func (r runs) Recent(ctx context.Context, limit int) ([]review.Run, error) {
	list, err := r.store.Runs(ctx, "", limit)
	if err != nil {
		return nil, err
	}
	recent := make([]review.Run, len(list))
	for i, run := range list {
		recent[i] = run.Run
	}
	return recent, nil
}

// crashAt makes the process kill itself at a named point, "judged", or at its
// n-th passing, "judged:3": for tests of what a crash leaves behind.
func crashAt(spec string) func(point string) {
	if spec == "" {
		return nil
	}
	name, count, _ := strings.Cut(spec, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	var left atomic.Int64
	left.Store(n)
	return func(point string) {
		if point == name && left.Add(-1) == 0 {
			fmt.Fprintln(os.Stderr, "crash at", point)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
}

// leveled lets warnings and errors pass, and information only at debug level.
type leveled struct{ slog.Handler }

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	if level < slog.LevelWarn {
		return l.Handler.Enabled(ctx, slog.LevelDebug)
	}
	return l.Handler.Enabled(ctx, level)
}

func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs)}
}

func (l leveled) WithGroup(name string) slog.Handler { return leveled{l.Handler.WithGroup(name)} }
