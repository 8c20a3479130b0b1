package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"assay/agents"
	"assay/internal/fault"
	"assay/reports"
	"assay/review"
	"assay/strategy"
)

// Reviewer runs plans over changes, wherever they come from.
type Reviewer struct {
	Agents *agents.Registry
	Runner *agents.Runner
	// Now is the clock by which suppressions expire; time.Now if nil.
	Now func() time.Time
}

func (v Reviewer) today() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

// Vocabulary is what configs may choose from of the agents that there are.
func (v Reviewer) Vocabulary() strategy.Vocabulary {
	vocabulary := strategy.Vocabulary{Agents: v.Agents.Names(), Kinds: v.Agents.Kinds()}
	for _, rule := range v.Agents.Rules() {
		vocabulary.Rules = append(vocabulary.Rules, rule.ID)
	}
	return vocabulary
}

// Review runs the plan's agents over the change and fills in the run with what
// came of it, the outcome included. Trouble of the agents is part of the
// outcome; an error is a plan that cannot run, or the end of ctx. progress may
// be nil.
func (v Reviewer) Review(ctx context.Context, plan strategy.Plan, change *review.Change, r *review.Run, progress func([]review.AgentRun)) error {
	return v.review(ctx, plan, change, r, agents.Outcome{}, progress)
}

// Complete runs those agents of a reviewed run again that again names. What the
// others answered stands.
func (v Reviewer) Complete(ctx context.Context, plan strategy.Plan, change *review.Change, r *review.Run, again func(review.AgentRun) bool) error {
	before := agents.Outcome{Agents: r.Agents, Findings: asFound(*r), Coverage: r.Coverage}
	return v.review(ctx, plan, change, r, before.Without(again), nil)
}

func (v Reviewer) review(ctx context.Context, plan strategy.Plan, change *review.Change, r *review.Run, kept agents.Outcome, progress func([]review.AgentRun)) error {
	stages, err := v.stages(plan)
	if err != nil {
		return err
	}
	seen := *change
	seen.Files = slices.DeleteFunc(slices.Clone(change.Files), func(f review.File) bool { return plan.Ignored(f.Path) })

	limited, cancel := context.WithTimeout(ctx, plan.Timeout)
	defer cancel()
	out := v.Runner.Run(limited, agents.Plan{
		Stages: stages, AgentTimeout: plan.Timeout, Policies: policiesOf(plan), StopOn: plan.StopOn, Kept: kept,
	}, &seen, progress)
	if err := context.Cause(ctx); err != nil {
		return err // overtaken or stopping: what there is is not a result
	}
	r.Agents, r.Coverage = out.Agents, out.Coverage
	mistakes := mistakesIn(*r) // found beside the agents, and not looked for again
	r.Findings, r.Suppressed = suppress(plan, out.Findings, v.today())
	r.Findings = append(r.Findings, mistakes...)
	r.Files, r.Ignored = len(change.Files), len(change.Files)-len(seen.Files)
	r.Truncated, r.Problems = change.Truncated, plan.Problems
	r.Outcome = outcomeOf(plan, *r)
	return nil
}

// outcomeOf judges what a run came to; dismissed findings do not count.
func outcomeOf(plan strategy.Plan, r review.Run) review.Outcome {
	left := counted(r.Findings)
	o := strategy.Judge(plan.Gate, facts(plan, r, left))
	if n := len(r.Findings) - len(left); n > 0 {
		o.Reason += fmt.Sprintf("; %d dismissed and not counted", n)
	}
	if words := reports.Suppressed(r); words != "" {
		o.Reason += "; " + words
	}
	return o
}

// facts are what a run came to, with those of its findings that count.
func facts(plan strategy.Plan, r review.Run, counted []review.Finding) strategy.Facts {
	return strategy.Facts{
		Findings: counted, Required: plan.Agents(), Agents: r.Agents, Coverage: r.Coverage,
		Files: r.Files, Ignored: r.Ignored, Truncated: r.Truncated, Problems: r.Problems, Whole: reports.WholeWords(r),
	}
}

func (v Reviewer) stages(plan strategy.Plan) ([][]agents.Agent, error) {
	stages := make([][]agents.Agent, len(plan.Stages))
	for i, names := range plan.Stages {
		for _, name := range names {
			agent, ok := v.agent(plan, name)
			if !ok {
				return nil, fault.New(fault.Invalid, fmt.Errorf("the plan names the agent %q, which this version does not have", name))
			}
			stages[i] = append(stages[i], agent)
		}
	}
	return stages, nil
}

// agent is the plan's agent of that name: one that the config makes, or one of
// the service's own.
func (v Reviewer) agent(plan strategy.Plan, name string) (agents.Agent, bool) {
	for _, made := range plan.Made {
		if made.Name == name {
			return v.Agents.Make(made.Kind(), name, plan.Policies[name], made.Uses), true
		}
	}
	return v.Agents.Get(name)
}
