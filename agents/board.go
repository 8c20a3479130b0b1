package agents

import (
	"slices"
	"sync"

	"assay/review"
)

// board holds the states of the agents of one run and tells of each change.
type board struct {
	mu       sync.Mutex
	runs     []review.AgentRun
	progress func([]review.AgentRun)
}

func newBoard(plan Plan, progress func([]review.AgentRun)) *board {
	b := &board{progress: progress}
	for _, stage := range plan.Stages {
		for _, a := range stage {
			run := review.AgentRun{Name: nameOf(a), Status: review.AgentWaiting}
			if i := plan.Kept.index(run.Name); i >= 0 {
				run = plan.Kept.Agents[i]
			}
			b.runs = append(b.runs, run)
		}
	}
	b.tell()
	return b
}

// nameOf survives agents that are nil, so that a plan's mistake is an agent
// unavailable and not a service down.
func nameOf(a Agent) string {
	if a == nil {
		return "(nil)"
	}
	return a.Name()
}

func (b *board) name(at int) string { return b.runs[at].Name }

// update changes the state of one agent and tells of it. progress runs under
// the lock: that is what keeps its calls apart and in order.
func (b *board) update(at int, change func(*review.AgentRun)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.runs[at])
	b.tell()
}

func (b *board) tell() {
	if b.progress != nil {
		b.progress(slices.Clone(b.runs))
	}
}

func (b *board) snapshot() []review.AgentRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.runs)
}
