package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is a JSON schema that answers are asked for by and held to. It is
// immutable and safe for concurrent use.
type Schema struct {
	name     string
	doc      json.RawMessage
	strict   bool
	compiled *jsonschema.Schema
}

// schemaName is what OpenAI takes as a name.
var schemaName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// NewSchema compiles a schema (draft 2020-12 unless it says otherwise). It must
// be of an object, and whole: references lead nowhere but into itself.
//
// Providers take only a part of JSON schema. The strongest form of it needs
// every object to list all its properties as required and to allow no others;
// what is optional is written as a type of null too.
func NewSchema(name string, doc []byte) (*Schema, error) {
	if !schemaName.MatchString(name) {
		return nil, fmt.Errorf("llm: the schema's name %q does not match %s", name, schemaName)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, fmt.Errorf("llm: schema %s: %w", name, err)
	}
	if top, ok := value.(map[string]any); !ok || top["type"] != "object" {
		return nil, fmt.Errorf("llm: schema %s is not of an object", name)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // reads no files
	where := "schema:" + name
	if err := c.AddResource(where, value); err != nil {
		return nil, fmt.Errorf("llm: schema %s: %w", name, err)
	}
	compiled, err := c.Compile(where)
	if err != nil {
		return nil, fmt.Errorf("llm: schema %s: %w", name, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		return nil, fmt.Errorf("llm: schema %s: %w", name, err)
	}
	return &Schema{name: name, doc: compact.Bytes(), strict: isStrict(value), compiled: compiled}, nil
}

// MustSchema is NewSchema for schemas that are part of the program.
func MustSchema(name, doc string) *Schema {
	s, err := NewSchema(name, []byte(doc))
	if err != nil {
		panic(err)
	}
	return s
}

// Name is the schema's name.
func (s *Schema) Name() string { return s.name }

// isStrict reports whether all objects of a schema are closed and want all
// their properties.
func isStrict(value any) bool {
	switch v := value.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !isStrict(e) })
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			required, _ := v["required"].([]any)
			if v["additionalProperties"] != false || len(required) != len(properties) {
				return false
			}
		}
		for _, e := range v {
			if !isStrict(e) {
				return false
			}
		}
	}
	return true
}

// validate returns what of doc does not fit, for the model to read, and the
// places in the schema, for people. Both are empty when it fits.
func (s *Schema) validate(doc []byte) (complaint string, where []string) {
	if len(doc) == 0 {
		return "there is no JSON document in it", nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return "it is not valid JSON", nil
	}
	if !sane(value) {
		return "a number in it is out of range", []string{"/"}
	}
	err = s.compiled.Validate(value)
	if err == nil {
		return "", nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return "it does not fit the schema", []string{"/"}
	}
	var complaints []string
	printer := message.NewPrinter(language.English)
	walk(invalid, func(e *jsonschema.ValidationError) {
		_, at, _ := strings.Cut(e.SchemaURL, "#")
		where = append(where, at+"/"+strings.Join(e.ErrorKind.KeywordPath(), "/"))
		if len(complaints) < maxComplaints {
			complaints = append(complaints, fmt.Sprintf("- at /%s: %s", strings.Join(e.InstanceLocation, "/"), cut(e.ErrorKind.LocalizedString(printer), 200)))
		}
	})
	slices.Sort(where)
	return strings.Join(complaints, "\n"), slices.Compact(where)
}

// longestNumber is that of a float64 in full.
const longestNumber = 32

// sane reports whether all numbers are such as a float64 holds. The validator
// computes with whatever is written, in big numbers, and 1e999999 is one.
func sane(value any) bool {
	switch v := value.(type) {
	case json.Number:
		_, err := v.Float64()
		return err == nil && len(v) <= longestNumber
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !sane(e) })
	case map[string]any:
		for _, e := range v {
			if !sane(e) {
				return false
			}
		}
	}
	return true
}

// maxComplaints bounds what a model is told of one answer.
const maxComplaints = 12

// walk visits the errors that are the causes of the others.
func walk(e *jsonschema.ValidationError, visit func(*jsonschema.ValidationError)) {
	if len(e.Causes) == 0 {
		visit(e)
	}
	for _, cause := range e.Causes {
		walk(cause, visit)
	}
}

// Validate reports whether doc fits the schema. The error is fit to be shown.
func (s *Schema) Validate(doc []byte) error {
	complaint, where := s.validate(doc)
	if complaint == "" {
		return nil
	}
	if len(where) == 0 {
		return fmt.Errorf("not JSON as %s asks for", s.name)
	}
	return fmt.Errorf("does not fit %s at %s", s.name, where[0])
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
