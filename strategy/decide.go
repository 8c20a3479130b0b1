package strategy

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/expr"
	"assay/review"
)

// Settings is what is in force for a repository.
type Settings struct {
	// Config is the config in force; nil means Default(Vocabulary).
	Config *Config
	// Problems are the mistakes for which a layer's file is not in force, as
	// Load gave them. They go into every plan.
	Problems []review.Problem
	// Vocabulary is read only where Config is nil.
	Vocabulary Vocabulary
	// Files are the changed files, for conditions on them; nil where they are
	// not known yet.
	Files []review.File
	// Truncated says that Files are not all of them: a pipeline is not held
	// back then because none of them matches its paths.
	Truncated bool
}

// Decision is what an event leads to. A pipeline is in at most one of the two
// lists, and at most once; one that does not listen to the event is in neither.
type Decision struct {
	Plans []Plan
	Skips []Skip
	// NeedsFiles says that a condition asks for the changed files and
	// Settings.Files is nil: the caller gets them and decides again. The rest
	// of the decision does not count then.
	NeedsFiles bool
}

// Skip is a pipeline that listens to the event but does not run: its check is
// concluded as skipped, with the reason.
type Skip struct {
	Pipeline  string
	CheckName string
	// Reason is a plain phrase, as "the pull request is a draft".
	Reason string
}

// Decide says which pipelines the event starts.
//
// A re-run is decided as if the pull request's own event had come, so ev.Pull
// must have been filled in: check_run.rerequested is about the pipeline of
// ev.Check.Name alone, check_suite.rerequested about every pipeline that
// listens to pull requests. So is a pull request with another base branch: the
// base's config is in force, and the change is another one. An event that is
// about no pull request has commits in ev.Pull, with the number 0.
//
// A condition that cannot be evaluated does not hold its pipeline back: who
// proposes the change could bring that about, and skipped checks do not block.
// The plan has it among its problems, so that the check is not green.
func Decide(ev review.Event, s Settings) Decision {
	d, _ := decide(ev, s)
	return d
}

// decide also tells of the pipelines that are in neither list, and why.
func decide(ev review.Event, s Settings) (d Decision, idle []Skip) {
	config := s.Config
	if config == nil {
		config = Default(s.Vocabulary)
	}
	e := &examined{asked: askedBy(ev), settings: s, subject: subjectOf(ev)}
	seen := make(map[string]bool)
	var rest *Pipeline
	for i := range config.Pipelines {
		p := &config.Pipelines[i]
		if seen[p.Name] {
			continue
		}
		if !e.starts(p) {
			idle = append(idle, Skip{Pipeline: p.Name, Reason: e.idle()})
			continue
		}
		seen[p.Name] = true
		if p.Name == catchAll {
			rest = p
			continue
		}
		e.add(&d, p, config)
	}
	if rest != nil {
		e.rest(&d, rest, config)
	}
	if e.rerun && !seen[e.only] {
		d.Skips = append(d.Skips, skipOf(e.only, fmt.Sprintf("the config has no pipeline %q any more", e.only)))
	}
	return d, idle
}

func skipOf(pipeline, reason string) Skip {
	return Skip{Pipeline: pipeline, CheckName: review.CheckName(pipeline), Reason: reason}
}

// examined is an event while its pipelines are decided on.
type examined struct {
	asked
	settings Settings
	subject  subject
	vars     *expr.Vars
}

// add decides on a pipeline that listens to the event.
func (e *examined) add(d *Decision, p *Pipeline, c *Config) {
	if reason := e.held(p); reason != "" {
		d.Skips = append(d.Skips, skipOf(p.Name, reason))
		return
	}
	if e.settings.Files == nil && e.subject.changes && (p.Filter.Paths.any() || p.When.Files()) {
		d.NeedsFiles = true
		return
	}
	reason, problem := e.refused(p)
	if reason != "" {
		d.Skips = append(d.Skips, skipOf(p.Name, reason))
		return
	}
	problems := e.settings.Problems
	if problem != nil {
		problems = append(slices.Clip(problems), *problem)
	}
	if d.Plans == nil {
		d.Plans = make([]Plan, 0, len(c.Pipelines))
	}
	d.Plans = append(d.Plans, planOf(p, e.name, c, problems))
}

// rest decides on the pipeline for what no other runs on. Somebody who asks for
// it by name gets it.
func (e *examined) rest(d *Decision, p *Pipeline, c *Config) {
	if len(d.Plans) == 0 {
		e.add(d, p, c)
		return
	}
	var names []string
	for _, plan := range d.Plans {
		names = append(names, plan.Pipeline)
	}
	const most = 3
	if len(names) > most {
		names = append(names[:most], count(len(names)-most, "other"))
	}
	d.Skips = append(d.Skips, skipOf(p.Name, "other pipelines run on this: "+strings.Join(names, ", ")))
}

// held is the plain reason not to look at the subject.
func (e *examined) held(p *Pipeline) string {
	if e.subject.reason != "" {
		return e.subject.reason
	}
	if e.inQueue() && !slices.Contains(p.On, e.name) {
		return "the pipeline reviews pull requests, before they are queued"
	}
	for _, f := range filters {
		if reason := f(p, e.subject); reason != "" {
			return reason
		}
	}
	return ""
}

// refused is the reason that the files or the condition give. A problem is a
// condition that could not be evaluated.
func (e *examined) refused(p *Pipeline) (reason string, problem *review.Problem) {
	if reason := pathsRefuse(p.Filter.Paths, e.subject, e.settings); reason != "" {
		return reason, nil
	}
	if p.When == nil {
		return "", nil
	}
	if e.vars == nil {
		e.vars = expr.ForEvent(e.Event, e.settings.Files)
	}
	holds, err := p.When.program.Eval(e.vars)
	switch {
	case err != nil:
		at := p.When.Origin.problem(fmt.Sprintf("pipelines.%s.when could not be evaluated, so the pipeline runs: %v", p.Name, err))
		return "", &at
	case !holds:
		return "its condition does not hold: " + oneLine(p.When.Text), nil
	}
	return "", nil
}

// oneLine is a text of the config's within a sentence.
func oneLine(text string) string {
	const most = 120
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
