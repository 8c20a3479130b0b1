package strategy

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"assay/review"
)

// Plan is all that running a pipeline once needs to know of the config. It is
// stored with the run as JSON, so that a resumed run keeps the rules that it
// began with. It is read-only.
type Plan struct {
	Pipeline    string `json:"pipeline"`
	Description string `json:"description,omitempty"`
	// CheckName is the name of the check run.
	CheckName string `json:"check_name"`
	// Event is the event that asked for the run, as "name.action".
	Event    string   `json:"event"`
	Strategy Strategy `json:"strategy"`
	// Stages are names of agents: the stages run in order and the agents of
	// one stage in parallel, each given the findings of the stages before.
	Stages [][]string `json:"stages"`
	// StopOn ends the plan after a stage with a finding so severe;
	// review.SeverityNone never does.
	StopOn review.Severity `json:"stop_on,omitempty"`
	// Policies are what the config tells the agents, by name.
	Policies map[string]review.Policy `json:"policies,omitempty"`
	// Made are the agents among Stages that the config makes; the others are
	// the service's own.
	Made []AgentRef `json:"made,omitempty"`
	// Timeout is for the agents together; in JSON in nanoseconds.
	Timeout time.Duration `json:"timeout"`
	// Budget bounds what the agents may spend together.
	Budget review.Budget `json:"budget,omitzero"`
	Gate   Gate          `json:"gate"`
	Report Report        `json:"report"`
	// Ignore are globs of paths left out of the review; see Ignored.
	Ignore []string `json:"ignore,omitempty"`
	// Suppress are the findings that the team has decided to live with; see
	// the function Suppress.
	Suppress []Suppression `json:"suppress,omitempty"`
	// TriesConfig says that the run also looks at what the change makes of the
	// config; one run of a head does. It is the caller's to set.
	TriesConfig bool `json:"tries_config,omitempty"`
	// Problems are the mistakes for which the config is not in force as it is
	// written: a layer's file that is left out, or a condition that could not
	// be evaluated.
	Problems []review.Problem `json:"problems,omitempty"`
}

// AgentRef is an agent that the config makes.
type AgentRef struct {
	Name string `json:"name"`
	// Uses is KindLLM, KindCommand, or the path of the agent's file in the
	// repository.
	Uses string `json:"uses"`
}

// Kind is the kind of the agent.
func (a AgentRef) Kind() string {
	if strings.Contains(a.Uses, "/") {
		return KindFile
	}
	return a.Uses
}

// Agents are the names of all agents of the plan, in order of stage.
func (p Plan) Agents() []string { return slices.Concat(p.Stages...) }

func planOf(p *Pipeline, event string, c *Config, problems []review.Problem) Plan {
	plan := Plan{
		Pipeline:    p.Name,
		Description: p.Description,
		CheckName:   review.CheckName(p.Name),
		Event:       event,
		Strategy:    p.Strategy,
		Stages:      stages(p),
		StopOn:      p.StopOn,
		Policies:    p.policies,
		Timeout:     p.Timeout,
		Budget:      bounded(p.Budget, c.Operator.MaxBudget),
		Gate:        p.Gate,
		Report:      p.Report,
		Ignore:      c.Ignore,
		Suppress:    c.Suppress,
		Problems:    problems,
	}
	for _, name := range p.Agents {
		if agent := c.agent(name); agent.Uses != "" {
			plan.Made = append(plan.Made, AgentRef{Name: name, Uses: agent.Uses})
		}
	}
	return plan
}

// bounded is the budget with the operator's bound in place of what it leaves
// open.
func bounded(b, most review.Budget) review.Budget {
	return review.Budget{
		Tokens: cmp.Or(b.Tokens, most.Tokens), Steps: cmp.Or(b.Steps, most.Steps),
		Time: cmp.Or(b.Time, most.Time), USD: cmp.Or(b.USD, most.USD),
	}
}

func (c *Config) agent(name string) Agent {
	for _, a := range c.Agents {
		if a.Name == name {
			return a
		}
	}
	return Agent{Name: name}
}

// rulesAgent is the agent that reads the team's rules.
const rulesAgent = "rules"

// policies are what the config tells the agents of a pipeline; nil when it is
// silent.
func (c *Config) policies(p Pipeline) map[string]review.Policy {
	var all map[string]review.Policy
	for _, name := range p.Agents {
		policy := c.policy(c.agent(name))
		if reflect.ValueOf(policy).IsZero() {
			continue
		}
		if all == nil {
			all = make(map[string]review.Policy, len(p.Agents))
		}
		all[name] = policy
	}
	return all
}

// policy is what the config tells an agent: its own settings, and of the
// team's rules and instructions what it reads.
func (c *Config) policy(a Agent) review.Policy {
	policy := a.Policy
	if a.Name == rulesAgent {
		policy.Rules = c.Rules
	}
	if a.Uses != "" || c.known.reads(a.Name) {
		policy.PathInstructions = c.Instructions
	}
	return policy
}

func stages(p *Pipeline) [][]string {
	switch p.Strategy {
	case Staged:
		return p.Stages
	case Sequential:
		groups := make([][]string, len(p.Agents))
		for i := range p.Agents {
			groups[i] = p.Agents[i : i+1 : i+1]
		}
		return groups
	default:
		return [][]string{p.Agents}
	}
}
