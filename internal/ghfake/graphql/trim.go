//go:build ignore

// Command trim cuts GitHub's GraphQL schema to what the fake answers:
//
//	go run trim.go < schema.graphql > github.graphql
//
// Of the types named below it keeps every field whose own type is kept too, so
// that a query is held to GitHub's schema and not to what the fake happens to
// know.
package main

import (
	"io"
	"log"
	"os"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// kept are the types that stay; enums, scalars and inputs that they need come
// along. roots are the fields of the root types that stay.
var (
	kept = []string{
		"Query", "Mutation", "Node", "PageInfo", "Repository", "Ref", "RefUpdateRule",
		"Actor", "User", "Bot", "Organization", "Mannequin", "EnterpriseUserAccount", "App",
		"PullRequest", "PullRequestCommitConnection", "PullRequestCommit", "Commit",
		"PullRequestReviewConnection", "PullRequestReview",
		"PullRequestReviewThreadConnection", "PullRequestReviewThread",
		"PullRequestReviewCommentConnection", "PullRequestReviewComment", "IssueComment",
		"StatusCheckRollup", "StatusCheckRollupContextConnection", "StatusCheckRollupContext",
		"CheckRun", "CheckSuite", "StatusContext", "RequirableByPullRequest", "Minimizable",
		"MinimizeCommentPayload", "ResolveReviewThreadPayload", "UnresolveReviewThreadPayload",
	}
	roots = map[string][]string{
		"Query":    {"repository"},
		"Mutation": {"minimizeComment", "resolveReviewThread", "unresolveReviewThread"},
	}
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: string(text)})
	if err != nil {
		log.Fatal(err)
	}
	trim(doc)
	formatter.NewFormatter(os.Stdout, formatter.WithoutDescription(), formatter.WithIndent("  ")).FormatSchemaDocument(doc)
}

func trim(doc *ast.SchemaDocument) {
	leaves := map[string]*ast.Definition{}
	used := map[string]bool{}
	for _, d := range doc.Definitions {
		if d.Kind == ast.Scalar || d.Kind == ast.Enum || d.Kind == ast.InputObject {
			leaves[d.Name] = d
		}
	}
	builtin := []string{"Int", "Float", "String", "Boolean", "ID"}
	knows := func(name string) bool {
		return slices.Contains(kept, name) || leaves[name] != nil || slices.Contains(builtin, name)
	}
	var use func(name string)
	use = func(name string) {
		if d := leaves[name]; d != nil && !used[name] {
			used[name] = true
			for _, f := range d.Fields {
				use(f.Type.Name())
			}
		}
	}
	for _, d := range doc.Definitions {
		if !slices.Contains(kept, d.Name) {
			continue
		}
		has := func(name string) bool { return slices.Contains(kept, name) }
		_, isRoot := roots[d.Name]
		d.Interfaces = slices.DeleteFunc(d.Interfaces, func(name string) bool { return isRoot || !has(name) })
		d.Types = slices.DeleteFunc(d.Types, func(name string) bool { return !has(name) })
		d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool {
			return !knows(f.Type.Name()) || isRoot && !slices.Contains(roots[d.Name], f.Name)
		})
		for _, f := range d.Fields {
			use(f.Type.Name())
			for _, a := range f.Arguments {
				use(a.Type.Name())
			}
		}
	}
	doc.Definitions = slices.DeleteFunc(doc.Definitions, func(d *ast.Definition) bool {
		return !slices.Contains(kept, d.Name) && !used[d.Name]
	})
	// What the schema says of its own directives is about previews and docs.
	doc.Directives = nil
	for _, d := range doc.Definitions {
		d.Directives = nil
		for _, f := range d.Fields {
			f.Directives = nil
			for _, a := range f.Arguments {
				a.Directives = nil
			}
		}
		for _, v := range d.EnumValues {
			v.Directives = nil
		}
	}
}
