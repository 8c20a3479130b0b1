package strategy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the generated files anew")

const (
	schemaFile = "../docs/assay.schema.json"
	docFile    = "../docs/configuration.md"
	docBegin   = "<!-- generated from the code by go test ./strategy -update; do not edit below -->\n"
)

// golden holds a file to what the code makes of it.
func golden(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is not what the code says; run go test ./strategy -update (-code +file)\n%s", file, d)
	}
}

func TestSchemaFile(t *testing.T) { golden(t, schemaFile, string(Schema())) }

func TestReferenceFile(t *testing.T) {
	text, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	written, _, found := strings.Cut(string(text), docBegin)
	if !found {
		t.Fatalf("%s has no line %q", docFile, docBegin)
	}
	golden(t, docFile, written+docBegin+"\n"+Reference())
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("assay.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("assay.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate holds a YAML text to the schema.
func validate(t *testing.T, s *jsonschema.Schema, file []byte) error {
	t.Helper()
	converted, err := yaml.YAMLToJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(converted))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// TestSchema holds that the schema takes what Load takes, and refuses what an
// editor should mark.
func TestSchema(t *testing.T) {
	s := compiledSchema(t)
	for _, file := range []string{everyKey, everyOperatorKey, twoPipelines, "version: 1\n"} {
		if err := validate(t, s, []byte(file)); err != nil {
			t.Errorf("%v\n%s", err, file)
		}
	}
	for _, file := range []string{
		"pipelines: {}", "version: 2", "version: 1\nfoo: 1", "version: 1\npipelines: {a: {foo: 1}}",
		"version: 1\npipelines: {A: {}}", "version: 1\npipelines: {a: {on: []}}", "version: 1\npipelines: {a: {gate: {fail_on: hihg}}}",
		"version: 1\npipelines: {a: {gate: {on_unavailable: {then: fail}}}}", "version: 1\npipelines: {a: {gate: {require_coverage: 101}}}",
		"version: 1\npipelines: {a: {timeout: 10}}", "version: 1\nrules: [{id: a}]", "version: 1\nsuppress: [{fingerprint: 1}]",
		"version: 1\npipelines: {a: {agents: [a, a]}}", "version: 1\npipelines: {a: {report: {max_inline: 51}}}",
	} {
		if validate(t, s, []byte(file)) == nil {
			t.Errorf("the schema takes %q", file)
		}
	}
}

// TestReferenceNamesEveryKey holds that each row says what it is for, and that
// its example can be read.
func TestReferenceNamesEveryKey(t *testing.T) {
	var visit func(where string, keys []key)
	visit = func(where string, keys []key) {
		for _, k := range keys {
			if k.doc == "" || k.what == "" || k.schema == nil {
				t.Errorf("%s: doc %q, value %q", join(where, k.name), k.doc, k.what)
			}
			visit(join(where, k.name)+k.entry, k.keys)
		}
	}
	visit("", object[Config]{rows: rootKeys}.describe().keys)
}

// TestExamples holds every file of examples/ to the parser and to the schema,
// and that it does what its name says.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	s := compiledSchema(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		kind := Repository
		if strings.Contains(file, "operator") {
			kind = Operator
		}
		settings := Load(full, Layer{kind, file, text})
		if len(settings.Problems) > 0 || len(settings.Config.Notices) > 0 {
			t.Errorf("%s: problems %v, notices %v", file, settings.Problems, settings.Config.Notices)
		}
	}
}
