package strategy

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// source is a layer's file.
type source struct {
	layer   LayerKind
	path    string
	anchors map[string]ast.Node
}

// node is a node of a layer's file.
type node struct {
	ast.Node
	*source
}

func (n node) with(inner ast.Node) node { return node{inner, n.source} }

// resolve follows anchors and aliases to the value they stand for. Only known
// shapes are ever descended into, so aliases cannot multiply without end.
func (n node) resolve() ast.Node {
	v := n.Node
	// go-yaml refuses an anchor on an alias, so there are no circles today; the
	// bound keeps it so should that change.
	for range maxDepth {
		switch at := v.(type) {
		case *ast.AnchorNode:
			v = at.Value
		case *ast.AliasNode:
			v = n.anchors[at.Value.GetToken().Value]
		default:
			return v
		}
	}
	return nil
}

func (n node) origin() Origin {
	line, column := place(n.GetToken())
	return Origin{Layer: n.layer, Path: n.path, Line: line, Column: column}
}

// value is what the layers say of one key: a node of each layer that gives it,
// the lowest layer's first, and never empty. Only mappings are put together
// from all; of anything else the top alone counts.
type value []node

func (v value) top() node { return v[len(v)-1] }

// gives reports whether a layer gives one of the keys of a mapping, well or
// badly.
func (v value) gives(keys ...string) bool {
	for _, n := range v {
		entries, _ := entriesOf(n)
		for _, e := range entries {
			if text, ok := e.Key.(*ast.StringNode); ok && slices.Contains(keys, text.Value) {
				return true
			}
		}
	}
	return false
}

// pair is a key of a mapping and what the layers say of it; at is the key's
// node in the topmost layer that gives it.
type pair struct {
	name  string
	at    node
	value value
}

// pairs reads a mapping whose keys are free but unique; ok says that it is one.
// Keys are in the order of the files, the lowest layer's first.
func (r *reader) pairs(v value, where string) (pairs []pair, ok bool) {
	index := make(map[string]int)
	ok = true
	for i, n := range v {
		entries, isMapping := entriesOf(n)
		if !isMapping {
			if i < len(v)-1 {
				continue // a layer above has put a mapping in its place
			}
			r.wrongType(n, where, "a mapping (key: value)")
			return nil, false
		}
		if !r.entries(n, entries, where, index, &pairs) {
			ok = false
		}
	}
	return pairs, ok
}

func entriesOf(n node) ([]*ast.MappingValueNode, bool) {
	switch m := n.resolve().(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// entries adds one layer's part of a mapping.
func (r *reader) entries(n node, entries []*ast.MappingValueNode, where string, index map[string]int, pairs *[]pair) (ok bool) {
	ok = true
	first := make(map[string]ast.Node, len(entries))
	for _, e := range entries {
		if r.full() {
			return false
		}
		key := n.with(e.Key)
		text, isText := e.Key.(*ast.StringNode)
		if !isText {
			r.badKey(key, where)
			ok = false
			continue
		}
		if f, twice := first[text.Value]; twice {
			r.report(key, "%s is given twice, first on line %d: keep one", join(where, text.Value), f.GetToken().Position.Line)
			ok = false
			continue
		}
		first[text.Value] = e.Key
		if !r.unlocked(key, join(where, text.Value)) {
			continue
		}
		i, known := index[text.Value]
		if !known {
			i = len(*pairs)
			index[text.Value] = i
			*pairs = append(*pairs, pair{name: text.Value})
		}
		p := &(*pairs)[i]
		p.at, p.value = key, append(p.value, n.with(e.Value))
	}
	return ok
}

func (r *reader) badKey(n node, where string) {
	if _, merge := n.Node.(*ast.MergeKeyNode); merge {
		r.report(n, "%s: merge keys (<<) are not supported: write the keys out, or use the whole value as *alias", orFile(where))
		return
	}
	r.report(n, "%s: a key must be a plain word; quote it if it is one", orFile(where))
}

// unlocked reports whether the layer may give the key; else it says why not.
func (r *reader) unlocked(key node, where string) bool {
	if key.layer <= Operator {
		return true
	}
	for _, lock := range r.locks {
		if within(where, lock) {
			r.report(key, "%s is locked by the operator (%s): remove it here", where, lock)
			return false
		}
		// What is locked inside a pipeline would go with the pipeline.
		if name, isSwitch := strings.CutSuffix(where, ".enabled"); isSwitch && strings.HasPrefix(where, "pipelines.") && within(lock, name) {
			r.report(key, "%s: the operator has locked %s, so the pipeline cannot be taken away", where, lock)
			return false
		}
	}
	return true
}

// within reports whether a dotted key is another or below it; "*" in either
// stands for any one name.
func within(key, above string) bool {
	keys, aboves := strings.Split(key, "."), strings.Split(above, ".")
	if len(aboves) > len(keys) {
		return false
	}
	for i, name := range aboves {
		if name != keys[i] && name != "*" && keys[i] != "*" {
			return false
		}
	}
	return true
}
