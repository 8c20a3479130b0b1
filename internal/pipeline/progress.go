package pipeline

import (
	"context"
	"sync"
	"time"

	"assay/internal/store"
	"assay/review"
	"assay/strategy"
)

// progressTimeout bounds one update of a running check.
const progressTimeout = 30 * time.Second

// progress keeps the check run of a running run up to date, in the background
// and not too often. What it cannot show is no error: the report will be.
type progress struct {
	once sync.Once
	quit chan struct{}
	done chan struct{}

	mu     sync.Mutex
	agents []review.AgentRun
	fresh  bool
}

func (p *Pipeline) startProgress(ctx context.Context, repo Checks, r store.Run, plan strategy.Plan) *progress {
	g := &progress{quit: make(chan struct{}), done: make(chan struct{}), fresh: true}
	for _, name := range plan.Agents() {
		g.agents = append(g.agents, review.AgentRun{Name: name, Status: review.AgentWaiting})
	}
	go func() {
		defer close(g.done)
		tick := time.NewTicker(p.ProgressEvery)
		defer tick.Stop()
		for {
			if agents, fresh := g.take(); fresh {
				r.Agents = agents
				p.showProgress(ctx, repo, &r)
			}
			select {
			case <-g.quit:
				return
			case <-tick.C:
			}
		}
	}()
	return g
}

// showProgress is not cut short when the run ends: a request that was given up
// may still reach GitHub, and would then be written over the report.
func (p *Pipeline) showProgress(ctx context.Context, repo Checks, r *store.Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), progressTimeout)
	defer cancel()
	if err := p.update(ctx, repo, r, nil); err != nil {
		p.Logger.Warn("progress not shown", "run", r.ID, "error", err)
	}
}

// set is the agents' runner telling how far they are.
func (g *progress) set(agents []review.AgentRun) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.agents, g.fresh = agents, true
}

func (g *progress) take() ([]review.AgentRun, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh := g.fresh
	g.fresh = false
	return g.agents, fresh
}

// stop ends the updates and waits for the last: after it nothing writes
// "in progress" over the report. It may be called twice.
func (g *progress) stop() {
	g.once.Do(func() { close(g.quit) })
	<-g.done
}
