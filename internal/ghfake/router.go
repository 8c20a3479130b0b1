package ghfake

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// router finds the route of a request. http.ServeMux will not do: GitHub has
// parameters of several segments in the middle of a path.
type router struct{ byMethod map[string][]*matcher }

// matcher is a route with its template cut into segments: before, and after,
// the one parameter that may span several segments.
type matcher struct {
	route
	operation *openapi3.Operation
	item      *openapi3.PathItem
	head      []segment
	spans     string // name of the spanning parameter; "" when there is none
	tail      []segment
	literals  int
}

type segment struct{ literal, param string }

func newRouter(routes []route, check *validator) (*router, error) {
	r := &router{byMethod: map[string][]*matcher{}}
	for _, rt := range routes {
		m, err := newMatcher(rt, check.doc)
		if err != nil {
			return nil, err
		}
		r.byMethod[rt.method] = append(r.byMethod[rt.method], m)
	}
	for _, ms := range r.byMethod {
		slices.SortStableFunc(ms, func(a, b *matcher) int { return b.literals - a.literals })
	}
	return r, nil
}

func newMatcher(rt route, doc *openapi3.T) (*matcher, error) {
	m := &matcher{route: rt, item: doc.Paths.Value(rt.template)}
	if m.item == nil || m.item.GetOperation(rt.method) == nil {
		return nil, fmt.Errorf("%s %s is not in GitHub's description", rt.method, rt.template)
	}
	m.operation = m.item.GetOperation(rt.method)
	for _, text := range strings.Split(strings.TrimPrefix(rt.template, "/"), "/") {
		name, isParam := strings.CutPrefix(text, "{")
		name, spans := strings.CutSuffix(strings.TrimSuffix(name, "}"), ":.+")
		switch {
		case isParam && (spans || spansSegments(m.operation, name)):
			m.spans = name
		case m.spans != "":
			m.tail = append(m.tail, segmentOf(text, name, isParam))
		default:
			m.head = append(m.head, segmentOf(text, name, isParam))
		}
		if !isParam {
			m.literals++
		}
	}
	return m, nil
}

func segmentOf(text, name string, isParam bool) segment {
	if isParam {
		return segment{param: name}
	}
	return segment{literal: text}
}

// spansSegments reads GitHub's own mark on a path parameter, which stands on
// some parameters whose path is not written with ":.+".
func spansSegments(op *openapi3.Operation, name string) bool {
	p := op.Parameters.GetByInAndName("path", name)
	return p != nil && p.Extensions["x-multi-segment"] == true
}

// find returns the route of a path, still escaped, and its parameters.
func (r *router) find(method, path string) (*matcher, map[string]string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, m := range r.byMethod[method] {
		if params, ok := m.match(segments); ok {
			return m, params
		}
	}
	return nil, nil
}

// lacksMethod reports whether the path is known under another method.
func (r *router) lacksMethod(path string) bool {
	for method := range r.byMethod {
		if m, _ := r.find(method, path); m != nil {
			return true
		}
	}
	return false
}

func (m *matcher) match(path []string) (map[string]string, bool) {
	if m.spans == "" && len(path) != len(m.head) || m.spans != "" && len(path) <= len(m.head)+len(m.tail) {
		return nil, false
	}
	tail := path[len(path)-len(m.tail):]
	if !literalsMatch(m.head, path) || !literalsMatch(m.tail, tail) {
		return nil, false
	}
	params := make(map[string]string, 4)
	bind(params, m.head, path)
	bind(params, m.tail, tail)
	if m.spans != "" {
		params[m.spans] = unescape(strings.Join(path[len(m.head):len(path)-len(m.tail)], "/"))
	}
	return params, true
}

func literalsMatch(pattern []segment, path []string) bool {
	for i, p := range pattern {
		if p.literal != "" && p.literal != path[i] {
			return false
		}
	}
	return true
}

func bind(params map[string]string, pattern []segment, path []string) {
	for i, p := range pattern {
		if p.param != "" {
			params[p.param] = unescape(path[i])
		}
	}
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
