package strategy

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"assay/review"
)

var (
	agentForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	// agentFile is where a repository keeps an agent of its own.
	agentFile = regexp.MustCompile(`^\.github/agents/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.agent\.md$`)
	wordForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$`)
)

func agentsShape() entries[Agent] {
	return entries[Agent]{
		what: "agent", form: agentForm, hint: "lower-case letters, digits and hyphens", empty: "remove the key", limit: maxAgents,
		fresh: func(_ *reader, name string) Agent { return Agent{Name: name} },
		name:  func(a Agent) string { return a.Name },
		item:  object[Agent]{rows: agentKeys, check: checkAgent},
	}
}

func agentKeys() []row[Agent] {
	type p = review.Policy
	policy := func(a *Agent) *p { return &a.Policy }
	return []row[Agent]{
		field("uses", text{what: "a kind of agent", max: 200}, func(a *Agent) *string { return &a.Uses },
			"Makes an agent of this name: `llm`, `command` (one of the operator's commands), or a file as `.github/agents/api.agent.md`. Left out for the service's own agents.").eg("llm"),
		field("model", text{what: "a model's alias", max: maxName, ok: isModel}, func(a *Agent) *string { return &policy(a).Model },
			"One of the models that the operator offers; `default` when left out.").eg("default"),
		field("instructions", text{what: "words", max: maxText}, func(a *Agent) *string { return &policy(a).Instructions },
			"Words to an agent that reads them.").eg("Look at concurrency first."),
		field("tools", names{item: text{what: "a tool", max: maxName, form: wordForm, hint: "use letters, digits, - and _", ok: isTool}, limit: maxAgents},
			func(a *Agent) *[]string { return &policy(a).Tools }, "What a model may use; all that there are when left out.").eg("[read_file, search]"),
		field("budget", budgetShape(), func(a *Agent) *review.Budget { return &policy(a).Budget }, "What the agent may spend on one run."),
		field("profile", word[review.Profile]{[]review.Profile{review.ProfileQuiet, review.ProfileStandard, review.ProfileStrict}},
			func(a *Agent) *review.Profile { return &policy(a).Profile },
			"How much a deterministic agent says; `quiet` when left out.").eg("standard"),
		field("severities", severities{}, func(a *Agent) *Agent { return a },
			"Other severities for rules of the agent; `off` silences one.").eg("{large-file: low, trailing-space: off}"),
		field("options", dictionary[string]{limit: maxAgents, item: text{what: "text, a number or a boolean", max: 4000, raw: true}},
			func(a *Agent) *map[string]string { return &policy(a).Options }, "What else the agent can be told; see the agent."),
	}
}

// Bounds of budgets, far above what one review is worth.
const (
	maxTokens1Run = 10_000_000
	maxSteps1Run  = 1000
	maxUSD1Run    = 1000
)

func budgetShape() object[review.Budget] {
	type b = review.Budget
	return object[b]{
		rows: func() []row[b] {
			return []row[b]{
				field("tokens", optional{whole{1, maxTokens1Run}}, func(x *b) *int { return &x.Tokens }, "Tokens, in and out together.").eg("60000"),
				field("steps", optional{whole{1, maxSteps1Run}}, func(x *b) *int { return &x.Steps }, "Calls of the model.").eg("12"),
				field("time", span{time.Second, maxTimeout}, func(x *b) *time.Duration { return &x.Time }, "Time.").eg("5m"),
				field("usd", number{maxUSD1Run}, func(x *b) *float64 { return &x.USD }, "US dollars.").eg("0.5"),
			}
		},
		check: checkBudget,
	}
}

// checkBudget holds the layers above the operator's to the operator's bounds.
func checkBudget(r *reader, v value, where string, b *review.Budget) {
	most := r.config.Operator.MaxBudget
	over := func(name string, is bool, limit string) {
		at := r.origins[join(where, name)]
		if is && at.Layer > Operator {
			r.at(v.top().source, at.Line, at.Column, "%s is over what the operator allows: write at most %s", join(where, name), limit)
		}
	}
	over("tokens", most.Tokens > 0 && b.Tokens > most.Tokens, optional{}.show(most.Tokens))
	over("steps", most.Steps > 0 && b.Steps > most.Steps, optional{}.show(most.Steps))
	over("time", most.Time > 0 && b.Time > most.Time, short(most.Time))
	over("usd", most.USD > 0 && b.USD > most.USD, number{}.show(most.USD))
}

func isModel(r *reader, n node, where, name string) bool {
	known := append([]string{"default"}, r.known.Models...)
	for _, m := range r.config.Operator.Models {
		if !slices.Contains(known, m.Name) {
			known = append(known, m.Name)
		}
	}
	if slices.Contains(known, name) {
		return true
	}
	r.unknown(n, where+": unknown model "+quote(name), name, known)
	return false
}

func isTool(r *reader, n node, where, name string) bool {
	if len(r.known.Tools) == 0 || slices.Contains(r.known.Tools, name) {
		return true
	}
	r.unknown(n, where+": unknown tool "+quote(name), name, r.known.Tools)
	return false
}

func checkAgent(r *reader, v value, where string, a *Agent) {
	at := v.top()
	own := slices.Contains(r.known.Agents, a.Name)
	kind := a.Uses
	switch {
	case kind == "" && !own:
		r.unknown(at, where+": this service has no agent "+quote(a.Name)+"; say what it uses, or name another", a.Name, r.known.Agents)
		return
	case kind == "" || own && r.known.KindOf[a.Name] == kind:
		a.Uses = ""
		return
	case own:
		r.report(at, "%s: %s is an agent of this service: choose another name, or remove uses", where, quote(a.Name))
		return
	case strings.Contains(kind, "/"):
		if !agentFile.MatchString(kind) {
			r.report(at, "%s.uses: %s is not an agent's file: write .github/agents/NAME.agent.md", where, quote(kind))
			return
		}
		kind = KindFile
	}
	if !slices.Contains(r.known.Kinds, kind) {
		r.noKind(at, where, kind)
	}
}

func (r *reader) noKind(at node, where, kind string) {
	if kind == KindFile {
		r.report(at, "%s.uses: this service does not run agents from files", where)
		return
	}
	if kind == KindCommand {
		r.report(at, "%s.uses: this service runs no commands: the operator's file lists none", where)
		return
	}
	if len(r.known.Kinds) == 0 {
		r.report(at, "%s.uses: this service has no agents of the kind %s: no model is configured", where, quote(kind))
		return
	}
	r.unknown(at, where+".uses: this service has no agents of the kind "+quote(kind), kind, r.known.Kinds)
}

// severities are severities by rule. A rule may be named without its agent.
type severities struct{}

func (severities) dictionary(a *Agent) dictionary[review.Severity] {
	return dictionary[review.Severity]{limit: maxRules, item: severity{none: "off"}, key: func(r *reader, n node, where, name string) (string, bool) {
		id := name
		if !strings.HasPrefix(name, a.Name+"/") {
			id = a.Name + "/" + name
		}
		if !ruleIDForm.MatchString(id) {
			r.report(n, "%s: %s cannot be a rule: write its ID", where, quote(name))
			return "", false
		}
		known := rulesOf(r.known.Rules, a.Name)
		if len(known) > 0 && !slices.Contains(known, id) {
			r.unknown(n, where+": unknown rule "+quote(name), id, known)
			return "", false
		}
		return id, true
	}}
}

func rulesOf(ids []string, agent string) []string {
	var own []string
	for _, id := range ids {
		if strings.HasPrefix(id, agent+"/") {
			own = append(own, id)
		}
	}
	return own
}

func (s severities) read(r *reader, v value, where string, dst *Agent) {
	s.dictionary(dst).read(r, v, where, &dst.Policy.Severities)
}

func (severities) show(Agent) string { return "" }

func (s severities) values(a Agent, where string) []Value {
	return s.dictionary(&a).values(a.Policy.Severities, where)
}

func (s severities) describe() description { return s.dictionary(&Agent{}).describe() }
