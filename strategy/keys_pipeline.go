package strategy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"assay/review"
)

var pipelineName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// catchAll is the pipeline for what no other one runs on.
const catchAll = "default"

func pipelinesShape() entries[Pipeline] {
	return entries[Pipeline]{
		what: "pipeline", form: pipelineName, hint: nameHint, empty: "remove the key to use the built-in pipeline", limit: maxPipelines,
		fresh: func(r *reader, name string) Pipeline { return defaultPipeline(name, r.known) },
		name:  func(p Pipeline) string { return p.Name },
		item:  object[Pipeline]{rows: pipelineKeys, check: checkPipeline},
	}
}

func pipelineKeys() []row[Pipeline] {
	agents := names{item: text{what: "an agent", max: maxName, ok: isAgent}, limit: maxAgents}
	filter := func(p *Pipeline) *Filter { return &p.Filter }
	return []row[Pipeline]{
		field("description", text{what: "words", max: maxDescription}, func(p *Pipeline) *string { return &p.Description }, "What the pipeline is for.").eg("Review of every pull request"),
		field("enabled", toggle{not: true}, func(p *Pipeline) *bool { return &p.disabled }, "`false` takes away a pipeline of a lower layer."),
		field("on", names{item: text{what: "an event", max: maxName, ok: isEvent}, limit: maxEvents}, func(p *Pipeline) *[]string { return &p.On },
			"[Events](#events) that start the pipeline."),
		field("when", when{}, func(p *Pipeline) **Condition { return &p.When }, "A condition for it to run.").eg(`'!("skip-review" in pr.labels)'`),
		field("strategy", word[Strategy]{[]Strategy{Parallel, Sequential}}, func(p *Pipeline) *Strategy { return &p.Strategy },
			"How the agents run: all at once, or in order, each given the findings before it."),
		field("agents", agents, func(p *Pipeline) *[]string { return &p.Agents }, "The agents that run."),
		field("stages", groups{item: agents, limit: maxAgents}, func(p *Pipeline) *[][]string { return &p.Stages },
			"In place of `strategy` and `agents`: groups of agents that run in order, those of a group at once, each group given the findings before it.").eg("[[secrets, workflows], [hygiene]]"),
		field("stop_on", severity{none: never}, func(p *Pipeline) *review.Severity { return &p.StopOn },
			"The run ends after an agent (of a stage: after the stage) with a finding so severe. The agents after it count as unavailable unless the check fails anyway."),
		field("timeout", span{minTimeout, maxTimeout}, func(p *Pipeline) *time.Duration { return &p.Timeout }, "How long the agents may take together."),
		field("budget", budgetShape(), func(p *Pipeline) *review.Budget { return &p.Budget }, "What the agents may spend together on one run."),
		field("drafts", toggle{}, func(p *Pipeline) *bool { return &filter(p).Drafts }, "`true` reviews drafts too; otherwise they wait until they are marked ready."),
		field("labels", object[LabelFilter]{rows: labelKeys}, func(p *Pipeline) *LabelFilter { return &filter(p).Labels }, "Which labels matter. Case does not."),
		field("authors", object[AuthorFilter]{rows: authorKeys}, func(p *Pipeline) *AuthorFilter { return &filter(p).Authors }, "Whose pull requests matter. Case does not; `*` stands for any letters."),
		field("branches", globs, func(p *Pipeline) *[]string { return &filter(p).Branches }, "Base branches; all, when left out. Of a push, the branch pushed to.").eg(`[main, "release/**"]`),
		field("title", object[TitleFilter]{rows: titleKeys}, func(p *Pipeline) *TitleFilter { return &filter(p).Title }, "Which titles matter."),
		field("paths", object[PathFilter]{rows: pathKeys}, func(p *Pipeline) *PathFilter { return &filter(p).Paths }, "Which files make it run. It looks at all files then."),
		field("gate", object[Gate]{rows: gateKeys}, func(p *Pipeline) *Gate { return &p.Gate }, "When the check fails."),
		field("report", object[Report]{rows: reportKeys}, func(p *Pipeline) *Report { return &p.Report }, "What is written besides the check."),
	}
}

func labelKeys() []row[LabelFilter] {
	return []row[LabelFilter]{
		field("require", labels, func(l *LabelFilter) *[]string { return &l.Require }, "Labels of which a pull request needs one.").eg("[needs-review]"),
		field("skip", labels, func(l *LabelFilter) *[]string { return &l.Skip }, "Labels that keep a pull request from being reviewed.").eg("[skip-review]"),
	}
}

func authorKeys() []row[AuthorFilter] {
	return []row[AuthorFilter]{
		field("only", logins, func(a *AuthorFilter) *[]string { return &a.Only }, "Authors who are reviewed; all, when left out.").eg("[octocat]"),
		field("skip", logins, func(a *AuthorFilter) *[]string { return &a.Skip }, "Authors who are not.").eg(`["renovate*"]`),
		field("bots", either{"review", "skip"}, func(a *AuthorFilter) *bool { return &a.SkipBots }, "What to do about pull requests that bots open."),
	}
}

func titleKeys() []row[TitleFilter] {
	return []row[TitleFilter]{
		field("skip", names{item: text{what: "a word", max: maxName}, limit: maxLabels}, func(t *TitleFilter) *[]string { return &t.Skip },
			"Words that keep a pull request from being reviewed while its title has them. Case does not matter.").eg("[WIP]"),
	}
}

func pathKeys() []row[PathFilter] {
	return []row[PathFilter]{
		field("only", globs, func(p *PathFilter) *[]string { return &p.Only }, "Runs only when a changed file matches one of them.").eg(`["web/**"]`),
		field("ignore", globs, func(p *PathFilter) *[]string { return &p.Ignore }, "Files that do not count for that.").eg(`["**/*.md"]`),
	}
}

func gateKeys() []row[Gate] {
	return []row[Gate]{
		field("fail_on", severity{none: never}, func(g *Gate) *review.Severity { return &g.FailOn }, "The least severity that fails the check; `never` is advisory."),
		field("on_unavailable", unavailable{}, func(g *Gate) *Gate { return g },
			"What the check is when the review is not whole: `neutral` does not block, `fail` blocks where the check is required. With `retry_for` the check stays open for so long while what an agent needs is out of reach.").eg("{retry_for: 30m, then: fail}"),
		field("require_coverage", coverage{}, func(g *Gate) *RequireCoverage { return &g.RequireCoverage },
			"The check fails when a smaller part of the files was examined fully by an agent. See [verdict.md](verdict.md).").eg(`{paths: ["api/**"], percent: 100}`),
	}
}

func reportKeys() []row[Report] {
	return []row[Report]{
		field("comment", word[CommentWhen]{[]CommentWhen{CommentFindings, CommentAlways, CommentNever}}, func(p *Report) *CommentWhen { return &p.Comment }, "When the summary comment is written."),
		field("inline", severity{none: never}, func(p *Report) *review.Severity { return &p.Inline }, "The least severity that is commented on its line."),
		field("max_inline", whole{0, 50}, func(p *Report) *int { return &p.MaxInline }, "How many such comments a run makes at most."),
	}
}

// never is the value of a threshold that nothing reaches.
const never = "never"

func isEvent(r *reader, n node, where, name string) bool {
	e, ok := knownEvent(name)
	full := eventActions(name)
	switch {
	case !ok && len(full) > 0:
		r.report(n, "%s: %s needs an action: %s", where, quote(name), strings.Join(full, ", "))
	case !ok:
		r.unknown(n, where+": unknown event "+quote(name), name, eventNames())
	case e.note != "":
		r.notice(n.origin(), "%s: %s: %s", where, e.name, e.note)
	case strings.HasPrefix(name, "schedule."):
		return r.isSchedule(n, where, strings.TrimPrefix(name, "schedule."))
	}
	return ok
}

func (r *reader) isSchedule(n node, where, name string) bool {
	var known []string
	for _, s := range append(BuiltInSchedules(), r.config.Schedules...) {
		known = append(known, s.Name)
	}
	if slices.Contains(known, name) {
		return true
	}
	r.unknown(n, where+": unknown schedule "+quote(name)+": define it as schedules."+name, name, known)
	return false
}

func isAgent(r *reader, n node, where, name string) bool {
	known := slices.Clone(r.known.Agents)
	for _, a := range r.config.Agents {
		if !slices.Contains(known, a.Name) {
			known = append(known, a.Name)
		}
	}
	if slices.Contains(known, name) {
		return true
	}
	r.unknown(n, where+": unknown agent "+quote(name), name, known)
	return false
}

// checkPipeline brings together the keys that are about one another.
func checkPipeline(r *reader, v value, where string, p *Pipeline) {
	if len(p.Stages) > 0 {
		r.staged(v, where, p)
	}
	if len(p.Agents) == 0 {
		if !p.disabled && !v.gives("agents", "stages") {
			r.report(v.top(), "%s: this service has none of the built-in agents: list the agents that run", where)
		}
	}
	if p.StopOn > review.SeverityNone && p.Strategy == Parallel {
		r.notice(r.origins[where+".stop_on"], "%s.stop_on: the agents run at once, so nothing is left to stop: choose sequential or stages", where)
	}
}

// staged puts stages in the place of agents and strategy, or the other way
// round where a higher layer gives those.
func (r *reader) staged(v value, where string, p *Pipeline) {
	stages := r.origins[where+".stages"]
	for _, other := range []string{"agents", "strategy"} {
		at, given := r.origins[where+"."+other]
		switch {
		case !given || at.Layer < stages.Layer:
		case at.Layer > stages.Layer:
			p.Stages = nil
			return
		default:
			r.at(v.top().source, at.Line, at.Column, "%s has both stages and %s: keep one", where, other)
			return
		}
	}
	p.Strategy, p.Agents = Staged, slices.Concat(p.Stages...)
}

// unavailable is what a gate does about a review that is not whole.
type unavailable struct{}

var unavailables = word[OnUnavailable]{[]OnUnavailable{UnavailableNeutral, UnavailableFail}}

func (unavailable) object() object[Gate] {
	return object[Gate]{rows: func() []row[Gate] {
		return []row[Gate]{
			field("retry_for", span{time.Minute, 24 * time.Hour}, func(g *Gate) *time.Duration { return &g.RetryFor }, "How long the check stays open.").must().eg("30m"),
			field("then", unavailables, func(g *Gate) *OnUnavailable { return &g.OnUnavailable }, "What it is after that."),
		}
	}}
}

func (u unavailable) read(r *reader, v value, where string, dst *Gate) {
	if _, mapping := entriesOf(v.top()); mapping {
		u.object().read(r, v, where, dst)
		return
	}
	dst.RetryFor = 0
	unavailables.read(r, v, where, &dst.OnUnavailable)
}

func (u unavailable) show(Gate) string { return "" }

func (u unavailable) values(g Gate, where string) []Value {
	if g.RetryFor == 0 {
		return []Value{{Key: where, Text: string(g.OnUnavailable)}}
	}
	return []Value{{Key: where, Text: "{retry_for: " + short(g.RetryFor) + ", then: " + string(g.OnUnavailable) + "}"}}
}

func (u unavailable) describe() description {
	simple := unavailables.describe()
	o := u.object().describe()
	return description{
		what: simple.what + ", or a mapping", keys: o.keys,
		schema: schema{"anyOf": []any{simple.schema, o.schema}},
	}
}

// coverage is a percentage of files, of some paths or of all.
type coverage struct{}

func (coverage) object() object[RequireCoverage] {
	return object[RequireCoverage]{rows: func() []row[RequireCoverage] {
		return []row[RequireCoverage]{
			field("percent", percent{}, func(c *RequireCoverage) *int { return &c.Percent }, "The part of the files.").must().eg("100"),
			field("paths", globs, func(c *RequireCoverage) *[]string { return &c.Paths }, "The files that count; all, when left out.").eg(`["api/**"]`),
		}
	}}
}

func (c coverage) read(r *reader, v value, where string, dst *RequireCoverage) {
	if _, mapping := entriesOf(v.top()); mapping {
		c.object().read(r, v, where, dst)
		return
	}
	dst.Paths = nil
	percent{}.read(r, v, where, &dst.Percent)
}

func (coverage) show(c RequireCoverage) string {
	if len(c.Paths) == 0 {
		return strconv.Itoa(c.Percent)
	}
	return "{percent: " + strconv.Itoa(c.Percent) + ", paths: " + shown(c.Paths) + "}"
}

func (c coverage) describe() description {
	o := c.object().describe()
	return description{
		what: "a percentage, or a mapping", bound: "0 to 100", keys: o.keys,
		schema: schema{"anyOf": []any{percent{}.describe().schema, o.schema}},
	}
}

// percent is a whole number of hundredths, with or without its sign.
type percent struct{}

func (percent) read(r *reader, v value, where string, dst *int) {
	n := v.top()
	var digits string
	switch at := n.resolve().(type) {
	case *ast.IntegerNode:
		digits = at.GetToken().Value
	case *ast.StringNode:
		digits = strings.TrimSuffix(at.Value, "%")
	}
	value, err := strconv.Atoi(digits)
	if err != nil || value < 0 || value > 100 {
		r.wrongType(n, where, "a whole percentage from 0 to 100")
		return
	}
	*dst = value
}

func (percent) show(n int) string { return strconv.Itoa(n) }

func (percent) describe() description {
	return description{what: "a percentage", bound: "0 to 100", schema: schema{"anyOf": []any{
		schema{"type": "integer", "minimum": 0, "maximum": 100}, schema{"type": "string", "pattern": "^(100|[0-9]{1,2})%$"},
	}}}
}
