package strategy

import (
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// Sample is something that happened, to try a config on.
type Sample struct {
	Event review.Event
	// Files are the changed files. Where they are nil a config that asks for
	// them cannot be tried.
	Files []review.File
}

// Comparison is what another config would have made of what happened.
type Comparison struct {
	// Samples is how many were tried, and Untried how many were left out
	// because a config asks for files that are not known.
	Samples int `json:"samples"`
	Untried int `json:"untried,omitempty"`
	// Subjects is what the samples are: "pull requests" or "events".
	Subjects string `json:"subjects"`
	// Pipelines are those of both configs, the new one's first.
	Pipelines []PipelineComparison `json:"pipelines"`
}

// PipelineComparison is how often a pipeline runs by the old config and by the
// new one. One that a config does not have is idle in it.
type PipelineComparison struct {
	Pipeline string `json:"pipeline"`
	Before   Tally  `json:"before"`
	After    Tally  `json:"after"`
}

// Tally counts what samples meant to a pipeline.
type Tally struct {
	Runs    int `json:"runs"`
	Skipped int `json:"skipped"`
}

// Compare tries two configs on what happened. The problems of settings do not
// count, only what is in force. Settings.Files is not read.
func Compare(before, after Settings, samples []Sample) Comparison {
	c := Comparison{Subjects: subjectsOf(samples)}
	index := make(map[string]int)
	tally := func(name string) *PipelineComparison {
		i, known := index[name]
		if !known {
			i = len(c.Pipelines)
			index[name] = i
			c.Pipelines = append(c.Pipelines, PipelineComparison{Pipeline: name})
		}
		return &c.Pipelines[i]
	}
	for _, s := range []Settings{after, before} {
		for _, name := range s.pipelineNames() {
			tally(name)
		}
	}
	for _, sample := range samples {
		before.Files, after.Files = sample.Files, sample.Files
		was, is := Decide(sample.Event, before), Decide(sample.Event, after)
		if was.NeedsFiles || is.NeedsFiles {
			c.Untried++
			continue
		}
		c.Samples++
		was.count(func(name string) *Tally { return &tally(name).Before })
		is.count(func(name string) *Tally { return &tally(name).After })
	}
	return c
}

func (d Decision) count(tally func(string) *Tally) {
	for _, p := range d.Plans {
		tally(p.Pipeline).Runs++
	}
	for _, s := range d.Skips {
		tally(s.Pipeline).Skipped++
	}
}

func (s Settings) pipelineNames() []string {
	config := s.Config
	if config == nil {
		config = Default(s.Vocabulary)
	}
	names := make([]string, len(config.Pipelines))
	for i, p := range config.Pipelines {
		names[i] = p.Name
	}
	return names
}

func subjectsOf(samples []Sample) string {
	if slices.ContainsFunc(samples, func(s Sample) bool { return s.Event.Pull == nil || s.Event.Pull.Number == 0 }) {
		return "events"
	}
	return "pull requests"
}

// String is one line on what would change, as "review would have run on 12 of
// the last 20 pull requests (now 15), 3 more skipped".
func (c Comparison) String() string {
	if c.Samples == 0 {
		return "nothing that happened could be tried"
	}
	var parts []string
	for _, p := range c.Pipelines {
		if p.Before != p.After {
			parts = append(parts, p.line(c))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("nothing would have been different on the last %d %s", c.Samples, c.Subjects)
	}
	return strings.Join(parts, "; ")
}

func (p PipelineComparison) line(c Comparison) string {
	line := fmt.Sprintf("%s would have run on %d of the last %d %s (now %d)", p.Pipeline, p.After.Runs, c.Samples, c.Subjects, p.Before.Runs)
	switch more := p.After.Skipped - p.Before.Skipped; {
	case more > 0:
		line += fmt.Sprintf(", %d more skipped", more)
	case more < 0:
		line += fmt.Sprintf(", %d fewer skipped", -more)
	}
	return line
}
