package agents

import (
	"slices"

	"assay/review"
)

// index is the place of the agent in o.Agents; -1 when it is not there.
func (o Outcome) index(agent string) int {
	return slices.IndexFunc(o.Agents, func(a review.AgentRun) bool { return a.Name == agent })
}

// of is what the agent answered.
func (o Outcome) of(agent string) (a answer, ok bool) {
	if o.index(agent) < 0 {
		return a, false
	}
	for _, f := range o.Findings {
		if f.Agent == agent {
			a.findings = append(a.findings, f)
		}
	}
	for _, c := range o.Coverage {
		if c.Agent == agent {
			a.coverage = append(a.coverage, c)
		}
	}
	return a, true
}

// Without is o without what the agents that again names have answered: what
// is left stands when they run again.
func (o Outcome) Without(again func(review.AgentRun) bool) Outcome {
	dropped := make(map[string]bool)
	var left Outcome
	for _, a := range o.Agents {
		if dropped[a.Name] = again(a); !dropped[a.Name] {
			left.Agents = append(left.Agents, a)
		}
	}
	left.Findings = slices.DeleteFunc(slices.Clone(o.Findings), func(f review.Finding) bool { return dropped[f.Agent] })
	left.Coverage = slices.DeleteFunc(slices.Clone(o.Coverage), func(c review.Coverage) bool { return dropped[c.Agent] })
	return left
}
