package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON reads a document into a tree. Doubled names and bytes that are not
// UTF-8 are let through, as package managers do.
func parseJSON(text []byte) (*node, error) {
	d := &jsonReader{
		text: text, line: 1,
		dec: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
	}
	root, err := d.value(0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", d.line, err)
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return root, nil
}

type jsonReader struct {
	dec  *jsontext.Decoder
	text []byte
	budget
	// line is that of the byte at, to which lines were counted.
	at, line int
}

// token reads the next token and counts lines up to its end; tokens of JSON
// never span lines.
func (d *jsonReader) token() (jsontext.Token, error) {
	t, err := d.dec.ReadToken()
	if err != nil {
		return t, errors.New("not valid JSON")
	}
	end := int(d.dec.InputOffset())
	d.line += bytes.Count(d.text[d.at:end], []byte("\n"))
	d.at = end
	return t, nil
}

func (d *jsonReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if err := d.spend(); err != nil {
		return nil, err
	}
	t, err := d.token()
	if err != nil {
		return nil, err
	}
	n := &node{line: d.line}
	switch t.Kind() {
	case '"':
		n.kind, n.text = str, t.String()
	case '{':
		n.kind = object
		err = d.members(n, depth)
	case '[':
		n.kind = array
		err = d.elements(n, depth)
	default:
		n.text = t.String()
	}
	return n, err
}

func (d *jsonReader) members(n *node, depth int) error {
	for d.dec.PeekKind() != '}' {
		name, err := d.token()
		if err != nil {
			return err
		}
		key, line := name.String(), d.line
		kid, err := d.value(depth + 1)
		if err != nil {
			return err
		}
		kid.key, kid.line = key, line
		n.put(kid)
	}
	_, err := d.token()
	return err
}

func (d *jsonReader) elements(n *node, depth int) error {
	for d.dec.PeekKind() != ']' {
		kid, err := d.value(depth + 1)
		if err != nil {
			return err
		}
		n.put(kid)
	}
	_, err := d.token()
	return err
}
