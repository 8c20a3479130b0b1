package strategy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"assay/review"
)

// Bounds of values, each named in the message of whoever oversteps it.
const (
	minTimeout     = 10 * time.Second
	maxTimeout     = time.Hour
	maxDescription = 200
	maxPipelines   = 200
	maxEvents      = 50
	maxAgents      = 50
	maxLabels      = 50
	maxName        = 100
	maxText        = 8000
	maxRules       = 200
	maxSuppress    = 500
	maxSchedules   = 20
)

// rootKeys are the keys of a config file.
func rootKeys() []row[Config] {
	return []row[Config]{
		field("version", version{}, func(c *Config) *int { return &c.Version }, "The version of the language; every file begins with it.").must().eg("1"),
		field("operator", operatorShape(), func(c *Config) *OperatorSettings { return &c.Operator },
			"What only the operator may say.").operators(),
		field("agents", agentsShape(), func(c *Config) *[]Agent { return &c.Agents },
			"Settings of agents, and agents that the config makes."),
		field("schedules", schedulesShape(), func(c *Config) *[]Schedule { return &c.Schedules },
			"Times at which `schedule.<name>` comes, as five fields of cron in UTC, or `hourly`, `daily`, `weekly`, `monthly`. `schedule.daily` and `schedule.weekly` need no entry.").eg("{nightly: 30 2 * * *}"),
		field("rules", rulesShape(), func(c *Config) *[]review.TeamRule { return &c.Rules },
			"The team's own rules, which the agent `rules` reads. It joins every pipeline that does not name its agents as soon as there is a rule. Those of all layers count; one with the `id` of a lower layer's takes its place."),
		field("paths", object[Config]{rows: func() []row[Config] {
			return []row[Config]{field("ignore", globs, func(c *Config) *[]string { return &c.Ignore },
				"Files that no pipeline looks at.").eg(`["vendor/**", "**/*.pb.go"]`)}
		}}, func(c *Config) *Config { return c }, "Which files count."),
		field("instructions", instructionsShape(), func(c *Config) *[]review.PathInstruction { return &c.Instructions },
			"Words to the agents that read them. Those of all layers count."),
		field("suppress", suppressShape(), func(c *Config) *[]Suppression { return &c.Suppress },
			"Findings that the team lives with. Those of all layers count. One that has expired is itself a finding."),
		field("pipelines", pipelinesShape(), func(c *Config) *[]Pipeline { return &c.Pipelines },
			"What runs when. The built-in pipeline `review` is there as long as no file names a pipeline."),
	}
}

// version is the number of the language.
type version struct{}

func (version) read(r *reader, v value, where string, dst *int) {
	// Each file speaks a version of its own.
	for _, n := range v {
		i, ok := n.resolve().(*ast.IntegerNode)
		switch {
		case !ok:
			r.wrongType(n, where, "the number 1")
		case fmt.Sprint(i.Value) != "1":
			r.report(n, "version: this service reads version 1, not %v: write %q", i.Value, firstLine)
		default:
			*dst = 1
		}
	}
}

func (version) show(n int) string { return fmt.Sprint(n) }

func (version) describe() description {
	return description{what: "`1`", schema: schema{"const": 1}}
}

var (
	globs  = names{item: text{what: "a glob", max: maxGlob, ok: isGlob}, limit: maxIgnore}
	labels = names{item: text{what: "a label", max: maxName}, limit: maxLabels}
	logins = names{item: text{what: "a login", max: maxName, form: loginForm, hint: `use letters, digits, "-", "[bot]", and "*" for any letters`}, limit: maxLabels}
)

var loginForm = regexp.MustCompile(`^[A-Za-z0-9*_-]+(\[bot\])?$`)

func isGlob(r *reader, n node, where, pattern string) bool {
	if err := checkGlob(pattern); err != nil {
		r.report(n, "%s: %s: %v", where, quote(pattern), err)
		return false
	}
	return true
}

var (
	scheduleForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	ruleForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	ruleIDForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}/[a-zA-Z0-9][a-zA-Z0-9._/-]{0,99}$`)
	printForm    = regexp.MustCompile(`^[0-9a-f]{16}$`)
	urlForm      = regexp.MustCompile(`^https?://[^\s<>"]+$`)
)

const nameHint = "1 to 40 lower-case letters, digits, - and _"

// spec is when a schedule comes.
type spec struct{}

func (spec) read(r *reader, v value, where string, dst *string) {
	s, ok := r.text(v.top(), where)
	if !ok {
		return
	}
	if err := checkSchedule(s); err != nil {
		r.report(v.top(), "%s: %s: %v", where, quote(s), err)
		return
	}
	*dst = s
}

func (spec) show(s string) string { return s }

func (spec) describe() description {
	return description{what: "a schedule", bound: "once an hour at most", schema: schema{"type": "string", "maxLength": maxName}}
}

// schedules are read by name and kept in the order of their names.
type schedules struct{ dictionary[string] }

func schedulesShape() schedules {
	return schedules{dictionary[string]{limit: maxSchedules, item: spec{}, key: func(r *reader, n node, where, name string) (string, bool) {
		if !scheduleForm.MatchString(name) {
			r.report(n, "%s: %s cannot be a name: use %s", where, quote(name), nameHint)
			return "", false
		}
		return name, true
	}}}
}

func (s schedules) read(r *reader, v value, where string, dst *[]Schedule) {
	var byName map[string]string
	s.dictionary.read(r, v, where, &byName)
	*dst = nil
	for name, spec := range byName {
		*dst = append(*dst, Schedule{Name: name, Spec: spec})
	}
	slices.SortFunc(*dst, func(a, b Schedule) int { return strings.Compare(a.Name, b.Name) })
}

func (schedules) show([]Schedule) string { return "" }

func (schedules) values(list []Schedule, where string) []Value {
	var all []Value
	for _, s := range list {
		all = append(all, Value{Key: join(where, s.Name), Text: s.Spec})
	}
	return all
}

func instructionsShape() records[review.PathInstruction] {
	return records[review.PathInstruction]{
		limit: maxRules,
		line:  func(i review.PathInstruction) string { return shown(i.Paths) + " " + quote(i.Text) },
		item: object[review.PathInstruction]{
			rows: func() []row[review.PathInstruction] {
				return []row[review.PathInstruction]{
					field("paths", globs, func(i *review.PathInstruction) *[]string { return &i.Paths }, "The files that they are about; all, when left out.").eg(`["api/**"]`),
					field("text", text{what: "words", max: maxText}, func(i *review.PathInstruction) *string { return &i.Text }, "The words.").must().eg("Errors are RFC 9457 problem documents."),
				}
			},
			check: func(_ *reader, _ value, _ string, i *review.PathInstruction) {
				if len(i.Paths) == 0 {
					i.Paths = []string{"**"}
				}
			},
		},
	}
}
