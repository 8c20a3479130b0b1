package pullrequest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/types/descriptorpb"

	"assay/agents"
	"assay/review"
)

// maxProtoFiles is how many changed .proto files are compared.
const maxProtoFiles = 200

// schema is what some .proto files declare, by full name.
type schema struct {
	fields map[string]map[int32]protoField // by message or enum, by number
	// reserved are the ranges, both ends inclusive, by message or enum.
	reserved map[string][][2]int32
	// methods are the types of calls by "service.Method".
	methods map[string]protoField
}

type protoField struct {
	name, kind string
	path       string
	line       int
}

func newSchema() *schema {
	return &schema{fields: make(map[string]map[int32]protoField), reserved: make(map[string][][2]int32), methods: make(map[string]protoField)}
}

// protoBreaks compares what the changed .proto files declare before and after.
// A message that moves to another file of its package is seen to be still
// there. Packages that call themselves alpha or beta may break.
func (a *Agent) protoBreaks(ctx context.Context, change *review.Change) ([]review.Finding, error) {
	base, head := newSchema(), newSchema()
	n := 0
	for _, f := range change.Files {
		if path.Ext(f.Path) != ".proto" || agents.TestPath(f.Path) || agents.GeneratedPath(f.Path) {
			continue
		}
		if n++; n > maxProtoFiles {
			return nil, nil
		}
		for side, s := range map[review.Side]*schema{review.Base: base, review.Head: head} {
			at := f.Path
			if side == review.Base {
				at = basePath(f)
			}
			if side == review.Base && (f.Status == review.Added || f.Status == review.Copied) || side == review.Head && f.Status == review.Removed {
				continue
			}
			text, ok, err := readSide(ctx, change, side, at)
			if err != nil {
				return nil, err
			}
			if !ok || !s.add(f.Path, text) {
				return nil, nil // of a change that is not known whole nothing is said
			}
		}
	}
	return a.compareProto(base, head, change), nil
}

var unstable = regexp.MustCompile(`(?:^|\.)v\d+(?:p\d+)?(?:alpha|beta|test)\d*(?:$|\.)`)

// add reads one file; it reports false when it cannot be read.
func (s *schema) add(at string, text []byte) (ok bool) {
	defer func() {
		if recover() != nil { // the parser is not ours, and the bytes are a stranger's
			ok = false
		}
	}()
	handler := reporter.NewHandler(reporter.NewReporter(nil, nil))
	node, err := parser.Parse(at, bytes.NewReader(text), handler)
	if err != nil {
		return false
	}
	result, err := parser.ResultFromAST(node, false, handler)
	if err != nil {
		return false
	}
	file := result.FileDescriptorProto()
	if unstable.MatchString(file.GetPackage()) {
		return true
	}
	r := protoReader{schema: s, path: at, result: result}
	for _, m := range file.GetMessageType() {
		r.message(file.GetPackage(), m)
	}
	for _, e := range file.GetEnumType() {
		r.enum(file.GetPackage(), e)
	}
	for _, svc := range file.GetService() {
		for _, m := range svc.GetMethod() {
			name := join(join(file.GetPackage(), svc.GetName()), m.GetName())
			kind := fmt.Sprintf("%s%s to %s%s", streamed(m.GetClientStreaming()), m.GetInputType(), streamed(m.GetServerStreaming()), m.GetOutputType())
			s.methods[name] = protoField{name: m.GetName(), kind: kind, path: at, line: node.NodeInfo(result.MethodNode(m)).Start().Line}
		}
	}
	return true
}

type protoReader struct {
	schema *schema
	path   string
	result parser.Result
}

func (r protoReader) message(scope string, m *descriptorpb.DescriptorProto) {
	name := join(scope, m.GetName())
	fields := make(map[int32]protoField)
	for _, f := range m.GetField() {
		kind := f.GetTypeName()
		if kind == "" {
			kind = f.GetType().String()
		}
		if f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED {
			kind = "repeated " + kind
		}
		fields[f.GetNumber()] = protoField{name: f.GetName(), kind: kind, path: r.path, line: r.result.AST().NodeInfo(r.result.FieldNode(f)).Start().Line}
	}
	r.schema.fields[name] = fields
	for _, reserved := range m.GetReservedRange() { // its end is exclusive
		r.schema.reserved[name] = append(r.schema.reserved[name], [2]int32{reserved.GetStart(), reserved.GetEnd() - 1})
	}
	for _, nested := range m.GetNestedType() {
		r.message(name, nested)
	}
	for _, e := range m.GetEnumType() {
		r.enum(name, e)
	}
}

func (r protoReader) enum(scope string, e *descriptorpb.EnumDescriptorProto) {
	name := join(scope, e.GetName())
	values := make(map[int32]protoField)
	for _, v := range e.GetValue() {
		values[v.GetNumber()] = protoField{name: v.GetName(), path: r.path, line: r.result.AST().NodeInfo(r.result.EnumValueNode(v)).Start().Line}
	}
	r.schema.fields[name] = values
	for _, reserved := range e.GetReservedRange() {
		r.schema.reserved[name] = append(r.schema.reserved[name], [2]int32{reserved.GetStart(), reserved.GetEnd()})
	}
}

func join(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}

func streamed(yes bool) string {
	if yes {
		return "stream of "
	}
	return ""
}

func (s *schema) reserves(name string, number int32) bool {
	return slices.ContainsFunc(s.reserved[name], func(r [2]int32) bool { return number >= r[0] && number <= r[1] })
}

// compareProto finds what peers built from the old files cannot read any more.
func (a *Agent) compareProto(base, head *schema, change *review.Change) []review.Finding {
	var found []review.Finding
	say := func(at protoField, evidence, message string, here bool) {
		f := a.finding(ruleProto, message)
		f.Evidence = evidence
		if file, ok := change.File(at.path); ok {
			f.Path = file.Path
			if here {
				f.StartLine, f.EndLine = at.line, at.line
			}
		}
		found = append(found, f)
	}
	for _, name := range slices.Sorted(maps.Keys(base.fields)) {
		now, there := head.fields[name]
		if !there {
			continue // removed or moved away: what used it changes or no longer compiles
		}
		numbers := make(map[string]int32, len(now))
		for number, f := range now {
			numbers[f.name] = number
		}
		for _, number := range slices.Sorted(maps.Keys(base.fields[name])) {
			was := base.fields[name][number]
			is, there := now[number]
			moved, kept := numbers[was.name]
			switch {
			case kept && moved != number && !there:
				say(now[moved], name+"."+was.name, fmt.Sprintf("%s of %s changes its number from %d to %d: peers that know the old one lose it.", was.name, name, number, moved), true)
			case !there && !head.reserves(name, number):
				say(was, name+"."+was.name, fmt.Sprintf("%s = %d of %s is removed and its number not reserved: somebody may give it to something else, which old peers misread.", was.name, number, name), false)
			case there && is.name != was.name && is.kind != was.kind:
				say(is, name+"."+is.name, fmt.Sprintf("The number %d of %s was %s and becomes %s of another type: old peers misread it.", number, name, was.name, is.name), true)
			case there && is.kind != was.kind && !compatible(was.kind, is.kind):
				say(is, name+"."+is.name, fmt.Sprintf("%s of %s was %s and becomes %s: old peers misread it.", is.name, name, was.kind, is.kind), true)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(base.methods)) {
		was := base.methods[name]
		is, there := head.methods[name]
		switch {
		case !there:
			say(was, name, fmt.Sprintf("The method %s is removed: clients that call it fail.", name), false)
		case is.kind != was.kind:
			say(is, name, fmt.Sprintf("The method %s was from %s and becomes from %s: clients that call it fail.", name, was.kind, is.kind), true)
		}
	}
	return found
}

// compatible reports whether both types may have one form on the wire
// (https://protobuf.dev/programming-guides/proto3/#updating). Of a named type
// it is not known whether it is an enum, which is like an integer, or a
// message, which is like bytes.
func compatible(was, is string) bool {
	was, wasRepeated := strings.CutPrefix(was, "repeated ")
	is, isRepeated := strings.CutPrefix(is, "repeated ")
	a, b := wireForm(was), wireForm(is)
	delimited := func(form string) bool { return form == "bytes" || form == "named" }
	switch {
	case wasRepeated != isRepeated && !(delimited(a) && delimited(b)):
		return false
	case a == "named":
		return b == "named" || b == "varint" || b == "bytes"
	case b == "named":
		return a == "varint" || a == "bytes"
	}
	return a == b
}

func wireForm(kind string) string {
	switch kind {
	case "TYPE_INT32", "TYPE_UINT32", "TYPE_INT64", "TYPE_UINT64", "TYPE_BOOL":
		return "varint"
	case "TYPE_SINT32", "TYPE_SINT64":
		return "zigzag"
	case "TYPE_STRING", "TYPE_BYTES":
		return "bytes"
	case "TYPE_FIXED32", "TYPE_SFIXED32":
		return "fixed32"
	case "TYPE_FIXED64", "TYPE_SFIXED64":
		return "fixed64"
	case "TYPE_FLOAT", "TYPE_DOUBLE":
		return kind
	}
	return "named"
}
