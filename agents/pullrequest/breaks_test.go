package pullrequest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/review"
)

// sides is review.Contents and review.Tree of two maps by path.
type sides struct{ base, head map[string]string }

func (s sides) of(side review.Side) map[string]string {
	if side == review.Base {
		return s.base
	}
	return s.head
}

func (s sides) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := s.of(side)[path]
	switch {
	case !ok:
		return nil, review.ErrNotExist
	case text == "(fails)":
		return nil, errors.New("no answer")
	}
	return []byte(text), nil
}

func (s sides) List(_ context.Context, side review.Side) ([]review.Entry, error) {
	var all []review.Entry
	for p, text := range s.of(side) {
		all = append(all, review.Entry{Path: p, Mode: "100644", Size: int64(len(text))})
	}
	slices.SortFunc(all, func(a, b review.Entry) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// changeOf is the change from one side to the other.
func changeOf(s sides) *review.Change {
	c := &review.Change{Contents: s, Tree: s, Pull: pull("Change dates", "Because.")}
	c.Pull.BaseSHA = "b"
	for p, text := range s.head {
		was, there := s.base[p]
		switch {
		case !there:
			c.Files = append(c.Files, review.File{Path: p, Status: review.Added})
		case was != text:
			c.Files = append(c.Files, review.File{Path: p, Status: review.Modified})
		}
	}
	for p := range s.base {
		if _, there := s.head[p]; !there {
			c.Files = append(c.Files, review.File{Path: p, Status: review.Removed})
		}
	}
	slices.SortFunc(c.Files, func(a, b review.File) int { return strings.Compare(a.Path, b.Path) })
	return c
}

// said is "rule location evidence" of the findings in the profile.
func said(t testing.TB, c *review.Change, profile review.Profile, options map[string]string) []string {
	t.Helper()
	out, err := runAgent(t.Context(), agents.Input{Change: c, Policy: review.Policy{Profile: profile, Options: options}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Coverage {
		if r.Path == review.Whole {
			t.Errorf("gap: %s", r.Reason)
		}
	}
	var all []string
	for _, f := range out.Findings {
		all = append(all, strings.TrimSpace(strings.TrimPrefix(f.Rule, "pull-request/")+" "+strings.TrimPrefix(f.Location(), "pull request")+" "+f.Evidence))
	}
	return all
}

func TestGoAPI(t *testing.T) {
	tests := []struct {
		name, base, head string
		want             []string
	}{
		{name: "same", base: "func A(a, b int) (err error) {return nil}", head: "// A is good.\nfunc A(x int, y int) error {return nil}"},
		{name: "removed", base: "func A() {}\nfunc b() {}", head: "", want: []string{"go-api-break api.go func A"}},
		{name: "parameter", base: "func A(a int) {}", head: "\nfunc A(a int64) {}", want: []string{"go-api-break api.go:3 func A"}},
		{name: "variadic", base: "func A(a int) {}", head: "func A(a ...int) {}", want: []string{"go-api-break api.go:2 func A"}},
		{name: "names of one type", base: "func A(a byte, b interface{}, c (rune)) {}", head: "func A(a uint8, b any, c int32) {}"},
		{name: "type parameters renamed", base: "func A[T any](t T, f func(T) []T) {}", head: "func A[Elem any](e Elem, f func(x Elem) []Elem) {}"},
		{name: "type parameter added", base: "func A[T any](t T) {}", head: "func A[T, U any](t T) {}", want: []string{"go-api-break api.go:2 func A"}},
		{name: "import renamed", base: "import ctx \"context\"\nfunc A(c ctx.Context) {}", head: "import \"context\"\nfunc A(c context.Context) {}"},
		{name: "old context", base: "import \"golang.org/x/net/context\"\nfunc A(c context.Context) {}", head: "import \"context\"\nfunc A(c context.Context) {}"},
		{name: "other import", base: "import \"a.com/x\"\nfunc A(c x.T) {}", head: "import \"b.com/x\"\nfunc A(c x.T) {}", want: []string{"go-api-break api.go:3 func A"}},
		{name: "method removed", base: "type T struct{}\nfunc (t T) M() {}\nfunc (t T) n() {}", head: "type T struct{}", want: []string{"go-api-break api.go method T.M"}},
		{name: "method of what is not exported", base: "type t struct{}\nfunc (t) M() {}", head: "type t struct{}"},
		{name: "receiver becomes a pointer", base: "type T struct{}\nfunc (t T) M() {}", head: "type T struct{}\nfunc (t *T) M() {}", want: []string{"go-api-break api.go:3 method T.M"}},
		{name: "receiver becomes a value", base: "type T struct{}\nfunc (t *T) M() {}", head: "type T struct{}\nfunc (t T) M() {}"},
		{name: "generic receiver renamed", base: "type T[K any] struct{}\nfunc (t *T[K]) M(K) {}", head: "type T[Key any] struct{}\nfunc (t *T[Key]) M(k Key) {}"},
		{name: "type removed, once", base: "type T struct{ A int }\nfunc (t T) M() {}", head: "", want: []string{"go-api-break api.go type T"}},
		{name: "type moved away", base: "type T struct{ A int }\nfunc (t T) M() {}", head: "import \"x.com/y\"\ntype T = y.T"},
		{name: "field", base: "type T struct{ A int; b int; C string }", head: "type T struct{ A int64; b string; D int }", want: []string{"go-api-break api.go:2 field T.A", "go-api-break api.go field T.C"}},
		{name: "field added", base: "type T struct{ A int }", head: "type T struct{ A, B int }"},
		{name: "kind", base: "type T struct{ A int }", head: "type T int", want: []string{"go-api-break api.go:2 type T"}},
		{name: "interface grows", base: "type I interface{ A() }", head: "type I interface{ A(); B() }", want: []string{"go-api-break api.go:2 method I.B"}},
		{name: "closed interface grows", base: "type I interface{ A(); i() }", head: "type I interface{ A(); B(); i() }"},
		{name: "constant and variable", base: "const A = 1\nvar B int\nvar C = 2\nvar D = 1", head: "const A = 2\nvar B string\nvar C string", want: []string{"go-api-break api.go:3 var B", "go-api-break api.go var D"}},
		{name: "main", base: "package main", head: ""},
		{name: "does not parse", base: "func A() {}", head: "func {"},
		{name: "for some builds", base: "//go:build linux\npackage dates\nfunc A() {}", head: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := func(text string) string {
				switch {
				case strings.HasPrefix(text, "package main"):
					return "package main\nfunc A() {}"
				case strings.HasPrefix(text, "//go:build"):
					return text
				}
				return "package dates\n" + text
			}
			s := sides{map[string]string{"go.mod": "module example.com/dates/v2\n", "api.go": file(tt.base)}, map[string]string{"go.mod": "module example.com/dates/v2\n", "api.go": file(tt.head)}}
			if d := cmp.Diff(tt.want, said(t, changeOf(s), review.ProfileStandard, nil)); d != "" {
				t.Error(d)
			}
			if got := said(t, changeOf(s), "", nil); len(got) != 0 {
				t.Errorf("quiet: %v", got)
			}
		})
	}
}

// TestGoAPIWhere: which packages are compared.
func TestGoAPIWhere(t *testing.T) {
	const gone, kept = "package dates\nfunc A() {}", "package dates\n"
	tests := []struct {
		name         string
		base, head   map[string]string
		title, goAPI string
		want         []string
	}{
		{name: "v0 or v1", base: map[string]string{"go.mod": "module example.com/dates", "a.go": gone}, head: map[string]string{"go.mod": "module example.com/dates", "a.go": kept}},
		{name: "v1 by option", goAPI: "always", base: map[string]string{"go.mod": "module example.com/dates", "a.go": gone}, head: map[string]string{"go.mod": "module example.com/dates", "a.go": kept}, want: []string{"go-api-break a.go func A"}},
		{name: "never", goAPI: "never", base: map[string]string{"go.mod": "module x.com/d/v2", "a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2", "a.go": kept}},
		{name: "gopkg.in", base: map[string]string{"go.mod": "module gopkg.in/d.v1", "a.go": gone}, head: map[string]string{"go.mod": "module gopkg.in/d.v1", "a.go": kept}, want: []string{"go-api-break a.go func A"}},
		{name: "new major version", base: map[string]string{"go.mod": "module x.com/d/v2", "a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v3", "a.go": kept}},
		{name: "said so", title: "feat(api)!: drop A", base: map[string]string{"go.mod": "module x.com/d/v2", "a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2", "a.go": kept}},
		{name: "no module", base: map[string]string{"a.go": gone}, head: map[string]string{"a.go": kept}},
		{name: "nested", base: map[string]string{"go.mod": "module x.com/d/v2", "tools/go.mod": "module x.com/tools", "tools/a.go": gone, "p/q/a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2", "tools/go.mod": "module x.com/tools", "tools/a.go": kept, "p/q/a.go": kept}, want: []string{"go-api-break p/q/a.go func A"}},
		{name: "not for others", base: map[string]string{"go.mod": "module x.com/d/v2", "internal/a.go": gone, "cmd/x/a.go": gone, "x/testdata/a.go": gone, "a_test.go": gone, "examples/a.go": gone, "a_linux.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2"}},
		{name: "moved to another file", base: map[string]string{"go.mod": "module x.com/d/v2", "a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2", "b.go": gone}},
		{name: "file removed", base: map[string]string{"go.mod": "module x.com/d/v2", "a.go": gone}, head: map[string]string{"go.mod": "module x.com/d/v2"}, want: []string{"go-api-break a.go func A"}},
		{name: "new package", base: map[string]string{"go.mod": "module x.com/d/v2"}, head: map[string]string{"go.mod": "module x.com/d/v2", "p/a.go": gone}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := changeOf(sides{tt.base, tt.head})
			if tt.title != "" {
				c.Pull.Title = tt.title
			}
			options := map[string]string{}
			if tt.goAPI != "" {
				options["go_api"] = tt.goAPI
			}
			if d := cmp.Diff(tt.want, said(t, c, review.ProfileStandard, options)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestGoAPIOfAMovedFile: a file that is renamed to another package takes what
// it exports along.
func TestGoAPIOfAMovedFile(t *testing.T) {
	const mod, text = "module x.com/d/v2", "package dates\nfunc A() {}"
	c := changeOf(sides{map[string]string{"go.mod": mod, "p/a.go": text}, map[string]string{"go.mod": mod, "q/a.go": text}})
	c.Files = []review.File{{Path: "q/a.go", OldPath: "p/a.go", Status: review.Renamed}}
	if d := cmp.Diff([]string{"go-api-break q/a.go func A"}, said(t, c, review.ProfileStandard, nil)); d != "" {
		t.Error(d)
	}
	c = changeOf(sides{map[string]string{"go.mod": mod, "p/a.go": text}, map[string]string{"go.mod": mod, "p/b.go": text}})
	c.Files = []review.File{{Path: "p/b.go", OldPath: "p/a.go", Status: review.Renamed}}
	if got := said(t, c, review.ProfileStandard, nil); len(got) != 0 {
		t.Errorf("within the package: %v", got)
	}
}

func TestProto(t *testing.T) {
	message := func(fields string) string {
		return "syntax = \"proto3\";\npackage acme.dates.v1;\nmessage Date {\n" + fields + "\n}\n"
	}
	tests := []struct {
		name, base, head string
		want             []string
	}{
		{name: "field added", base: message("int32 day = 1;"), head: message("int32 day = 1;\nint32 year = 2;")},
		{name: "removed", base: message("int32 day = 1;\nint32 year = 2;"), head: message("int32 day = 1;"), want: []string{"protobuf-break d.proto acme.dates.v1.Date.year"}},
		{name: "removed and reserved", base: message("int32 day = 1;\nint32 year = 4;"), head: message("int32 day = 1;\nreserved 2, 3 to 4;")},
		{name: "reserved to one less", base: message("int32 year = 4;"), head: message("reserved 2 to 3;"), want: []string{"protobuf-break d.proto acme.dates.v1.Date.year"}},
		{name: "number", base: message("int32 day = 1;"), head: message("\nint32 day = 2;"), want: []string{"protobuf-break d.proto:5 acme.dates.v1.Date.day"}},
		{name: "renamed", base: message("int32 day = 1;"), head: message("int32 date = 1;")},
		{name: "taken over", base: message("int32 day = 1;"), head: message("string name = 1;"), want: []string{"protobuf-break d.proto:4 acme.dates.v1.Date.name"}},
		{name: "type", base: message("int32 day = 1;"), head: message("string day = 1;"), want: []string{"protobuf-break d.proto:4 acme.dates.v1.Date.day"}},
		{name: "same form", base: message("int32 day = 1;\nstring s = 2;\nint32 kind = 3;"), head: message("uint64 day = 1;\nbytes s = 2;\nKind kind = 3;")},
		{name: "signed", base: message("int32 day = 1;"), head: message("sint32 day = 1;"), want: []string{"protobuf-break d.proto:4 acme.dates.v1.Date.day"}},
		{name: "repeated number", base: message("int32 day = 1;"), head: message("repeated int32 day = 1;"), want: []string{"protobuf-break d.proto:4 acme.dates.v1.Date.day"}},
		{name: "repeated text", base: message("string day = 1;"), head: message("repeated string day = 1;")},
		{name: "enum", base: message("enum E { A = 0; B = 1; C = 2; }"), head: message("enum E { A = 0; reserved 2; }"), want: []string{"protobuf-break d.proto acme.dates.v1.Date.E.B"}},
		{name: "method", base: message("") + "service S { rpc A(Date) returns (Date); rpc B(Date) returns (Date); }", head: message("") + "service S { rpc B(Date) returns (stream Date); }", want: []string{"protobuf-break d.proto acme.dates.v1.S.A", "protobuf-break d.proto:6 acme.dates.v1.S.B"}},
		{name: "beta", base: strings.ReplaceAll(message("int32 day = 1;"), ".v1", ".v1beta1"), head: strings.ReplaceAll(message(""), ".v1", ".v1beta1")},
		{name: "does not parse", base: message("int32 day = 1;"), head: message("int32 day = ;")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := changeOf(sides{map[string]string{"d.proto": tt.base}, map[string]string{"d.proto": tt.head}})
			if d := cmp.Diff(tt.want, said(t, c, review.ProfileStandard, nil)); d != "" {
				t.Error(d)
			}
		})
	}
	c := changeOf(sides{map[string]string{"a.proto": message("int32 day = 1;")}, map[string]string{"b.proto": message("int32 day = 1;")}})
	if got := said(t, c, review.ProfileStandard, nil); len(got) != 0 {
		t.Errorf("moved to another file: %v", got)
	}
}

func FuzzBreaks(f *testing.F) {
	f.Add("package a\ntype T[K any] struct{ A, B func(K) }\nfunc (t *T[K]) M() {}", "package a\ntype T = int", true)
	f.Add("package a\nimport . \"x\"\ntype I interface{ ~int | A; B() }\nvar X, Y = 1, 2", "package a\nfunc F[T interface{M()}](a ...T) (b [len(X)]int) {}", true)
	f.Add("syntax = \"proto2\";\nmessage A { optional group G = 1 { } extensions 4 to max; map<int32, A> m = 2; oneof o { int32 x = 5; } }", "edition = \"2023\";\nmessage A {}", false)
	f.Add("enum E { A = -1; reserved -5 to max; }", "service S { rpc M(stream .a.B) returns (C) { option x = 1; } }", false)
	f.Fuzz(func(t *testing.T, base, head string, isGo bool) {
		name := "a.proto"
		if isGo {
			name = "a.go"
		}
		c := changeOf(sides{map[string]string{"go.mod": "module x/v2", name: base}, map[string]string{"go.mod": "module x/v2", name: head}})
		lines := strings.Count(head, "\n") + 1
		out, err := runAgent(t.Context(), agents.Input{Change: c, Policy: review.Policy{Profile: review.ProfileStandard}})
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range out.Findings {
			if finding.EndLine > lines || finding.Message == "" {
				t.Errorf("%+v", finding)
			}
		}
		same := changeOf(sides{map[string]string{"go.mod": "module x/v2", name: base}, map[string]string{"go.mod": "module x/v2", name: base}})
		same.Files = []review.File{{Path: name, Status: review.Modified}}
		for _, f := range said(t, same, review.ProfileStandard, nil) {
			t.Errorf("of a file that did not change: %s", f)
		}
	})
}

// TestManyBreaks: what one check says is bounded.
func TestManyBreaks(t *testing.T) {
	var base strings.Builder
	base.WriteString("package dates\n")
	for i := range 500 {
		fmt.Fprintf(&base, "func F%d() {}\n", i)
	}
	c := changeOf(sides{map[string]string{"go.mod": "module x/v2", "a.go": base.String()}, map[string]string{"go.mod": "module x/v2", "a.go": "package dates"}})
	got := said(t, c, review.ProfileStandard, nil)
	if len(got) != 21 || got[20] != "go-api-break  more" {
		t.Errorf("%d findings, the last %q", len(got), got[len(got)-1])
	}
}
