package pullrequest

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/printer"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// api is what some Go files of one package export, by name: "Parse", "Date",
// "Date.String", "Date.Year" for a field. It is read from the syntax alone, so
// a type is what the text says, with names of packages put in full.
type api struct {
	pkg   string
	names map[string]export
}

type export struct {
	// sig is the signature, with nothing in it that callers do not see; empty
	// where it is not known (a variable whose type is inferred).
	sig string
	// show is the declaration's name with its kind, for people.
	show string
	path string
	line int
	// open says of an interface that others can implement it; aliased, of a
	// type, that it is declared elsewhere; twice, that there are several
	// declarations, of which builds choose.
	open, aliased, twice bool
}

func newAPI() *api { return &api{names: make(map[string]export)} }

// add reads one file. It reports false where the file cannot be read or is one
// that only some builds see, and then the package is not to be judged.
func (a *api) add(at string, text []byte) bool {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, at, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || constrained(at, file) {
		return false
	}
	a.pkg = file.Name.Name
	r := reader{api: a, path: at, fset: fset, imports: importsOf(file)}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			r.function(d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				r.spec(d.Tok, spec)
			}
		}
	}
	return true
}

// constrained reports whether the file is for some builds only.
func constrained(at string, file *ast.File) bool {
	if platform.MatchString(strings.TrimSuffix(path.Base(at), ".go")) {
		return true
	}
	for _, group := range file.Comments {
		if group.Pos() > file.Package {
			break
		}
		for _, c := range group.List {
			if constraint.IsGoBuild(c.Text) || constraint.IsPlusBuild(c.Text) {
				return true
			}
		}
	}
	return false
}

var platform = regexp.MustCompile(`_(?:aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|386|amd64|arm|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)$`)

// importsOf are the paths of the file's imports by the name used for them.
func importsOf(file *ast.File) map[string]string {
	imports := make(map[string]string)
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if p == "golang.org/x/net/context" { // an alias of the standard library's
			p = "context"
		}
		name := path.Base(majorSuffix.ReplaceAllString(p, ""))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = p
	}
	return imports
}

var majorSuffix = regexp.MustCompile(`[/.]v\d+$`)

// reader reads the declarations of one file.
type reader struct {
	api     *api
	path    string
	fset    *token.FileSet
	imports map[string]string
}

func (r reader) put(name string, pos token.Pos, e export) {
	e.path, e.line = r.path, r.fset.Position(pos).Line
	_, e.twice = r.api.names[name]
	r.api.names[name] = e
}

func (r reader) function(d *ast.FuncDecl) {
	if !d.Name.IsExported() {
		return
	}
	if d.Recv == nil {
		r.put(d.Name.Name, d.Pos(), export{show: "func " + d.Name.Name, sig: r.signature(d.Type, nil)})
		return
	}
	if len(d.Recv.List) != 1 {
		return
	}
	recv, pointer := d.Recv.List[0].Type, ""
	if star, ok := recv.(*ast.StarExpr); ok {
		recv, pointer = star.X, "*"
	}
	params := make(map[string]string)
	switch x := recv.(type) {
	case *ast.IndexExpr:
		recv = x.X
		bind(params, x.Index)
	case *ast.IndexListExpr:
		recv = x.X
		for _, index := range x.Indices {
			bind(params, index)
		}
	}
	if owner, ok := recv.(*ast.Ident); ok && owner.IsExported() {
		name := owner.Name + "." + d.Name.Name
		r.put(name, d.Pos(), export{show: "method " + name, sig: pointer + r.signature(d.Type, params)})
	}
}

// bind gives a type parameter a name that does not depend on the author's.
func bind(params map[string]string, name ast.Expr) {
	if id, ok := name.(*ast.Ident); ok {
		params[id.Name] = "$" + strconv.Itoa(len(params))
	}
}

func (r reader) spec(tok token.Token, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			r.typeSpec(s)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if !name.IsExported() {
				continue
			}
			e := export{show: tok.String() + " " + name.Name}
			if s.Type != nil && tok == token.VAR {
				e.sig = r.typeString(s.Type, nil)
			}
			r.put(name.Name, name.Pos(), e)
		}
	}
}

func (r reader) typeSpec(s *ast.TypeSpec) {
	name, params := s.Name.Name, make(map[string]string)
	e := export{show: "type " + name, aliased: s.Assign.IsValid(), sig: r.typeParams(s.TypeParams, params)}
	switch t := s.Type.(type) {
	case *ast.StructType:
		e.sig += "struct"
		for _, f := range t.Fields.List {
			for _, id := range f.Names {
				if id.IsExported() {
					r.put(name+"."+id.Name, id.Pos(), export{show: "field " + name + "." + id.Name, sig: r.typeString(f.Type, params)})
				}
			}
		}
	case *ast.InterfaceType:
		e.sig, e.open = e.sig+"interface", true
		for _, m := range t.Methods.List {
			f, ok := m.Type.(*ast.FuncType)
			if !ok || len(m.Names) != 1 || !m.Names[0].IsExported() {
				e.open = false // embedded, a constraint, or not for others to implement
				continue
			}
			id := m.Names[0]
			r.put(name+"."+id.Name, id.Pos(), export{show: "method " + name + "." + id.Name, sig: "interface " + r.signature(f, params)})
		}
	default:
		e.sig += r.typeString(t, params)
	}
	r.put(name, s.Name.Pos(), e)
}

// signature is the types of a function, without the names of what it takes.
func (r reader) signature(f *ast.FuncType, outer map[string]string) string {
	params := make(map[string]string, len(outer))
	for name, as := range outer {
		params[name] = as
	}
	text := r.typeParams(f.TypeParams, params)
	return text + "(" + r.list(f.Params, params) + ") (" + r.list(f.Results, params) + ")"
}

func (r reader) typeParams(fields *ast.FieldList, params map[string]string) string {
	if fields == nil {
		return ""
	}
	for _, f := range fields.List {
		for _, name := range f.Names {
			bind(params, name)
		}
	}
	return "[" + r.list(fields, params) + "]"
}

func (r reader) list(fields *ast.FieldList, params map[string]string) string {
	if fields == nil {
		return ""
	}
	var types []string
	for _, f := range fields.List {
		t := r.typeString(f.Type, params)
		for range max(1, len(f.Names)) {
			types = append(types, t)
		}
	}
	return strings.Join(types, ", ")
}

// same are names of one and the same type.
var same = map[string]string{"byte": "uint8", "rune": "int32"}

// typeString writes a type in one way only.
func (r reader) typeString(expr ast.Expr, params map[string]string) string {
	sub := func(e ast.Expr) string { return r.typeString(e, params) }
	switch t := expr.(type) {
	case *ast.Ident:
		if as, ok := params[t.Name]; ok {
			return as
		}
		if as, ok := same[t.Name]; ok {
			return as
		}
		return t.Name
	case *ast.ParenExpr:
		return sub(t.X)
	case *ast.StarExpr:
		return "*" + sub(t.X)
	case *ast.Ellipsis:
		return "..." + sub(t.Elt)
	case *ast.MapType:
		return "map[" + sub(t.Key) + "]" + sub(t.Value)
	case *ast.ChanType:
		return "chan " + strconv.Itoa(int(t.Dir)) + " " + sub(t.Value)
	case *ast.FuncType:
		return "func" + r.signature(t, params)
	case *ast.SelectorExpr:
		if pkg, ok := t.X.(*ast.Ident); ok && r.imports[pkg.Name] != "" {
			return r.imports[pkg.Name] + "." + t.Sel.Name
		}
	case *ast.ArrayType:
		if t.Len == nil {
			return "[]" + sub(t.Elt)
		}
		return "[" + r.print(t.Len) + "]" + sub(t.Elt)
	case *ast.IndexExpr:
		return sub(t.X) + "[" + sub(t.Index) + "]"
	case *ast.InterfaceType:
		if len(t.Methods.List) == 0 {
			return "any"
		}
	}
	return r.print(expr)
}

// print is the text as it stands, with its white space folded.
func (r reader) print(expr ast.Expr) string {
	var text strings.Builder
	if err := printer.Fprint(&text, token.NewFileSet(), expr); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
