package strategy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a config file. Anybody with write access can put a file on the base
// branch, and it is parsed on every delivery: go-yaml's parser is quadratic in
// the number of keys and recurses by depth (go-yaml v1.19.2: 52,000 keys take
// 20 s, 100,000 nested lists exhaust memory), so both are bounded before it
// runs. With these the worst file found takes under a second.
const (
	// MaxConfigBytes is the largest config file that is read.
	MaxConfigBytes = 256 << 10
	maxTokens      = 20_000
	maxDepth       = 32
	// maxProblems is what a check shows in one request
	// (https://docs.github.com/rest/checks/runs: 50 annotations).
	maxProblems = 50
)

// firstLine is how a file begins; messages show it.
const firstLine = "version: 1"

// file reads a layer's file into its root; nil when it has problems.
func (r *reader) file(l Layer) *node {
	s := &source{layer: l.Kind, path: l.Path}
	if msg, line := unreadable(l.Data); msg != "" {
		r.at(s, line, 1, "%s", msg)
		return nil
	}
	tokens := lexer.Tokenize(plain(l.Data))
	if msg, at := tooComplex(tokens); msg != "" {
		line, column := place(at)
		r.at(s, line, column, "%s", msg)
		return nil
	}
	// Duplicate keys are allowed here because the reader reports them all, and
	// in our words.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(s, err)
		return nil
	}
	body := r.onlyBody(s, file)
	if body == nil {
		return nil
	}
	s.anchors = anchorsOf(body)
	return &node{body, s}
}

// plain is the file as the lexer counts it right: go-yaml v1.19.2 counts lines
// wrongly when they end in \r\n and columns when a byte order mark leads.
func plain(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
}

func unreadable(data []byte) (message string, line int) {
	if len(data) > MaxConfigBytes {
		return fmt.Sprintf("the file has %d bytes, the limit is %d: make it smaller", len(data), MaxConfigBytes), 1
	}
	for n, l := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(l) {
			return "the file is not UTF-8 text: save it as UTF-8", n + 1
		}
		if i := bytes.IndexFunc(l, func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' }); i >= 0 {
			return fmt.Sprintf("the line has the control character %q: remove it", l[i]), n + 1
		}
	}
	return "", 0
}

func tooComplex(tokens token.Tokens) (message string, at *token.Token) {
	flow, dashes, line := 0, 0, 0
	for i, t := range tokens {
		if i >= maxTokens {
			return fmt.Sprintf("the file has more than %d words: make it smaller", maxTokens), t
		}
		if t.Position != nil && t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if flow+dashes > maxDepth {
			return fmt.Sprintf("lists and mappings are nested deeper than %d", maxDepth), t
		}
	}
	return "", nil
}

func (r *reader) syntax(s *source, err error) {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		line, column := place(e.GetToken())
		r.at(s, line, column, "the YAML cannot be read here: %s", headline(e.GetMessage()))
		return
	}
	r.at(s, 1, 1, "the YAML cannot be read: %s", headline(err.Error()))
}

func headline(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (r *reader) onlyBody(s *source, file *ast.File) ast.Node {
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			r.report(node{d.Body, s}, "the file has a second document: keep one, and remove the line ---")
			return nil
		default:
			body = d.Body
		}
	}
	if body == nil {
		r.at(s, 1, 1, "the file says nothing: begin with %q, or delete it to use the built-in default", firstLine)
	}
	return body
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
