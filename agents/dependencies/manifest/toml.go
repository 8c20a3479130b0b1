package manifest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"
)

// parseTOML reads a document into a tree. It is more lenient than TOML where
// that does no harm: a key that is set twice has two values, of which get
// returns the last.
func parseTOML(text []byte) (*node, error) {
	t := &tomlReader{text: text, line: 1, root: &node{kind: object, line: 1}}
	t.parser.Reset(text)
	table := t.root
	for t.parser.NextExpression() {
		var err error
		switch e := t.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table, err = t.table(e)
		case unstable.KeyValue:
			err = t.keyValue(table, e, 0)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", t.line, err)
		}
	}
	if t.parser.Error() != nil {
		return nil, fmt.Errorf("after line %d: not valid TOML", t.line)
	}
	return t.root, nil
}

type tomlReader struct {
	parser unstable.Parser
	text   []byte
	root   *node
	budget
	at, line int
}

// lineAt counts lines up to the offset. Offsets mostly grow.
func (t *tomlReader) lineAt(offset uint32) int {
	to := min(int(offset), len(t.text))
	if to < t.at {
		return t.line - bytes.Count(t.text[to:t.at], []byte("\n"))
	}
	t.line += bytes.Count(t.text[t.at:to], []byte("\n"))
	t.at = to
	return t.line
}

type tomlKey struct {
	text string
	line int
}

func (t *tomlReader) key(e *unstable.Node) (keys []tomlKey, err error) {
	for it := e.Key(); it.Next(); {
		if len(keys) == maxDepth {
			return nil, errDepth
		}
		k := it.Node()
		keys = append(keys, tomlKey{string(k.Data), t.lineAt(k.Raw.Offset)})
	}
	if len(keys) == 0 {
		return nil, errors.New("an empty key")
	}
	return keys, nil
}

// table finds or makes the table that a [header] or a [[header]] opens.
func (t *tomlReader) table(e *unstable.Node) (*node, error) {
	keys, err := t.key(e)
	if err != nil {
		return nil, err
	}
	last := len(keys) - 1
	parent, err := t.descend(t.root, keys[:last])
	if err != nil {
		return nil, err
	}
	if e.Kind == unstable.Table {
		return t.child(parent, keys[last])
	}
	list := parent.get(keys[last].text)
	if list == nil || list.kind != array {
		if list, err = t.append(parent, &node{kind: array, key: keys[last].text, line: keys[last].line}); err != nil {
			return nil, err
		}
	}
	return t.append(list, &node{kind: object, line: keys[last].line})
}

func (t *tomlReader) keyValue(into *node, e *unstable.Node, depth int) error {
	keys, err := t.key(e)
	if err != nil {
		return err
	}
	last := len(keys) - 1
	if into, err = t.descend(into, keys[:last]); err != nil {
		return err
	}
	kid, err := t.value(e.Value(), keys[last].line, depth+1)
	if err != nil {
		return err
	}
	kid.key = keys[last].text
	_, err = t.append(into, kid)
	return err
}

func (t *tomlReader) value(v *unstable.Node, line, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	n := &node{line: line}
	if v.Raw.Length > 0 {
		n.line = t.lineAt(v.Raw.Offset)
	}
	switch v.Kind {
	case unstable.String:
		n.kind, n.text = str, string(v.Data)
	case unstable.Array:
		n.kind = array
		for it := v.Children(); it.Next(); {
			kid, err := t.value(it.Node(), n.line, depth+1)
			if err != nil {
				return nil, err
			}
			if _, err := t.append(n, kid); err != nil {
				return nil, err
			}
		}
	case unstable.InlineTable:
		n.kind = object
		for it := v.Children(); it.Next(); {
			if err := t.keyValue(n, it.Node(), depth); err != nil {
				return nil, err
			}
		}
	default:
		n.text = string(v.Data)
	}
	return n, nil
}

// descend goes down a dotted key, and into the last element of arrays.
func (t *tomlReader) descend(n *node, keys []tomlKey) (*node, error) {
	var err error
	for _, k := range keys {
		if n, err = t.child(n, k); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (t *tomlReader) child(n *node, k tomlKey) (*node, error) {
	kid := n.get(k.text)
	if kid != nil && kid.kind == array && len(kid.kids) > 0 {
		kid = kid.kids[len(kid.kids)-1]
	}
	if kid != nil && kid.kind == object {
		return kid, nil
	}
	return t.append(n, &node{kind: object, key: k.text, line: k.line})
}

func (t *tomlReader) append(to, kid *node) (*node, error) {
	if err := t.spend(); err != nil {
		return nil, err
	}
	to.put(kid)
	return kid, nil
}
