package agents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"assay/internal/fault"
	"assay/review"
)

// Defaults of Config and Plan.
const (
	DefaultAgentTimeout = 2 * time.Minute
	DefaultGrace        = 5 * time.Second
	DefaultMaxParallel  = 8
)

// Config is what a Runner may be told. The zero value is useful.
type Config struct {
	// Logger takes what people on the pull request are not told (stacks of
	// panics, agents that do not end); nil discards it.
	Logger *slog.Logger
	// Now is the clock for the times in reports; nil is time.Now.
	Now func() time.Time
	// MaxParallel is how many agents of one run work at the same time; 0 is
	// DefaultMaxParallel.
	MaxParallel int
	// Results keeps what Versioned agents have answered; nil keeps nothing.
	Results Results
	// Grace is how long an agent may go on after its context has ended before
	// it is abandoned; 0 is DefaultGrace.
	Grace time.Duration
}

// Runner runs plans. It is safe for concurrent use.
type Runner struct {
	log         *slog.Logger
	now         func() time.Time
	maxParallel int
	grace       time.Duration
	results     Results
	stuck       stuck
}

// New returns a Runner.
func New(cfg Config) (*Runner, error) {
	if cfg.MaxParallel < 0 {
		return nil, fmt.Errorf("config MaxParallel is %d: use 0 for the default, or 1 and more", cfg.MaxParallel)
	}
	if cfg.Grace < 0 {
		return nil, fmt.Errorf("config Grace is %s: use 0 for the default, or more", cfg.Grace)
	}
	r := &Runner{log: cfg.Logger, now: cfg.Now, maxParallel: cfg.MaxParallel, grace: cfg.Grace, results: cfg.Results}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.maxParallel == 0 {
		r.maxParallel = DefaultMaxParallel
	}
	if r.grace == 0 {
		r.grace = DefaultGrace
	}
	return r, nil
}

// Plan says which agents run and in what order. Stages run one after another,
// the agents of a stage side by side: one stage is "parallel", one agent a
// stage is "sequential". An agent is named at most once.
type Plan struct {
	Stages [][]Agent
	// AgentTimeout is each agent's deadline from its own start; 0 is
	// DefaultAgentTimeout.
	AgentTimeout time.Duration
	// Policies are what the config tells the agents, by name.
	Policies map[string]review.Policy
	// StopOn ends the plan after a stage with a finding at least this severe;
	// SeverityNone never does. Agents that are not reached are unavailable.
	StopOn review.Severity
	// Kept is what an earlier run of the plan over the same change came to, as
	// far as it stands: the agents in Kept.Agents do not run again, and what
	// they found is part of the outcome.
	Kept Outcome
}

// Parallel is the plan that runs all agents side by side.
func Parallel(agents ...Agent) Plan { return Plan{Stages: [][]Agent{agents}} }

// Sequential is the plan that runs the agents one after another, each seeing
// the findings of those before it.
func Sequential(agents ...Agent) Plan {
	var p Plan
	for _, a := range agents {
		p.Stages = append(p.Stages, []Agent{a})
	}
	return p
}

// Outcome is what came of a plan.
type Outcome struct {
	// Agents are in the order of the plan.
	Agents []review.AgentRun
	// Findings are fingerprinted and sorted by review.Fingerprint.
	Findings []review.Finding
	// Coverage has an entry for every agent and every file, in the order of
	// Agents and of the change's files.
	Coverage []review.Coverage
}

// Run runs the plan over the change. It always returns an outcome, if need be
// one in which no agent was available: when ctx ends, the agents at work are
// told, waited for during the grace, and what there is is returned.
//
// progress, if not nil, is called with a copy of the agents' states whenever
// one changes, first when all are waiting; calls never overlap.
func (r *Runner) Run(ctx context.Context, plan Plan, change *review.Change, progress func([]review.AgentRun)) Outcome {
	if plan.AgentTimeout <= 0 {
		plan.AgentTimeout = DefaultAgentTimeout
	}
	board := newBoard(plan, progress)
	var out Outcome
	stopped := ""
	next := 0
	changed := digest(change)
	for _, stage := range plan.Stages {
		answers := r.runStage(ctx, stageRun{
			agents: stage, first: next, timeout: plan.AgentTimeout, stopped: stopped, policies: plan.Policies, kept: plan.Kept, change: changed,
			in: Input{Change: change, Prior: slices.Clip(slices.Clone(out.Findings))},
		}, board)
		next += len(stage)
		for _, a := range answers {
			out.Findings = append(out.Findings, a.findings...)
			out.Coverage = append(out.Coverage, a.coverage...)
		}
		if stopped == "" && plan.StopOn != review.SeverityNone {
			if worst := worstOf(out.Findings); worst >= plan.StopOn {
				stopped = fmt.Sprintf("not run: an agent before it made a %s finding", worst)
			}
		}
	}
	review.Fingerprint(out.Findings)
	out.Agents = board.snapshot()
	return out
}

// stageRun is the work of one stage.
type stageRun struct {
	agents  []Agent
	first   int // index of the stage's first agent in the plan
	timeout time.Duration
	in      Input
	// policies are what the config tells the agents.
	policies map[string]review.Policy
	kept     Outcome
	change   func() string // the digest of the change
	stopped  string        // why the stage is not to run; empty when it is
}

// answer is what is kept of one agent's result.
type answer struct {
	findings []review.Finding
	coverage []review.Coverage
}

func (r *Runner) runStage(ctx context.Context, s stageRun, board *board) []answer {
	answers := make([]answer, len(s.agents))
	slots := make(chan struct{}, r.maxParallel)
	var wg sync.WaitGroup
	for i, agent := range s.agents {
		wg.Go(func() {
			at := s.first + i
			if kept, ok := s.kept.of(board.name(at)); ok {
				answers[i] = kept
				return
			}
			if s.stopped != "" {
				answers[i] = r.unavailable(board, at, s.in.Change, s.stopped)
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				answers[i] = r.unavailable(board, at, s.in.Change, endReason(ctx))
				return
			}
			answers[i] = r.runAgent(ctx, s, agent, board, at)
		})
	}
	wg.Wait()
	return answers
}

func (r *Runner) runAgent(ctx context.Context, s stageRun, agent Agent, board *board, at int) answer {
	name := board.name(at)
	board.update(at, func(a *review.AgentRun) { a.Status, a.StartedAt = review.AgentRunning, r.now() })

	in := s.in
	in.Policy = s.policies[name]
	key := r.key(agent, in, s.change)
	result, cached := r.known(key)
	var err error
	if !cached {
		result, err = r.call(ctx, name, agent, in, s.timeout)
	}
	reason := ""
	if err != nil {
		reason = reasonOf(ctx, err, s.timeout)
		r.log.WarnContext(ctx, "agent unavailable", "agent", name, "err", err)
	}
	checked := check(name, s.in.Change, result).under(RulesOf(agent), in.Policy)
	if reason == "" {
		reason = checked.refusal
	}
	status, note := review.AgentDone, joined(checked.note, clean(result.Note, maxReason))
	if reason != "" {
		status, note = review.AgentUnavailable, reason
	}
	coverage, examined := receipts(name, s.in.Change, result.Coverage, reason)
	if reason == "" && !cached {
		r.remember(key, result, coverage)
	}
	board.update(at, func(a *review.AgentRun) {
		a.Status, a.Reason, a.FinishedAt = status, note, r.now()
		a.Findings, a.Examined, a.Cached = len(checked.findings), examined, cached
		if !cached {
			a.Usage = result.Usage
		}
		if dependency := fault.DependencyOf(err); dependency != "" {
			a.Dependency, a.RetryAt = clean(dependency, maxName), fault.RetryAt(err).UTC()
		}
	})
	return answer{findings: checked.findings, coverage: coverage}
}

// joined joins phrases, of which either may be empty.
func joined(a, b string) string {
	if a != "" && b != "" {
		return a + "; " + b
	}
	return a + b
}

// unavailable records an agent that was never started.
func (r *Runner) unavailable(board *board, at int, change *review.Change, reason string) answer {
	coverage, _ := receipts(board.name(at), change, nil, reason)
	board.update(at, func(a *review.AgentRun) { a.Status, a.Reason = review.AgentUnavailable, reason })
	return answer{coverage: coverage}
}

// endReason says for people why the run itself ended.
func endReason(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "the run's time was up"
	}
	return "cancelled"
}

func worstOf(findings []review.Finding) review.Severity {
	worst := review.SeverityNone
	for _, f := range findings {
		worst = max(worst, f.Severity)
	}
	return worst
}
