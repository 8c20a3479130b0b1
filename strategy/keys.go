package strategy

import (
	"fmt"
	"regexp"
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
)

var pipelineName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// reservedPipeline will be the pipeline for events that no other one wants; as
// a plain name it would change its meaning then.
const reservedPipeline = "default"

// config reads the root of the file. A file without pipelines has the built-in
// one.
func (r *reader) config(n ast.Node) *Config {
	r.anchors = anchorsOf(n)
	c := Default(r.known)
	c.Version = 0
	versioned := false
	isMapping := r.mapping(n, "",
		key{"version", func(n ast.Node) { versioned = true; c.Version = r.version(n) }},
		key{"pipelines", func(n ast.Node) { c.Pipelines = r.pipelines(n, c) }},
		key{"paths", func(n ast.Node) {
			r.mapping(n, "paths", key{"ignore", func(n ast.Node) { c.Ignore = r.globs(n, "paths.ignore") }})
		}},
	)
	if isMapping && !versioned {
		r.at(1, 1, "the key version is missing: begin the file with %q", firstLine)
	}
	return c
}

func (r *reader) version(n ast.Node) int {
	i, ok := r.resolve(n).(*ast.IntegerNode)
	if !ok {
		r.wrongType(n, "version", "the number 1")
		return 0
	}
	if fmt.Sprint(i.Value) != "1" {
		r.report(n, "version: this service reads version 1, not %v: write %q", i.Value, firstLine)
		return 0
	}
	return 1
}

func (r *reader) pipelines(n ast.Node, c *Config) []Pipeline {
	pairs, ok := r.pairs(n, "pipelines")
	switch {
	case !ok && len(pairs) == 0:
		return nil
	case len(pairs) == 0:
		r.report(n, "pipelines is empty: name at least one, or remove the key to use the built-in pipeline")
	case len(pairs) > maxPipelines:
		r.report(n, "pipelines has %d entries, the limit is %d", len(pairs), maxPipelines)
		return nil
	}
	var pipelines []Pipeline
	for _, p := range pairs {
		switch {
		case p.name == reservedPipeline:
			r.report(p.at, "pipelines: the name %q is kept for a later version: choose another", p.name)
		case !pipelineName.MatchString(p.name):
			r.report(p.at, "pipelines: %s cannot be a name: use 1 to 40 lower-case letters, digits, - and _", quote(p.name))
			p.name = quote(p.name)
		}
		// One with a bad name is read too: all problems are told at once.
		pipelines = append(pipelines, r.pipeline(p, c))
	}
	return pipelines
}

// pipeline reads one pipeline; what it leaves out is as in the built-in one.
func (r *reader) pipeline(entry pair, c *Config) Pipeline {
	p := defaultPipeline(entry.name, r.known)
	where := "pipelines." + entry.name
	r.mapping(entry.value, where,
		key{"description", func(n ast.Node) { p.Description = r.description(n, where+".description") }},
		key{"on", func(n ast.Node) { p.On = r.events(n, where+".on", c) }},
		key{"strategy", func(n ast.Node) {
			s, _ := r.oneOf(n, where+".strategy", string(Parallel), string(Sequential))
			p.Strategy = Strategy(s)
		}},
		key{"agents", func(n ast.Node) { p.Agents = r.agents(n, where+".agents") }},
		key{"timeout", func(n ast.Node) { p.Timeout, _ = r.duration(n, where+".timeout", minTimeout, maxTimeout) }},
		key{"gate", func(n ast.Node) { r.gate(n, where+".gate", &p.Gate) }},
		key{"report", func(n ast.Node) { r.reports(n, where+".report", &p.Report) }},
		key{"drafts", func(n ast.Node) { p.Drafts, _ = r.boolean(n, where+".drafts") }},
		key{"labels", func(n ast.Node) {
			r.mapping(n, where+".labels", key{"skip", func(n ast.Node) { p.SkipLabels = r.labels(n, where+".labels.skip") }})
		}},
	)
	return p
}

func (r *reader) description(n ast.Node, where string) string {
	s, ok := r.text(n, where)
	if ok && len(s) > maxDescription {
		r.report(n, "%s is longer than %d bytes", where, maxDescription)
	}
	return strings.TrimSpace(s)
}

func (r *reader) events(n ast.Node, where string, c *Config) []string {
	return r.names(n, where, maxEvents, func(item ast.Node, name string) bool {
		e, ok := knownEvent(name)
		switch full := eventActions(name); {
		case ok:
			r.notice(c, item, where, e)
		case len(full) > 0:
			r.report(item, "%s: %s needs an action: %s", where, quote(name), strings.Join(full, ", "))
		default:
			r.unknown(item, where+": unknown event "+quote(name), name, eventNames())
		}
		return ok
	})
}

func (r *reader) notice(c *Config, n ast.Node, where string, e event) {
	if e.note == "" {
		return
	}
	at := n.GetToken().Position
	c.Notices = append(c.Notices, review.Problem{
		Path: r.path, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%s: %s: %s", where, e.name, e.note),
	})
}

func (r *reader) agents(n ast.Node, where string) []string {
	return r.names(n, where, maxAgents, func(item ast.Node, name string) bool {
		for _, known := range r.known.Agents {
			if name == known {
				return true
			}
		}
		r.unknown(item, where+": unknown agent "+quote(name), name, r.known.Agents)
		return false
	})
}

func (r *reader) gate(n ast.Node, where string, g *Gate) {
	r.mapping(n, where,
		key{"fail_on", func(n ast.Node) { g.FailOn = r.severity(n, where+".fail_on") }},
		key{"on_unavailable", func(n ast.Node) {
			s, _ := r.oneOf(n, where+".on_unavailable", string(UnavailableNeutral), string(UnavailableFail))
			g.OnUnavailable = OnUnavailable(s)
		}},
	)
}

// never is the value of fail_on that makes a gate advisory.
const never = "never"

func (r *reader) severity(n ast.Node, where string) review.Severity {
	var allowed []string
	for _, s := range review.Severities() {
		allowed = append(allowed, s.String())
	}
	s, ok := r.oneOf(n, where, append(allowed, never)...)
	if !ok || s == never {
		return review.SeverityNone
	}
	severity, err := review.ParseSeverity(s)
	if err != nil {
		r.report(n, "%s: %v", where, err)
	}
	return severity
}

func (r *reader) reports(n ast.Node, where string, report *Report) {
	r.mapping(n, where, key{"comment", func(n ast.Node) {
		s, _ := r.oneOf(n, where+".comment", string(CommentFindings), string(CommentAlways), string(CommentNever))
		report.Comment = CommentWhen(s)
	}})
}

func (r *reader) labels(n ast.Node, where string) []string {
	return r.names(n, where, maxLabels, func(item ast.Node, name string) bool {
		if strings.TrimSpace(name) == "" {
			r.report(item, "%s: a label is empty: write its name", where)
			return false
		}
		return true
	})
}

func (r *reader) globs(n ast.Node, where string) []string {
	return r.names(n, where, maxIgnore, func(item ast.Node, pattern string) bool {
		if err := checkGlob(pattern); err != nil {
			r.report(item, "%s: %s: %v", where, quote(pattern), err)
			return false
		}
		return true
	})
}

// anchorsOf finds the values that aliases stand for.
func anchorsOf(root ast.Node) map[string]ast.Node {
	found := make(anchors)
	ast.Walk(found, root)
	return found
}

type anchors map[string]ast.Node

func (a anchors) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok && anchor.Name != nil {
		a[anchor.Name.GetToken().Value] = anchor.Value
	}
	return a
}
