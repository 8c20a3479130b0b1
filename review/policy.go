package review

import (
	"strings"
	"time"
)

// Policy is what the config in force tells one agent. It holds plain values, is
// stored with the plan as JSON, and is read-only.
type Policy struct {
	// Profile is how much the agent says; empty is ProfileQuiet.
	Profile Profile `json:"profile,omitempty"`
	// Severities give rules, by ID, another severity; SeverityNone silences.
	Severities map[string]Severity `json:"severities,omitempty"`
	// Instructions are the team's words to an agent that reads them.
	Instructions string `json:"instructions,omitempty"`
	// PathInstructions are further words on some paths.
	PathInstructions []PathInstruction `json:"path_instructions,omitempty"`
	// Rules are the team's own rules; the agent "rules" reads them.
	Rules []TeamRule `json:"rules,omitempty"`
	// Model is the operator's alias of a model; empty is "default".
	Model string `json:"model,omitempty"`
	// Tools are what a model may use; nil means all that there are.
	Tools []string `json:"tools,omitempty"`
	// Budget bounds what the agent may spend on one run.
	Budget Budget `json:"budget,omitzero"`
	// Options are further settings that the agent itself names and checks.
	Options map[string]string `json:"options,omitempty"`
}

// Severity is what the policy says of a rule; its ID ("<agent>/<rule>") goes
// before its name. named is false where the policy says nothing of it.
func (p Policy) Severity(rule string) (severity Severity, named bool) {
	if s, ok := p.Severities[rule]; ok {
		return s, true
	}
	_, name, _ := strings.Cut(rule, "/")
	s, ok := p.Severities[name]
	return s, ok
}

// Speaks reports whether a rule that speaks from the profile least on is to be
// heard. To give a rule a severity is to want it, in every profile.
func (p Policy) Speaks(rule string, least Profile) bool {
	if s, named := p.Severity(rule); named {
		return s != SeverityNone
	}
	return p.Profile.Includes(least)
}

// Profile is how much a deterministic agent says. Each includes the one before.
type Profile string

// The profiles: only what is almost never wrong; what most teams want; all of
// it.
const (
	ProfileQuiet    Profile = "quiet"
	ProfileStandard Profile = "standard"
	ProfileStrict   Profile = "strict"
)

// Includes reports whether what speaks from the profile least on is to be said.
// An empty profile is ProfileQuiet, and so is one that does not exist.
func (p Profile) Includes(least Profile) bool { return p.rank() >= least.rank() }

func (p Profile) rank() int {
	switch p {
	case ProfileStandard:
		return 1
	case ProfileStrict:
		return 2
	default:
		return 0
	}
}

// PathInstruction are words to agents on the files that a glob matches.
type PathInstruction struct {
	Paths []string `json:"paths"`
	Text  string   `json:"text"`
}

// TeamRule is a rule that a team has written in its config.
type TeamRule struct {
	// ID is the rule's name in the team's config; findings have "rules/<id>".
	ID string `json:"id"`
	// When is a CEL condition over the change.
	When string `json:"when,omitempty"`
	// Added is a regular expression (RE2) over added lines; with it the rule
	// speaks of each line that matches.
	Added string `json:"added,omitempty"`
	// Paths are globs of the files that the rule is about; none means all.
	Paths    []string `json:"paths,omitempty"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Fix      string   `json:"fix,omitempty"`
	HelpURL  string   `json:"help_url,omitempty"`
}

// Budget bounds what one agent may spend on one run; zero values are the
// agent's own bounds.
type Budget struct {
	Tokens int           `json:"tokens,omitempty"`
	Steps  int           `json:"steps,omitempty"`
	Time   time.Duration `json:"time,omitempty"`
	// USD is in US dollars.
	USD float64 `json:"usd,omitempty"`
}

// Usage is what an agent spent on models.
type Usage struct {
	Model string `json:"model,omitempty"`
	Calls int    `json:"calls,omitempty"`
	// Input, Cached and Output are tokens; Cached is the part of Input that the
	// provider had in its cache.
	Input  int `json:"input,omitempty"`
	Cached int `json:"cached,omitempty"`
	Output int `json:"output,omitempty"`
	// USD is nil where a price is not known.
	USD *float64 `json:"usd,omitempty"`
	// Saved are the input tokens that were not sent because the answer was
	// known.
	Saved int `json:"saved,omitempty"`
}
