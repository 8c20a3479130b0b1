package ghfake

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// description is GitHub's own description of its API; see openapi/NOTICE.md.
//
//go:embed openapi/github.json
var description []byte

// validator checks requests and answers against the description.
type validator struct {
	doc     *openapi3.T
	options *openapi3filter.Options
}

// newValidator shares one parsed description between all servers: it is read
// only once it is loaded.
func newValidator() (*validator, error) { return sharedValidator() }

var sharedValidator = sync.OnceValues(loadValidator)

func loadValidator() (*validator, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's description: %w", err)
	}
	if err := correct(doc); err != nil {
		return nil, fmt.Errorf("correct GitHub's description: %w", err)
	}
	return &validator{doc: doc, options: &openapi3filter.Options{
		MultiError: true,
		// Validation must not change what it looks at.
		SkipSettingDefaults: true,
		// The pipeline authenticates; the description has no security schemes.
		AuthenticationFunc:      openapi3filter.NoopAuthenticationFunc,
		SchemaValidationOptions: formats(),
	}}, nil
}

// formats are the string formats the description uses that kin-openapi leaves
// unchecked.
func formats() []openapi3.SchemaValidationOption {
	absolute := openapi3.NewCallbackValidator(func(s string) error {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("%q is not an absolute URL", s)
		}
		return nil
	})
	return []openapi3.SchemaValidationOption{
		// Without the schema and the value, which run to pages; the path stays.
		openapi3.DisableSchemaErrorDetails(),
		openapi3.WithStringFormatValidator("uri", absolute),
		openapi3.WithStringFormatValidator("email", openapi3.NewRegexpFormatValidator(`^[^@\s]+@[^@\s]+$`)),
		openapi3.WithStringFormatValidator("repo.nwo", openapi3.NewRegexpFormatValidator(`^[^/\s]+/[^/\s]+$`)),
	}
}

// checkRequest holds a request to the description.
func (s *Server) checkRequest(c *call) error {
	if c.isGraph() {
		return nil // answerGraph has a schema of its own
	}
	input := s.validationInput(c)
	if err := openapi3filter.ValidateRequest(c.req.Context(), input); err != nil {
		refusal := requestRefusal(err)
		s.violate(c, Malformed, refusal.status, err)
		return refusal
	}
	for _, unknown := range c.undescribed() {
		s.violate(c, Undescribed, 0, errors.New(unknown))
	}
	return nil
}

func (s *Server) validationInput(c *call) *openapi3filter.RequestValidationInput {
	r := c.req.Clone(context.WithoutCancel(c.req.Context()))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	r.ContentLength = int64(len(c.body))
	// GitHub reads every body as JSON, whatever its label says.
	r.Header.Set("Content-Type", "application/json")
	params := c.params
	if p, spans := params["path"]; spans && p == "" {
		// The root directory is an empty path, which OpenAPI cannot say.
		params = map[string]string{"owner": params["owner"], "repo": params["repo"], "path": "."}
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Options: s.check.options,
		Route: &routers.Route{Spec: s.check.doc, Path: c.route.template, PathItem: c.route.item, Method: c.req.Method, Operation: c.route.operation},
	}
}

// checkAnswer holds an answer to the description: a successful one must be
// described, others are checked where they are.
func (s *Server) checkAnswer(c *call, a *answer) {
	if a.status == http.StatusNotModified {
		return // no body; that it is allowed everywhere is prose
	}
	if c.isGraph() || a.contentType != "" && a.contentType != jsonType {
		// GraphQL, and raw files and diffs: the description has no schema for them, and does
		// not even name the media type on most operations.
		return
	}
	header := http.Header{"Content-Type": {a.contentType}}
	if l := a.header.Get("Link"); l != "" {
		header.Set("Link", l)
	}
	options := *s.check.options
	options.IncludeResponseStatus = a.status < 300
	err := openapi3filter.ValidateResponse(c.req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: c.req,
			Route:   &routers.Route{Spec: s.check.doc, Operation: c.route.operation},
		},
		Status: a.status, Header: header, Body: io.NopCloser(bytes.NewReader(a.raw)), Options: &options,
	})
	if err != nil {
		s.violate(c, BadAnswer, a.status, err)
	}
}

// undescribed names the parameters and fields of a request that GitHub does not
// know. It ignores them; a client that sends them is mistaken.
func (c *call) undescribed() []string {
	var out []string
	for name := range c.req.URL.Query() {
		if c.route.operation.Parameters.GetByInAndName("query", name) == nil {
			out = append(out, fmt.Sprintf("query parameter %q", name))
		}
	}
	known := c.route.bodyFields()
	var body map[string]any
	if known == nil || c.decode(&body) != nil {
		return out
	}
	for name := range body {
		if !slices.Contains(known, name) {
			out = append(out, fmt.Sprintf("body field %q", name))
		}
	}
	slices.Sort(out)
	return out
}

// bodyFields are the described fields of the operation's body; nil when it has
// no plain object.
func (m *matcher) bodyFields() []string {
	if m.operation.RequestBody == nil {
		return nil
	}
	media := m.operation.RequestBody.Value.Content["application/json"]
	if media == nil || len(media.Schema.Value.Properties) == 0 {
		return nil
	}
	var names []string
	for name := range media.Schema.Value.Properties {
		names = append(names, name)
	}
	return names
}

// requestRefusal words what the validator found as GitHub words it: 404 for an
// impossible path, 400 for what is no JSON, 422 for the rest.
func requestRefusal(err error) *apiError {
	requestErr, _ := errors.AsType[*openapi3filter.RequestError](err)
	var parse *openapi3filter.ParseError
	if requestErr != nil {
		if p := requestErr.Parameter; p != nil && p.In == "path" {
			return notFound()
		}
		if requestErr.RequestBody != nil && errors.As(requestErr.Err, &parse) {
			return problem(http.StatusBadRequest, "Problems parsing JSON")
		}
	}
	e := problem(http.StatusUnprocessableEntity, "Invalid request.")
	for _, reason := range reasons(err) {
		e.message += "\n\n" + reason
	}
	return e
}

// reasons puts each thing that is wrong into one of GitHub's sentences.
func reasons(err error) []string {
	if many, is := errors.AsType[openapi3.MultiError](err); is {
		var out []string
		for _, e := range many {
			out = append(out, reasons(e)...)
		}
		return out
	}
	schemaErr, is := errors.AsType[*openapi3.SchemaError](err)
	if !is {
		return []string{firstLine(err.Error())}
	}
	field := strings.Join(schemaErr.JSONPointer(), ".")
	switch schemaErr.SchemaField {
	case "maxLength":
		return []string{fmt.Sprintf("Only %d characters are allowed; %d were supplied.", *schemaErr.Schema.MaxLength, runes(schemaErr.Value))}
	case "maxItems":
		items, _ := schemaErr.Value.([]any)
		return []string{fmt.Sprintf("No more than %d items are allowed; %d were supplied.", *schemaErr.Schema.MaxItems, len(items))}
	case "required":
		return []string{missing.ReplaceAllString(schemaErr.Reason, "${1} wasn't supplied.")}
	default:
		return []string{fmt.Sprintf("For '%s', %s.", field, schemaErr.Reason)}
	}
}

var missing = regexp.MustCompile(`^property ("[^"]*") is missing$`)

func runes(v any) int {
	s, _ := v.(string)
	return len([]rune(s))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
