package manifest

import (
	"errors"
	"slices"
)

// Bounds of a document that is read as a tree. They keep a small file from
// becoming a large thing in memory: a node has about 100 bytes.
const (
	maxNodes = 600_000
	maxDepth = 64
	// minIndexed is the number of kids from which an object has an index.
	minIndexed = 16
)

var (
	errNodes = errors.New("too many values")
	errDepth = errors.New("nested too deeply")
)

// node is a value of a JSON, TOML or YAML document. A nil node is one that is
// not there: its methods answer with nothing.
type node struct {
	kind kind
	// key is the name of the value in its object; empty in an array.
	key string
	// text is a scalar's.
	text string
	line int
	// kids are the values of an object or an array, in their order; put adds
	// one.
	kids []*node
	// index finds the kids of a large object by name; nil in small ones.
	index map[string]*node
}

type kind byte

const (
	scalar kind = iota // a number, a literal, or a string of another kind
	str
	object
	array
)

// put adds a value to an object or an array.
func (n *node) put(kid *node) {
	n.kids = append(n.kids, kid)
	switch {
	case n.kind != object:
	case n.index != nil:
		n.index[kid.key] = kid
	case len(n.kids) == minIndexed:
		n.index = make(map[string]*node, 2*minIndexed)
		for _, k := range n.kids {
			n.index[k.key] = k
		}
	}
}

// get goes down by names. Of values with the same name it takes the last, as
// package managers do.
func (n *node) get(keys ...string) *node {
	for _, key := range keys {
		if n = n.child(key); n == nil {
			return nil
		}
	}
	return n
}

func (n *node) child(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	if n.index != nil {
		return n.index[key]
	}
	for _, k := range slices.Backward(n.kids) {
		if k.key == key {
			return k
		}
	}
	return nil
}

// all are the values of an object or an array.
func (n *node) all() []*node {
	if n == nil {
		return nil
	}
	return n.kids
}

// str is the text of a string; empty for all else.
func (n *node) str() string {
	if n == nil || n.kind != str {
		return ""
	}
	return n.text
}

// lineOr is the line of the value, or else the one given.
func (n *node) lineOr(line int) int {
	if n == nil {
		return line
	}
	return n.line
}

// is reports whether the value is written so: "true", "1".
func (n *node) is(text string) bool { return n != nil && n.kind == scalar && n.text == text }

// budget counts the nodes of one document.
type budget struct{ nodes int }

func (b *budget) spend() error {
	if b.nodes++; b.nodes > maxNodes {
		return errNodes
	}
	return nil
}
