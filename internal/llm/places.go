package llm

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"assay/internal/fault"
)

// busyWait is when to come back to a provider all of whose places were taken.
const busyWait = 5 * time.Second

// places bounds the calls to a provider at a time. Those that wait are served
// in turn by account, and within one in order: one account's hundred calls do
// not stand before another's first.
type places struct {
	name    string
	maxWait time.Duration
	random  func() float64

	mu    sync.Mutex
	size  int
	free  int
	lines []*line // in the order of their turns; none is empty
}

// line is who waits of one account.
type line struct {
	account string
	waiting []chan struct{} // closed when the place is given
}

// enter waits for a place. leave must be called once.
func (p *places) enter(ctx context.Context, account string) (leave func(), err error) {
	turn := p.ask(account)
	if turn == nil {
		return p.leave, nil
	}
	timer := time.NewTimer(p.maxWait)
	defer timer.Stop()
	select {
	case <-turn:
		return p.leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = p.full()
	}
	if p.withdraw(account, turn) {
		return nil, err
	}
	return p.leave, nil // it was given at the same moment
}

// ask takes a free place, or else a turn.
func (p *places) ask(account string) (turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free > 0 {
		p.free--
		return nil
	}
	turn = make(chan struct{})
	for _, l := range p.lines {
		if l.account == account {
			l.waiting = append(l.waiting, turn)
			return turn
		}
	}
	p.lines = append(p.lines, &line{account: account, waiting: []chan struct{}{turn}})
	return turn
}

// withdraw takes back a turn; false if it has come already.
func (p *places) withdraw(account string, turn chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, l := range p.lines {
		j := slices.Index(l.waiting, turn)
		if l.account != account || j < 0 {
			continue
		}
		l.waiting = slices.Delete(l.waiting, j, j+1)
		if len(l.waiting) == 0 {
			p.lines = slices.Delete(p.lines, i, i+1)
		}
		return true
	}
	return false
}

// leave hands the place to whose turn it is.
func (p *places) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) == 0 {
		p.free++
		return
	}
	next := p.lines[0]
	p.lines = p.lines[1:]
	close(next.waiting[0])
	if next.waiting = next.waiting[1:]; len(next.waiting) > 0 {
		p.lines = append(p.lines, next)
	}
}

func (p *places) full() error {
	until := time.Now().Add(busyWait + time.Duration(p.random()*float64(busyWait)))
	return fault.Until(fault.Busy, until, fmt.Errorf("%s is busy: %d calls under way, no place within %s", p.name, p.size, p.maxWait))
}
