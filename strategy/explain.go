package strategy

import (
	"assay/review"
)

// Explanation is what an event leads to, pipeline by pipeline, and why.
type Explanation struct {
	Event     string                `json:"event"`
	Pipelines []PipelineExplanation `json:"pipelines"`
	// NeedsFiles says that the changed files must be known to tell; Pipelines is
	// empty then.
	NeedsFiles bool             `json:"needs_files,omitempty"`
	Problems   []review.Problem `json:"problems,omitempty"`
	Notices    []review.Problem `json:"notices,omitempty"`
}

// PipelineExplanation is what one pipeline does on the event.
type PipelineExplanation struct {
	Pipeline string `json:"pipeline"`
	Fate     Fate   `json:"fate"`
	// Reason says why it does not run; empty when it does.
	Reason string `json:"reason,omitempty"`
	// Problem is of a condition that could not be evaluated: the pipeline runs
	// all the same.
	Problem string `json:"problem,omitempty"`
	// Origin is where the pipeline comes from.
	Origin Origin `json:"origin"`
	// Values are its settings with the origin of each.
	Values []Value `json:"values,omitempty"`
	// Plan is how it would run; nil when it does not.
	Plan *Plan `json:"plan,omitempty"`
}

// Fate is what an event means to a pipeline.
type Fate string

// The fates. A skipped pipeline's check is concluded as skipped; an idle one
// is not asked, and leaves its check as it is.
const (
	Runs     Fate = "runs"
	Skipped  Fate = "skipped"
	Idle     Fate = "idle"
	Disabled Fate = "disabled"
)

// Explain says of every pipeline what the event means to it. It agrees with
// Decide on the same arguments.
func Explain(ev review.Event, s Settings) Explanation {
	config := s.Config
	if config == nil {
		config = Default(s.Vocabulary)
	}
	x := Explanation{Event: ev.String(), Problems: s.Problems, Notices: config.Notices}
	d, idle := decide(ev, s)
	if d.NeedsFiles {
		x.NeedsFiles = true
		return x
	}
	told := make(map[string]PipelineExplanation)
	for i := range d.Plans {
		plan := &d.Plans[i]
		e := PipelineExplanation{Fate: Runs, Plan: plan}
		if n := len(plan.Problems); n > len(s.Problems) {
			e.Problem = plan.Problems[n-1].Message
		}
		told[plan.Pipeline] = e
	}
	for _, skip := range d.Skips {
		told[skip.Pipeline] = PipelineExplanation{Fate: Skipped, Reason: skip.Reason}
	}
	for _, skip := range idle {
		told[skip.Pipeline] = PipelineExplanation{Fate: Idle, Reason: skip.Reason}
	}
	for _, p := range config.Pipelines {
		e := told[p.Name]
		delete(told, p.Name)
		e.Pipeline, e.Origin, e.Values = p.Name, config.Origin("pipelines."+p.Name), config.values(p)
		x.Pipelines = append(x.Pipelines, e)
	}
	for _, name := range config.Disabled {
		delete(told, name)
		at := config.Origin("pipelines." + name + ".enabled")
		x.Pipelines = append(x.Pipelines, PipelineExplanation{
			Pipeline: name, Fate: Disabled, Reason: "it is taken away by enabled: false", Origin: at,
		})
	}
	for _, skip := range d.Skips {
		if e, left := told[skip.Pipeline]; left { // a re-run of one that is gone
			e.Pipeline = skip.Pipeline
			x.Pipelines = append(x.Pipelines, e)
		}
	}
	return x
}
