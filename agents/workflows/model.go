package workflows

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// workflow is a workflow, or an action, as far as the rules on security look
// at it. Nodes are nil where the text has none.
type workflow struct {
	lines       []string
	on          *yaml.Node
	events      map[string]*yaml.Node
	permissions *yaml.Node
	env         *yaml.Node
	jobs        []job
	// composite says that it is an action; its steps are in the one job.
	composite bool
}

type job struct {
	node        *yaml.Node
	permissions *yaml.Node
	runsOn      *yaml.Node
	uses        *yaml.Node
	secrets     *yaml.Node
	env         *yaml.Node
	condition   string
	environment bool
	steps       []step
}

type step struct {
	node      *yaml.Node
	uses, run *yaml.Node
	env       *yaml.Node
	with      map[string]*yaml.Node
	condition string
}

// maxSteps bounds the steps looked at in one file.
const maxSteps = 2000

// parse reads a workflow or an action; nil for what is neither. Aliases must
// have been found to be bounded.
func parse(text []byte) *workflow {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil || len(root.Content) != 1 {
		return nil
	}
	top := fields(root.Content[0])
	w := &workflow{lines: strings.Split(string(text), "\n"), events: make(map[string]*yaml.Node)}
	if runs := fields(top["runs"]); runs["steps"] != nil {
		w.composite = true
		w.jobs = []job{{node: top["runs"], steps: stepsOf(runs["steps"])}}
		return w
	}
	if top["jobs"] == nil {
		return nil
	}
	w.on, w.permissions, w.env = top["on"], top["permissions"], top["env"]
	for _, name := range names(w.on) {
		w.events[name.Value] = name
	}
	steps := 0
	for _, n := range values(top["jobs"]) {
		j := jobOf(n)
		if steps += len(j.steps) + 1; steps > maxSteps {
			break
		}
		w.jobs = append(w.jobs, j)
	}
	return w
}

func jobOf(n *yaml.Node) job {
	f := fields(n)
	return job{
		node: n, permissions: f["permissions"], runsOn: f["runs-on"], uses: f["uses"], secrets: f["secrets"], env: f["env"],
		condition: scalar(f["if"]), environment: f["environment"] != nil, steps: stepsOf(f["steps"]),
	}
}

func stepsOf(n *yaml.Node) []step {
	n = resolved(n)
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var steps []step
	for _, item := range n.Content {
		f := fields(item)
		steps = append(steps, step{node: item, uses: f["uses"], run: f["run"], env: f["env"], with: fields(f["with"]), condition: scalar(f["if"])})
		if len(steps) == maxSteps {
			break
		}
	}
	return steps
}

// fields are the values of a mapping by their keys; the first of each.
func fields(n *yaml.Node) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node)
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; out[key] == nil {
			out[key] = n.Content[i+1]
		}
	}
	return out
}

// values are the values of a mapping, in order.
func values(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	var out []*yaml.Node
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 1; i < len(n.Content); i += 2 {
			out = append(out, n.Content[i])
		}
	}
	return out
}

// names are the nodes that name something: a scalar, the items of a list, or
// the keys of a mapping.
func names(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	var out []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		out = append(out, n.Content[i])
	}
	return out
}

// resolved follows an alias.
func resolved(n *yaml.Node) *yaml.Node {
	for hops := 0; n != nil && n.Kind == yaml.AliasNode && hops < 10; hops++ {
		n = n.Alias
	}
	return n
}

func scalar(n *yaml.Node) string {
	if n = resolved(n); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// strangersStart are the events that strangers set off and that run with the
// repository's own rights, secrets and all.
var strangersStart = []string{"pull_request_target", "workflow_run", "issue_comment"}

// dangerous is the event that strangers set off with the repository's rights;
// empty for none.
func (w *workflow) dangerous() string {
	for _, e := range strangersStart {
		if w.events[e] != nil {
			return e
		}
	}
	return ""
}

// usesName is the action or workflow of a "uses", without its version; local
// says that it is of the same repository.
func usesName(uses string) (name, version string, local bool) {
	if strings.HasPrefix(uses, "./") || strings.HasPrefix(uses, "../") {
		return uses, "", true
	}
	if image, ok := strings.CutPrefix(uses, "docker://"); ok {
		name, version, _ = strings.Cut(image, "@")
		return "docker://" + name, version, false
	}
	name, version, _ = strings.Cut(uses, "@")
	return strings.ToLower(name), version, false
}

// action reports whether the step uses the action of that name.
func (s step) action(name string) bool {
	n, _, local := usesName(scalar(s.uses))
	return !local && (n == name || strings.HasPrefix(n, name+"/"))
}

// expressions are the ${{ … }} of a text.
var expressions = regexp.MustCompile(`\$\{\{(.*?)\}\}`)
