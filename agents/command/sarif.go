package command

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// sarifLog is what is read of a SARIF 2.1.0 log
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type sarifLog struct {
	Version string
	Runs    *[]struct {
		Tool struct {
			Driver struct{ Rules []sarifRule }
		}
		Invocations []struct{ ExecutionSuccessful *bool }
		Results     *[]sarifResult
	}
}

type sarifRule struct {
	ID                   string
	HelpURI              string
	DefaultConfiguration struct{ Level string }
}

type sarifResult struct {
	RuleID    string
	RuleIndex *int
	Kind      string
	Level     string
	Message   struct{ Text, Markdown string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine, EndLine int }
		}
	}
	Suppressions []struct{ Status string }
}

func parseSARIF(out []byte) ([]problem, error) {
	var log sarifLog
	if err := decode(out, &log); err != nil {
		return nil, err
	}
	if log.Runs == nil || !strings.HasPrefix(log.Version, "2.") {
		return nil, fmt.Errorf("it is no log of version 2.1.0 (version %q)", log.Version)
	}
	if len(*log.Runs) == 0 {
		return nil, errors.New("it holds no run of a tool")
	}
	var all []problem
	for _, run := range *log.Runs {
		for _, i := range run.Invocations {
			if i.ExecutionSuccessful != nil && !*i.ExecutionSuccessful {
				return nil, errors.New("the tool says that it failed")
			}
		}
		if run.Results == nil { // that the tool did not look, in the standard's words
			return nil, errors.New("it has no results")
		}
		for _, r := range *run.Results {
			if len(all) == maxProblems {
				return nil, errMany
			}
			if p, ok := r.problem(run.Tool.Driver.Rules); ok {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// problem is the result as a problem; ok is false where it is none.
func (r sarifResult) problem(rules []sarifRule) (p problem, ok bool) {
	switch r.Kind {
	case "", "fail", "review", "open":
	default: // pass, notApplicable, informational
		return p, false
	}
	for _, s := range r.Suppressions {
		if s.Status == "" || s.Status == "accepted" {
			return p, false
		}
	}
	p.rule, p.message = r.RuleID, r.Message.Text
	if p.message == "" {
		p.message = r.Message.Markdown
	}
	level := r.Level
	for i, rule := range rules {
		if r.RuleIndex != nil && i == *r.RuleIndex || r.RuleIndex == nil && rule.ID == r.RuleID {
			if p.rule == "" {
				p.rule = rule.ID
			}
			p.url = rule.HelpURI
			if level == "" {
				level = rule.DefaultConfiguration.Level
			}
			break
		}
	}
	if level == "" {
		level = "warning" // as the standard says
	}
	p.severity = severityOf(level)
	if len(r.Locations) > 0 {
		at := r.Locations[0].PhysicalLocation
		p.path, p.start, p.end = at.ArtifactLocation.URI, at.Region.StartLine, at.Region.EndLine
		if plain, err := url.PathUnescape(p.path); err == nil {
			p.path = plain
		}
	}
	return p, true
}
