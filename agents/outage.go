package agents

import (
	"context"
	"fmt"
	"sync"

	"assay/internal/fault"
	"assay/review"
)

// Awaited is change with an eye on what is read of it: outage returns the first
// error of a kind that passes by waiting. An agent that can do with less than
// everything returns it beside what it has found, so that the run is healed
// when the other side answers again, instead of ending with a gap for good.
func Awaited(change *review.Change) (watched *review.Change, outage func() error) {
	w := &watch{}
	own := *change
	if change.Contents != nil {
		own.Contents = watchedContents{change.Contents, w}
	}
	if change.Tree != nil {
		own.Tree = watchedTree{change.Tree, w}
	}
	return &own, w.outage
}

// watch remembers the first error that passes.
type watch struct {
	mu    sync.Mutex
	first error
}

func (w *watch) see(what string, err error) {
	if err == nil || !fault.KindOf(err).Passes() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first == nil {
		w.first = fmt.Errorf("read %s: %w", what, err)
	}
}

func (w *watch) outage() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

type watchedContents struct {
	review.Contents
	watch *watch
}

func (c watchedContents) Read(ctx context.Context, side review.Side, path string) ([]byte, error) {
	text, err := c.Contents.Read(ctx, side, path)
	c.watch.see(path, err)
	return text, err
}

type watchedTree struct {
	review.Tree
	watch *watch
}

func (t watchedTree) List(ctx context.Context, side review.Side) ([]review.Entry, error) {
	entries, err := t.Tree.List(ctx, side)
	t.watch.see("the list of files", err)
	return entries, err
}
