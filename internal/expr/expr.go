package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// Bounds of a condition: conditions are written by anybody with write access
// and evaluated on every event, over changes that anybody may propose.
const (
	// MaxBytes is the longest condition that is compiled.
	MaxBytes = 2000
	// CostLimit is what evaluating a condition may spend, in CEL's units (about
	// an operation, or ten bytes looked at). At worst, in regular expressions,
	// that takes some tenths of a second (BenchmarkHostile); mostly a few
	// microseconds are needed.
	CostLimit = 300_000
	// maxEstimate is the worst case that is compiled. The estimate is of the
	// largest change there can be, and pessimistic, so it is above CostLimit.
	maxEstimate = 10_000_000
	// maxNesting bounds what CEL's parser recurses into.
	maxNesting = 50
)

// Error is a condition that cannot be used.
type Error struct {
	// Line and Column are 1-based, within the condition; columns count
	// characters.
	Line, Column int
	Message      string
	// Unknown is a word that means nothing, and Known those that would; both
	// are empty for other mistakes.
	Unknown string
	Known   []string
}

func (e *Error) Error() string { return e.Message }

// ErrCost says that a condition asked for more work than CostLimit.
var ErrCost = errors.New("it takes too much work")

// Program is a compiled condition. It is safe for concurrent use.
type Program struct {
	program cel.Program
	files   bool
}

// Files reports whether the condition reads the changed files.
func (p *Program) Files() bool { return p.files }

// Eval says whether the condition holds. It returns ErrCost when the condition
// asked for too much work; any other error is of the condition on these values
// (an index out of range).
func (p *Program) Eval(v *Vars) (bool, error) {
	out, _, err := p.program.Eval(v)
	if err != nil {
		if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && cancelled.Cause == interpreter.CostLimitExceeded {
			return false, fmt.Errorf("%w: more than %d units", ErrCost, CostLimit)
		}
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("it came to %s, not to true or false", out.Type().TypeName())
	}
	return bool(b), nil
}

// Compile reads a condition and checks its types and its worst case. An error
// is always an *Error.
func Compile(source string) (*Program, error) {
	if len(source) > MaxBytes {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("it is longer than %d bytes", MaxBytes)}
	}
	if strings.TrimSpace(source) == "" {
		return nil, &Error{Line: 1, Column: 1, Message: "it is empty"}
	}
	env, err := environment()
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	checked, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, errorOf(issues)
	}
	if checked.OutputType() != cel.BoolType {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("it comes to %s, not to true or false", checked.OutputType())}
	}
	estimate, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: "its cost cannot be estimated: " + err.Error()}
	}
	if estimate.Max > maxEstimate {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf(
			"it may take too much work on a change of %d files (%s units, the limit is %d): do not go through files for each file, or search a shorter text",
			mostFiles, units(estimate.Max), maxEstimate)}
	}
	program, err := env.Program(checked, cel.CostLimit(CostLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	return &Program{program: program, files: mentions(checked, "files")}, nil
}

// units shows an estimate, which may be without bound.
func units(n uint64) string {
	if n > 1e15 {
		return "over 10^15"
	}
	return fmt.Sprint(n)
}

// environment is the same for all conditions and does not change.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(registry), cel.CustomTypeProvider(provider{registry}),
		cel.ParserRecursionLimit(maxNesting), cel.ParserExpressionSizeLimit(MaxBytes),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	}
	for _, v := range variables {
		if v.typ != nil {
			options = append(options, cel.Variable(v.name, v.typ))
		}
	}
	return cel.NewEnv(options...)
})

var unknownWord = regexp.MustCompile(`^(?:undefined field|undeclared reference to) '([^']+)'`)

// errorOf is the first of CEL's complaints, in our form.
func errorOf(issues *cel.Issues) *Error {
	first := issues.Errors()[0]
	e := &Error{Line: max(1, first.Location.Line()), Column: max(1, first.Location.Column()+1)}
	e.Message, _, _ = strings.Cut(first.Message, "\n")
	e.Message, _, _ = strings.Cut(e.Message, " (in container")
	if m := unknownWord.FindStringSubmatch(e.Message); m != nil {
		e.Message = fmt.Sprintf("there is no %q", m[1])
		if full := fullName(m[1]); full != "" {
			e.Message += fmt.Sprintf(": write %q", full)
			return e
		}
		e.Unknown, e.Known = m[1], names()
	}
	return e
}

// fullName is what a word means that lacks only its variable.
func fullName(word string) string {
	for _, v := range variables {
		for _, m := range members[v.of] {
			if m.name == word && v.mark == "." {
				return v.name + "." + word
			}
		}
	}
	return ""
}

func mentions(checked *cel.Ast, variable string) bool {
	found := false
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && strings.TrimPrefix(e.AsIdent(), ".") == variable {
			found = true
		}
	}))
	return found
}

// sizes tells CEL's estimate how large values may be.
type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	most, known := sizeOf(n.Path())
	if !known {
		return nil
	}
	size := cost.RangedSizeEstimate(0, most)
	return &size
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// sizeOf is the largest size of the value at a path, as [files @items path].
func sizeOf(path []string) (uint64, bool) {
	if len(path) == 0 {
		return 0, false
	}
	switch last := path[len(path)-1]; {
	case len(path) == 1 && last == "files":
		return mostFiles, true
	case last == "@items":
		return mostText, true
	default:
		return memberSize(path)
	}
}

func memberSize(path []string) (uint64, bool) {
	owner := path[0]
	if len(path) > 2 {
		owner = map[string]string{"@items": fileType, "issue": issueType}[path[len(path)-2]]
	}
	for _, m := range members[owner] {
		if m.name == path[len(path)-1] && m.most > 0 {
			return m.most, true
		}
	}
	return 0, false
}
