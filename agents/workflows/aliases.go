package workflows

import (
	"errors"

	"go.yaml.in/yaml/v4"
)

// maxNodes is how many nodes a workflow may have once its aliases are resolved.
// The largest that people write have a few thousand.
const maxNodes = 100_000

// errAliases is written for people.
var errAliases = errors.New("too large once its aliases are expanded")

// boundedAliases refuses texts that are small but grow without bounds when
// aliases are resolved ("billion laughs"), for actionlint walks all of it. Texts
// that do not parse are fine: they are not walked.
func boundedAliases(text []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil
	}
	if expanded(&root, make(map[*yaml.Node]int)) > maxNodes {
		return errAliases
	}
	return nil
}

// expanded is the number of nodes under n with aliases resolved, or more than
// maxNodes. sizes holds the anchors known; 0 is one that is being counted, for
// an alias may stand within its own anchor.
func expanded(n *yaml.Node, sizes map[*yaml.Node]int) int {
	if n.Kind == yaml.AliasNode {
		size, known := sizes[n.Alias]
		if !known {
			return expanded(n.Alias, sizes)
		}
		return 1 + size
	}
	if n.Anchor != "" {
		sizes[n] = 0
	}
	total := 1
	for _, c := range n.Content {
		if total += expanded(c, sizes); total > maxNodes {
			break
		}
	}
	if n.Anchor != "" {
		sizes[n] = total
	}
	return total
}
