package strategy

import (
	"slices"
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
	// Timeout is for the agents together; in JSON in nanoseconds.
	Timeout time.Duration `json:"timeout"`
	Gate    Gate          `json:"gate"`
	Report  Report        `json:"report"`
	// Ignore are globs of paths left out of the review; see Ignored.
	Ignore []string `json:"ignore,omitempty"`
	// Problems are the mistakes for which the repository's own config is not
	// in force; the plan is the default's then.
	Problems []review.Problem `json:"problems,omitempty"`
}

// Agents are the names of all agents of the plan, in order of stage.
func (p Plan) Agents() []string { return slices.Concat(p.Stages...) }

func planOf(p Pipeline, ev review.Event, c *Config, problems []review.Problem) Plan {
	return Plan{
		Pipeline:    p.Name,
		Description: p.Description,
		CheckName:   review.CheckName(p.Name),
		Event:       ev.String(),
		Strategy:    p.Strategy,
		Stages:      stages(p),
		Timeout:     p.Timeout,
		Gate:        p.Gate,
		Report:      p.Report,
		Ignore:      c.Ignore,
		Problems:    problems,
	}
}

func stages(p Pipeline) [][]string {
	if p.Strategy != Sequential {
		return [][]string{slices.Clone(p.Agents)}
	}
	var groups [][]string
	for _, agent := range p.Agents {
		groups = append(groups, []string{agent})
	}
	return groups
}
