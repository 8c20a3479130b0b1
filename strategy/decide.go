package strategy

import (
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// Settings is what is in force for a repository.
type Settings struct {
	// Config is the config in force; nil means Default(Vocabulary).
	Config *Config
	// Problems are the mistakes for which the repository's own file is not in
	// force, as Parse gave them. They go into every plan.
	Problems []review.Problem
	// Vocabulary is read only where Config is nil.
	Vocabulary Vocabulary
	// Files are the changed files, for conditions on them; nil where they are
	// not known yet.
	Files []review.File
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
// base's config is in force, and the change is another one.
func Decide(ev review.Event, s Settings) Decision {
	config := s.Config
	if config == nil {
		config = Default(s.Vocabulary)
	}
	var d Decision
	seen := make(map[string]bool)
	for _, p := range config.Pipelines {
		if seen[p.Name] || !starts(ev, p) {
			continue
		}
		seen[p.Name] = true
		if reason := filtered(p, ev.Pull); reason != "" {
			d.Skips = append(d.Skips, Skip{Pipeline: p.Name, CheckName: review.CheckName(p.Name), Reason: reason})
			continue
		}
		d.Plans = append(d.Plans, planOf(p, ev, config, s.Problems))
	}
	if name, ok := rerunOf(ev); ok && !seen[name] {
		d.Skips = append(d.Skips, Skip{
			Pipeline: name, CheckName: review.CheckName(name),
			Reason: fmt.Sprintf("the config has no pipeline %q any more", name),
		})
	}
	return d
}

func starts(ev review.Event, p Pipeline) bool {
	if name, ok := rerunOf(ev); ok {
		return p.Name == name
	}
	switch name := ev.String(); {
	case name == "check_run.rerequested":
		return false
	case name == "check_suite.rerequested", ev.Retargeted:
		return slices.ContainsFunc(p.On, func(on string) bool { return strings.HasPrefix(on, "pull_request.") })
	default:
		return slices.Contains(p.On, ev.String())
	}
}

// rerunOf is the one pipeline that the event asks to run again.
func rerunOf(ev review.Event) (pipeline string, ok bool) {
	if ev.String() != "check_run.rerequested" || ev.Check == nil {
		return "", false
	}
	return review.PipelineOf(ev.Check.Name)
}

// filters are the reasons not to review a pull request, the plainest first.
// Each returns "" to let it pass.
var filters = []func(Pipeline, review.Pull) string{
	func(_ Pipeline, pull review.Pull) string {
		if !pull.Closed {
			return ""
		}
		return "the pull request is closed"
	},
	func(p Pipeline, pull review.Pull) string {
		if !pull.Draft || p.Drafts {
			return ""
		}
		if slices.Contains(p.On, "pull_request.ready_for_review") {
			return "the pull request is a draft; it is reviewed when marked ready for review"
		}
		return "the pull request is a draft"
	},
	func(p Pipeline, pull review.Pull) string {
		for _, label := range pull.Labels {
			// GitHub's labels differ by more than case.
			if slices.ContainsFunc(p.SkipLabels, func(skip string) bool { return strings.EqualFold(skip, label) }) {
				return fmt.Sprintf("the pull request has the label %q", label)
			}
		}
		return ""
	},
}

func filtered(p Pipeline, pull *review.Pull) string {
	if pull == nil {
		return "the event names no pull request"
	}
	for _, f := range filters {
		if reason := f(p, *pull); reason != "" {
			return reason
		}
	}
	return ""
}
