package strategy

import (
	"slices"

	"assay/review"
)

// Load puts the layers together: each over those of a lower kind, and all over
// the built-in default. How, docs/configuration.md says.
//
// A layer with problems is left out whole, and what the layers below it say is
// in force; its problems are in Settings.Problems, at most 50 of each layer, in
// the order of the layers. Settings.Config is never nil. The files may be
// hostile: Load never panics, and its time and memory are bounded.
func Load(v Vocabulary, layers ...Layer) Settings {
	s := Settings{Config: Default(v), Vocabulary: v}
	layers = slices.Clone(layers)
	slices.SortStableFunc(layers, func(a, b Layer) int { return int(a.Kind) - int(b.Kind) })
	var stack []node
	compiled := make(map[string]*Condition)
	for _, l := range layers {
		above, config, problems := over(v, stack, s.Config, l, compiled)
		if len(problems) > 0 {
			s.Problems = append(s.Problems, problems...)
			continue
		}
		stack, s.Config = above, config
	}
	return s
}

// over puts a layer over a stack of layers that are good, whose config is
// below.
func over(v Vocabulary, stack []node, below *Config, l Layer, compiled map[string]*Condition) (above []node, config *Config, problems []review.Problem) {
	// The YAML library is fuzzed, and has still been seen to panic on odd
	// input; a stranger's file must not take the service down.
	defer func() {
		if p := recover(); p != nil {
			config, problems = nil, []review.Problem{l.unreadable()}
		}
	}()
	r := &reader{known: v, locks: below.Operator.Lock, compiled: compiled, origins: make(map[string]Origin)}
	root := r.file(l)
	if root == nil {
		return nil, nil, r.sorted()
	}
	above = append(slices.Clip(stack), *root)
	config = r.read(above)
	if len(r.problems) > 0 {
		return nil, nil, r.sorted()
	}
	return above, config, nil
}

// Parse reads one repository's file over the built-in default. path is the
// file's path as problems name it.
//
// It returns either a config or problems, never both and never neither; with
// problems the caller keeps to the default and says so. Problems are in the
// order of the file, at most 50, each with line and column. The file may be
// hostile: Parse never panics, and its time and memory are bounded.
func Parse(path string, data []byte, v Vocabulary) (config *Config, problems []review.Problem) {
	s := Load(v, Layer{Kind: Repository, Path: path, Data: data})
	if len(s.Problems) > 0 {
		return nil, s.Problems
	}
	return s.Config, nil
}

// read turns the layers' files into a config.
func (r *reader) read(stack []node) *Config {
	c := Default(r.known)
	c.Version = 0
	r.config = c
	root := object[Config]{rows: rootKeys}
	root.read(r, stack, "", c)
	for _, n := range stack {
		r.versioned(n)
	}
	c.origins = r.origins
	r.finish(c)
	return c
}

// versioned holds that each file begins with its version.
func (r *reader) versioned(n node) {
	entries, isMapping := entriesOf(n)
	for _, e := range entries {
		if e.Key.GetToken().Value == "version" {
			return
		}
	}
	if isMapping {
		r.at(n.source, 1, 1, "the key version is missing: begin the file with %q", firstLine)
	}
}

// finish takes away what is disabled and tells of what does nothing.
func (r *reader) finish(c *Config) {
	var enabled []Pipeline
	for _, p := range c.Pipelines {
		if p.disabled {
			c.Disabled = append(c.Disabled, p.Name)
			continue
		}
		c.addRulesAgent(&p)
		p.policies = c.policies(p)
		enabled = append(enabled, p)
	}
	c.Pipelines = enabled
	if len(enabled) == 0 {
		r.notice(c.Origin("pipelines"), "pipelines: all are disabled, so nothing is reviewed")
	}
	r.idleRules(c)
	for _, a := range c.Agents {
		if !c.runs(a.Name) {
			r.notice(c.Origin("agents."+a.Name), "agents.%s: no pipeline runs this agent", a.Name)
		}
	}
}

// addRulesAgent has a pipeline read the team's rules whose agents nobody has
// chosen: to write a rule is to want it applied.
func (c *Config) addRulesAgent(p *Pipeline) {
	_, chosen := c.origins["pipelines."+p.Name+".agents"]
	if chosen || p.Strategy == Staged || len(c.Rules) == 0 || !slices.Contains(c.known.Agents, rulesAgent) || slices.Contains(p.Agents, rulesAgent) {
		return
	}
	p.Agents = append(slices.Clone(p.Agents), rulesAgent)
}

func (r *reader) idleRules(c *Config) {
	switch {
	case len(c.Rules) == 0:
	case !slices.Contains(r.known.Agents, rulesAgent):
		r.notice(c.Origin("rules"), "rules: this service has no agent %q to read them", rulesAgent)
	case !c.runs(rulesAgent):
		r.notice(c.Origin("rules"), "rules: no pipeline runs the agent %q, which reads them", rulesAgent)
	}
}

// runs reports whether any pipeline runs the agent.
func (c *Config) runs(agent string) bool {
	return slices.ContainsFunc(c.Pipelines, func(p Pipeline) bool { return slices.Contains(p.Agents, agent) })
}

// Values lists all keys in force with their values and where each is from.
func (c *Config) Values() []Value {
	return c.located(object[Config]{rows: rootKeys}.values(*c, ""))
}

// values are those of one pipeline.
func (c *Config) values(p Pipeline) []Value {
	return c.located(object[Pipeline]{rows: pipelineKeys}.values(p, "pipelines."+p.Name))
}

func (c *Config) located(values []Value) []Value {
	for i := range values {
		values[i].Origin = c.originOf(values[i].Key)
	}
	return values
}
