package manifest

import (
	"errors"
	"strings"
)

// parseYAML reads the part of YAML that package managers write into their lock
// files: block mappings of scalars and mappings. Lists and what is nested in
// braces are passed over, anchors and aliases do not exist, so that a document
// cannot become larger than it is.
func parseYAML(text []byte) (*node, error) {
	root := &node{kind: object, line: 1}
	type open struct {
		indent int
		node   *node
	}
	stack := []open{{-1, root}}
	var spent budget
	inScalar := -1 // the indent of the scalar that may go on
	for line, s := range numbered(text) {
		indent := len(s) - len(strings.TrimLeft(s, " "))
		s = s[indent:]
		if s == "" || s[0] == '#' || s[0] == '-' {
			continue
		}
		if s[0] == '\t' {
			return nil, errors.New("indented with a tab")
		}
		for indent <= stack[len(stack)-1].indent {
			stack = stack[:len(stack)-1]
		}
		key, value, ok := yamlEntry(s)
		if !ok || inScalar >= 0 && indent > inScalar {
			continue // goes on from the lines before
		}
		inScalar = -1
		if len(stack) > maxDepth {
			return nil, errDepth
		}
		if err := spent.spend(); err != nil {
			return nil, err
		}
		n := &node{key: key, line: line, kind: str, text: value}
		if value == "" {
			n.kind = object
			stack = append(stack, open{indent, n})
			stack[len(stack)-2].node.put(n)
			continue
		}
		stack[len(stack)-1].node.put(n)
		inScalar = indent
	}
	return root, nil
}

// yamlEntry splits "key: value", where the key may be quoted.
func yamlEntry(s string) (key, value string, ok bool) {
	if q := s[0]; q == '\'' || q == '"' {
		end := strings.IndexByte(s[1:], q)
		if end < 0 {
			return "", "", false
		}
		key, value = s[1:1+end], s[end+2:]
	} else {
		at := strings.Index(s, ": ")
		if at < 0 {
			if !strings.HasSuffix(s, ":") {
				return "", "", false
			}
			at = len(s) - 1
		}
		key, value = s[:at], s[at:]
	}
	value, ok = strings.CutPrefix(value, ":")
	return key, yamlScalar(strings.TrimSpace(value)), ok
}

// yamlScalar takes the quotes off; a scalar that is quoted is never empty here,
// for an empty value begins a mapping.
func yamlScalar(s string) string {
	if len(s) > 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
