package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rules say what a package of ours may import of ours. "agents/*" stands for
// every package below agents. A package that is not listed fails the test: its
// place has to be thought about.
var rules = map[string][]string{
	"review":         {},
	"internal/fault": {},

	// The four stages know the nouns and never each other.
	"webhook":  {"review", "internal/fault"},
	"strategy": {"review", "internal/fault", "internal/expr"},
	"agents":   {"review", "internal/fault"},
	"agents/*": {"review", "internal/fault", "internal/expr", "internal/codeowners", "agents"},
	// An interface of its own for models would have to repeat all of llm's.
	"agents/reviewer": {"review", "internal/fault", "agents", "internal/llm"},

	"agents/command": {"review", "internal/fault", "agents", "internal/sandbox", "internal/tarball"},

	"agents/dependencies":          {"review", "internal/fault", "agents", "agents/dependencies/manifest"},
	"agents/dependencies/manifest": {},

	"agents/sarif": {"review", "internal/fault", "agents", "internal/sarif"},

	"reports": {"review", "internal/fault"},

	"internal/expr":       {"review"},
	"internal/diff":       {"review"},
	"internal/codeowners": {"review"},
	"internal/secret":     {},
	"internal/sandbox":    {},
	"internal/tarball":    {"internal/fault"},
	"internal/logs":       {"internal/secret"},
	"internal/health":     {"internal/guard", "internal/cache", "internal/store"},
	"internal/metrics":    {"review", "internal/guard", "internal/cache", "internal/store"},
	"internal/traces":     {"review", "agents", "internal/secret"},
	"internal/guard":      {"internal/fault"},
	"internal/cache":      {"internal/fault"},
	"internal/llm":        {"review", "internal/fault", "internal/guard", "internal/secret"},
	"internal/llmfake":    {},
	"internal/config":     {"internal/secret", "strategy"},
	"internal/store":      {"review", "internal/fault"},
	"internal/queue":      {"review", "internal/fault", "internal/store"},
	"internal/reconcile":  {"review", "internal/fault", "internal/store", "internal/ghapp"},
	"internal/schedule":   {"review", "internal/fault", "internal/store", "strategy"},
	"internal/ghapp":      {"review", "internal/fault", "internal/diff", "internal/guard", "internal/cache"},
	"internal/checkout":   {"review", "internal/fault", "internal/diff"},
	"internal/web":        {"review", "internal/fault", "reports"},
	"internal/server":     {"internal/fault", "internal/secret", "internal/health"},
	"internal/ghfake":     {"review", "internal/diff"},
	"internal/osv":        {"review", "internal/fault"},
	"internal/sarif":      {},
	"internal/intake":     {"internal/fault", "internal/sarif"},
	"internal/pgtest":     {},
	"internal/e2e":        {"*"},
	"internal/bench":      {"*"},

	// pipeline alone joins the stages; app alone knows everything.
	"internal/pipeline": {"review", "internal/fault", "webhook", "strategy", "agents", "reports", "internal/cache", "internal/store", "internal/queue"},
	"internal/app":      {"*"},
	"internal/eval":     {"review", "agents", "internal/checkout"},
	"internal/demo":     {"internal/app", "internal/config", "internal/ghfake"},
	"cmd/assay":         {"*"},

	"internal/store/dictionary": {},
	"internal/ghfake/graphql":   {},
}

// TestImports holds the layout: data flows webhook, strategy, agents, reports,
// and imports go towards the nouns in review alone.
func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	walkGo(t, func(file, pkg string, imports []string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		seen[pkg] = true
		allowed, ok := rules[pkg]
		if !ok {
			allowed, ok = rules[path.Dir(pkg)+"/*"]
		}
		if !ok {
			t.Errorf("%s is not in the table of rules", pkg)
			return
		}
		for _, imported := range imports {
			ours, ok := strings.CutPrefix(imported, "assay/")
			if ok && !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s; it may import %v", file, imported, allowed)
			}
		}
	})
	for _, pkg := range []string{"review", "webhook", "strategy", "agents", "reports", "internal/pipeline", "internal/app"} {
		if !seen[pkg] {
			t.Errorf("package %s was not looked at", pkg)
		}
	}
}

// TestEnvironment holds that internal/config alone reads the environment. The
// commands hand it os.LookupEnv; git is given a filtered copy of it.
func TestEnvironment(t *testing.T) {
	allowed := map[string]bool{"cmd/assay/main.go": true}
	walkGo(t, func(file, pkg string, _ []string) {
		if strings.HasSuffix(file, "_test.go") || pkg == "internal/config" || pkg == "internal/pgtest" || allowed[file] {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			use, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := use.X.(*ast.Ident); ok && pkg.Name == "os" && strings.Contains("Getenv LookupEnv Environ ExpandEnv", use.Sel.Name) {
				t.Errorf("%s uses os.%s; settings are read by internal/config", file, use.Sel.Name)
			}
			return true
		})
	})
}

const root = "../.."

func walkGo(t *testing.T, visit func(file, pkg string, imports []string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, imported)
		}
		file, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		visit(file, path.Dir(file), imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
