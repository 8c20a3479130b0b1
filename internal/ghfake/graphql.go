package ghfake

import (
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	graphcheck "github.com/vektah/gqlparser/v2/validator"
)

// graphSchema is cut from GitHub's own schema; see openapi/NOTICE.md.
//
//go:embed graphql/github.graphql
var graphSchema string

var sharedSchema = sync.OnceValues(func() (*ast.Schema, error) {
	return gqlparser.LoadSchema(&ast.Source{Name: "github.graphql", Input: graphSchema})
})

// GraphQLRoute is what Request.Route has for queries, and Fault.Pattern takes:
// GraphQL has one path for all.
const GraphQLRoute = "/graphql"

// graphMatcher is the route of GraphQL, which OpenAPI knows nothing of.
func graphMatcher() *matcher {
	return &matcher{route: route{method: post, template: GraphQLRoute, auth: asInstallation, handle: (*Server).answerGraph}}
}

func (c *call) isGraph() bool { return c.route != nil && c.route.template == GraphQLRoute }

// graphNode is an object of an answer. Values are what JSON takes, nodes, lists
// of either, or a graphFunc that makes one when it is asked for.
type graphNode map[string]any

// graphFunc makes the value of a field that has arguments, costs something or
// may be refused.
type graphFunc func(args map[string]any) (any, error)

// graphRefusal is an error of one field
// (https://docs.github.com/graphql/guides/forming-calls-with-graphql).
type graphRefusal struct{ kind, message string }

func (e *graphRefusal) Error() string { return e.kind + ": " + e.message }

func graphForbidden() error {
	return &graphRefusal{"FORBIDDEN", "Resource not accessible by integration"}
}

func graphMissing(format string, args ...any) error {
	return &graphRefusal{"NOT_FOUND", fmt.Sprintf(format, args...)}
}

// GraphQLFailure is a fault that answers a query as GitHub's GraphQL does when
// it fails: 200 with nothing but an error. kind is "RATE_LIMITED", "FORBIDDEN"
// or the like; empty for GitHub's own trouble, which has no type.
func GraphQLFailure(kind, message string) Fault {
	failure := object{"message": message}
	if kind != "" {
		failure["type"] = kind
	}
	body, err := encodeJSON(object{"data": nil, "errors": []object{failure}})
	if err != nil {
		panic(fmt.Sprintf("ghfake: %v", err))
	}
	return Fault{Method: post, Pattern: GraphQLRoute, Status: http.StatusOK, Body: string(body)}
}

// answerGraph validates a query against the schema and answers it from what is
// there.
func (s *Server) answerGraph(c *call) (answer, error) {
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	doc, invalid := gqlparser.LoadQuery(s.schema, in.Query)
	switch {
	case len(invalid) > 0:
		return s.badGraph(c, invalid)
	case len(doc.Operations) != 1:
		return s.badGraph(c, fmt.Errorf("%d operations in the document, want one", len(doc.Operations)))
	}
	op := doc.Operations[0]
	variables, err := graphcheck.VariableValues(s.schema, op, in.Variables)
	if err != nil {
		return s.badGraph(c, err)
	}
	root := s.graphQuery(c)
	if op.Operation == ast.Mutation {
		root = s.graphMutation(c)
	}
	x := &execution{server: s, call: c, schema: s.schema, variables: variables}
	data, _ := x.object(root, op.SelectionSet, nil)
	body := object{"data": data}
	if len(x.errors) > 0 {
		body["errors"] = x.errors
	}
	return ok(body), nil
}

// badGraph refuses a document as GitHub does, with 200.
func (s *Server) badGraph(c *call, why error) (answer, error) {
	s.violate(c, Malformed, http.StatusOK, why)
	return ok(object{"errors": []object{{"message": why.Error(), "path": []string{"query"}, "extensions": object{"code": "undefinedField"}}}}), nil
}

// execution is one operation on its way
// (https://spec.graphql.org/October2021/#sec-Execution).
type execution struct {
	server    *Server
	call      *call
	schema    *ast.Schema
	variables map[string]any
	errors    []object
}

// object answers a selection of an object's fields. It is not ok when a field
// that may not be null is: then nor is the object.
func (x *execution) object(node graphNode, selection ast.SelectionSet, path []any) (out object, ok bool) {
	out, ok = object{}, true
	for _, f := range x.fields(node, selection) {
		value, good := x.field(node, f, append(slices.Clip(path), f.Alias))
		if !good {
			ok = false
		}
		out[f.Alias] = value
	}
	if !ok {
		return nil, false
	}
	return out, true
}

// fields are the fields that a selection asks of a node, fragments resolved.
func (x *execution) fields(node graphNode, selection ast.SelectionSet) []*ast.Field {
	var out []*ast.Field
	for _, s := range selection {
		switch s := s.(type) {
		case *ast.Field:
			out = append(out, s)
		case *ast.InlineFragment:
			if x.is(node, s.TypeCondition) {
				out = append(out, x.fields(node, s.SelectionSet)...)
			}
		case *ast.FragmentSpread:
			if x.is(node, s.Definition.TypeCondition) {
				out = append(out, x.fields(node, s.Definition.SelectionSet)...)
			}
		}
	}
	return out
}

func (x *execution) is(node graphNode, condition string) bool {
	name, _ := node["__typename"].(string)
	return condition == "" || name == condition || slices.ContainsFunc(x.schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == name })
}

// field answers one field of a node.
func (x *execution) field(node graphNode, f *ast.Field, path []any) (value any, ok bool) {
	value, known := node[f.Name]
	if !known {
		x.server.violate(x.call, Undescribed, http.StatusOK, fmt.Errorf("the fake does not know %s.%s", node["__typename"], f.Name))
		x.refuse(f, path, errors.New("Something went wrong while executing your query.")) //nolint:staticcheck,revive // GitHub's words
		return nil, !f.Definition.Type.NonNull
	}
	if made, is := value.(graphFunc); is {
		var err error
		if value, err = made(f.ArgumentMap(x.variables)); err != nil {
			x.refuse(f, path, err)
			return nil, !f.Definition.Type.NonNull
		}
	}
	return x.complete(value, f.Definition.Type, f, path)
}

// complete answers a value of a type.
func (x *execution) complete(value any, t *ast.Type, f *ast.Field, path []any) (any, bool) {
	switch v := value.(type) {
	case nil:
		return nil, !t.NonNull
	case error: // an entry of a list that is kept back
		x.refuse(f, path, v)
		return nil, !t.NonNull
	case graphNode:
		if v == nil {
			return nil, !t.NonNull
		}
		out, ok := x.object(v, f.SelectionSet, path)
		if !ok {
			return nil, !t.NonNull
		}
		return out, true
	case []any:
		out := make([]any, len(v))
		for i, entry := range v {
			var ok bool
			if out[i], ok = x.complete(entry, t.Elem, f, append(slices.Clip(path), i)); !ok {
				return nil, !t.NonNull
			}
		}
		return out, true
	}
	if d := x.schema.Types[t.Name()]; d != nil && d.Kind == ast.Enum && d.EnumValues.ForName(fmt.Sprint(value)) == nil {
		x.server.violate(x.call, BadAnswer, http.StatusOK, fmt.Errorf("%v is no %s", value, d.Name))
	}
	return value, true
}

func (x *execution) refuse(f *ast.Field, path []any, err error) {
	failure := object{"message": err.Error(), "path": path, "locations": []object{{"line": f.Position.Line, "column": f.Position.Column}}}
	if refusal, is := errors.AsType[*graphRefusal](err); is {
		failure["type"], failure["message"] = refusal.kind, refusal.message
		failure["extensions"] = object{"saml_failure": false}
	}
	x.errors = append(x.errors, failure)
}

// maxGraphPage is from
// https://docs.github.com/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api#node-limit
const maxGraphPage = 100

// connection is a list in pages.
func connection(typename string, items []any) graphFunc {
	return func(args map[string]any) (any, error) {
		size, isNumber := intArg(args, "first")
		last, backwards := intArg(args, "last")
		switch {
		case backwards:
			items, size = items[max(len(items)-last, 0):], last
		case !isNumber:
			return nil, &graphRefusal{"MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly paginate the connection."}
		}
		if size > maxGraphPage {
			return nil, &graphRefusal{"EXCESSIVE_PAGINATION", fmt.Sprintf("Requesting %d records on the connection exceeds the `first` limit of %d records.", size, maxGraphPage)}
		}
		after, _ := args["after"].(string)
		start := min(cursorIndex(after), len(items))
		end := min(start+size, len(items))
		info := graphNode{"__typename": "PageInfo", "hasNextPage": end < len(items), "hasPreviousPage": start > 0, "endCursor": nil, "startCursor": nil}
		if end > start {
			info["startCursor"], info["endCursor"] = cursorAt(start+1), cursorAt(end)
		}
		return graphNode{"__typename": typename, "totalCount": len(items), "nodes": items[start:end], "pageInfo": info}, nil
	}
}

// intArg is an argument that the query has as a literal, or the variables as a
// number of JSON.
func intArg(args map[string]any, name string) (n int, given bool) {
	switch v := args[name].(type) {
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}

func cursorAt(n int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:" + strconv.Itoa(n)))
}

func cursorIndex(cursor string) int {
	text, _ := base64.StdEncoding.DecodeString(cursor) // anything else is the start
	n, _ := strconv.Atoi(strings.TrimPrefix(string(text), "cursor:"))
	return max(n, 0)
}
