package ghapp

import (
	"assay/internal/fault"
	"context"
	"fmt"
	"sync"
	"time"
)

// memo loads each key once, however many ask for it, and keeps what keep
// allows. A load runs on a context of its own, so that a caller who leaves
// fails nobody else.
type memo[K comparable, V any] struct {
	load    func(context.Context, K) (V, error)
	keep    func(V, error) bool
	timeout time.Duration

	mu    sync.Mutex
	loads map[K]*load[V]
}

type load[V any] struct {
	done  chan struct{} // closed when value and err are set
	value V
	err   error
}

// get returns the key's value, waiting for it no longer than ctx allows.
func (m *memo[K, V]) get(ctx context.Context, key K) (V, error) {
	m.mu.Lock()
	l, ok := m.loads[key]
	if !ok {
		l = &load[V]{done: make(chan struct{})}
		if m.loads == nil {
			m.loads = make(map[K]*load[V])
		}
		m.loads[key] = l
		go m.run(context.WithoutCancel(ctx), key, l)
	}
	m.mu.Unlock()
	select {
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	case <-l.done:
		return l.value, l.err
	}
}

func (m *memo[K, V]) run(ctx context.Context, key K, l *load[V]) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			l.err = fault.New(fault.Internal, fmt.Errorf("panic: %v", p))
		}
		m.mu.Lock()
		if !m.keep(l.value, l.err) {
			delete(m.loads, key)
		}
		m.mu.Unlock()
		close(l.done)
	}()
	l.value, l.err = m.load(ctx, key)
}
