package strategy

import (
	"regexp"
	"slices"
	"time"

	"assay/review"
)

var (
	lockForm = regexp.MustCompile(`^[a-z*][A-Za-z0-9_*/-]*(\.[A-Za-z0-9_*/-]+)*$`)
	envForm  = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,99}$`)
	partForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)
)

// Bounds of what the operator says, against slips of the pen.
const (
	maxFailures = 1000
	maxWait     = 24 * time.Hour
	maxTTL      = 30 * 24 * time.Hour
	maxEntries  = 10_000_000
	maxPrice    = 10_000
)

func operatorShape() object[OperatorSettings] {
	type s = OperatorSettings
	return object[s]{
		rows: func() []row[s] {
			return []row[s]{
				field("lock", names{item: text{what: "a key", max: 200, form: lockForm, hint: `write it as "pipelines.review.gate"; "*" stands for any one name`}, limit: maxRules},
					func(o *s) *[]string { return &o.Lock }, "Keys that no organisation and no repository may give, each with all below it. `*` stands for any one name.").eg(`["pipelines.review.gate"]`),
				field("endpoints", endpointsShape(), func(o *s) *[]Endpoint { return &o.Endpoints }, "Where models are reached."),
				field("models", modelsShape(), func(o *s) *[]Model { return &o.Models }, "The models that configs may choose from, by alias."),
				field("commands", commandsShape(), func(o *s) *[]Command { return &o.Commands }, "Programs that agents may run."),
				field("max_budget", budgetShape(), func(o *s) *review.Budget { return &o.MaxBudget }, "The most that a budget of the other layers may be."),
				field("breakers", breakersShape(), func(o *s) *[]Breaker { return &o.Breakers }, "How circuit breakers behave, by dependency."),
				field("caches", cachesShape(), func(o *s) *[]Cache { return &o.Caches }, "How much caches hold, by name."),
			}
		},
	}
}

// parts is a mapping by name of the operator's.
func parts[T any](what string, item object[T], fresh func(string) T, name func(T) string) entries[T] {
	return entries[T]{
		what: what, form: partForm, hint: "lower-case letters, digits, - and _", empty: "remove the key", limit: maxAgents,
		item: item, fresh: func(_ *reader, n string) T { return fresh(n) }, name: name,
	}
}

func endpointsShape() entries[Endpoint] {
	rows := func() []row[Endpoint] {
		return []row[Endpoint]{
			field("dialect", word[string]{[]string{"openai", "anthropic"}}, func(e *Endpoint) *string { return &e.Dialect }, "What it speaks.").must().eg("openai"),
			field("url", text{what: "a URL", max: 500, form: urlForm, hint: "begin with https:// or http://"}, func(e *Endpoint) *string { return &e.URL }, "Its base URL.").must().eg("https://models.example.com/v1"),
			field("key", text{what: "a variable's name", max: maxName, form: envForm, hint: "write the name of the environment variable that holds the key, not the key"},
				func(e *Endpoint) *string { return &e.Key }, "The name of the environment variable with its key.").eg("OPENAI_API_KEY"),
		}
	}
	return parts("endpoint", object[Endpoint]{rows: rows}, func(n string) Endpoint { return Endpoint{Name: n} }, func(e Endpoint) string { return e.Name })
}

func modelsShape() entries[Model] {
	rows := func() []row[Model] {
		price := number{maxPrice}
		return []row[Model]{
			field("endpoint", text{what: "an endpoint", max: maxName, ok: isEndpoint}, func(m *Model) *string { return &m.Endpoint }, "One of `operator.endpoints`.").must().eg("openai"),
			field("model", text{what: "a model", max: 200, form: wordForm, hint: "write its name as the endpoint knows it"}, func(m *Model) *string { return &m.Model }, "What the endpoint calls it.").must().eg("gpt-5"),
			field("input", price, func(m *Model) *float64 { return &m.Input }, "US dollars per million input tokens.").eg("1.25"),
			field("cached", price, func(m *Model) *float64 { return &m.Cached }, "US dollars per million input tokens that the endpoint had in its cache.").eg("0.125"),
			field("output", price, func(m *Model) *float64 { return &m.Output }, "US dollars per million output tokens.").eg("10"),
		}
	}
	return parts("model", object[Model]{rows: rows}, func(n string) Model { return Model{Name: n} }, func(m Model) string { return m.Name })
}

func isEndpoint(r *reader, n node, where, name string) bool {
	var known []string
	for _, e := range r.config.Operator.Endpoints {
		known = append(known, e.Name)
	}
	for _, k := range known {
		if k == name {
			return true
		}
	}
	r.unknown(n, where+": unknown endpoint "+quote(name), name, known)
	return false
}

func commandsShape() entries[Command] {
	rows := func() []row[Command] {
		return []row[Command]{
			field("run", arguments{}, func(c *Command) *[]string { return &c.Run }, "The program and its arguments. No shell reads it.").must().eg(`[golangci-lint, run, --output.sarif.path, stdout]`),
		}
	}
	return parts("command", object[Command]{rows: rows}, func(n string) Command { return Command{Name: n} }, func(c Command) string { return c.Name })
}

// arguments is a list of texts that may be equal.
type arguments struct{}

func (arguments) read(r *reader, v value, where string, dst *[]string) {
	var all []string
	r.list(v.top(), where, maxAgents, func(n node) {
		var s string
		text{what: "an argument", max: 1000, raw: true}.read(r, value{n}, where, &s)
		all = append(all, s)
	})
	*dst = all
}

func (arguments) show(list []string) string { return shown(list) }

func (arguments) describe() description {
	item := text{what: "an argument", max: 1000, raw: true}.describe()
	return description{what: "a list of arguments", schema: schema{"type": "array", "minItems": 1, "maxItems": maxAgents, "items": item.schema}}
}

func breakersShape() entries[Breaker] {
	rows := func() []row[Breaker] {
		return []row[Breaker]{
			field("failure_threshold", optional{whole{1, maxFailures}}, func(b *Breaker) *int { return &b.FailureThreshold }, "Failures in a row that open it.").eg("5"),
			field("reset_timeout", span{time.Second, maxWait}, func(b *Breaker) *time.Duration { return &b.ResetTimeout }, "How long it stays open before the first try.").eg("30s"),
			field("max_reset_timeout", span{time.Second, maxWait}, func(b *Breaker) *time.Duration { return &b.MaxResetTimeout }, "How long it stays open at most, as tries fail.").eg("10m"),
		}
	}
	check := func(r *reader, v value, where string, b *Breaker) {
		known := r.known.Breakers
		for _, e := range r.config.Operator.Endpoints { // each has one of its own
			if len(known) > 0 && !slices.Contains(known, e.Name) {
				known = append(slices.Clip(known), e.Name)
			}
		}
		r.isKnown(v, where, b.Name, known, "breaker")
		if b.MaxResetTimeout > 0 && b.MaxResetTimeout < b.ResetTimeout {
			r.report(v.top(), "%s: max_reset_timeout is shorter than reset_timeout: make it as long at least", where)
		}
	}
	return parts("breaker", object[Breaker]{rows: rows, check: check}, func(n string) Breaker { return Breaker{Name: n} }, func(b Breaker) string { return b.Name })
}

func cachesShape() entries[Cache] {
	rows := func() []row[Cache] {
		return []row[Cache]{
			field("ttl", span{time.Second, maxTTL}, func(c *Cache) *time.Duration { return &c.TTL }, "How long an entry is kept.").eg("10m"),
			field("size", optional{whole{1, maxEntries}}, func(c *Cache) *int { return &c.Size }, "How many entries it holds.").eg("10000"),
		}
	}
	check := func(r *reader, v value, where string, c *Cache) { r.isKnown(v, where, c.Name, r.known.Caches, "cache") }
	return parts("cache", object[Cache]{rows: rows, check: check}, func(n string) Cache { return Cache{Name: n} }, func(c Cache) string { return c.Name })
}

func (r *reader) isKnown(v value, where, name string, known []string, what string) {
	for _, k := range known {
		if k == name {
			return
		}
	}
	if len(known) > 0 {
		r.unknown(v.top(), where+": unknown "+what+" "+quote(name), name, known)
	}
}
