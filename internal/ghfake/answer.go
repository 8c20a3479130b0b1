package ghfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// object is a JSON object on its way out.
type object = map[string]any

const (
	docsURL  = "https://docs.github.com/rest"
	jsonType = "application/json; charset=utf-8"
)

// answer is what an operation answers: a JSON body, or raw bytes with their
// content type.
type answer struct {
	status      int
	body        any
	raw         []byte
	contentType string
	header      http.Header
}

func ok(body any) answer      { return answer{status: http.StatusOK, body: body} }
func created(body any) answer { return answer{status: http.StatusCreated, body: body} }
func noContent() answer       { return answer{status: http.StatusNoContent} }

func rawAnswer(contentType string, body []byte) answer {
	return answer{status: http.StatusOK, raw: body, contentType: contentType}
}

func (a *answer) set(key, value string) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(key, value)
}

// encode turns the body into bytes, once.
func (a *answer) encode() error {
	if a.contentType != "" || a.body == nil {
		return nil
	}
	b, err := encodeJSON(a.body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	a.raw, a.contentType, a.body = b, jsonType, nil
	return nil
}

// encodeJSON writes JSON as GitHub does: on one line, with <, > and & as they
// are.
func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

func (a *answer) write(w http.ResponseWriter) {
	a.writeHeader(w)
	_, _ = w.Write(a.raw) // the client has gone: nobody to tell
}

func (a *answer) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	for k, v := range a.header {
		h[k] = v
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(a.raw)))
	}
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Request-Id", guid())
	w.WriteHeader(a.status)
}

// apiError is a refusal in GitHub's form
// (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api).
type apiError struct {
	status  int
	message string
	docs    string
	errors  []any // strings or validation errors
	header  http.Header
	// graphKind is the type of the error where GraphQL answers 200 with it.
	graphKind string
}

func (e *apiError) Error() string {
	if len(e.errors) == 0 {
		return fmt.Sprintf("%d %s", e.status, e.message)
	}
	return fmt.Sprintf("%d %s %v", e.status, e.message, e.errors)
}

func problem(status int, format string, args ...any) *apiError {
	return &apiError{status: status, message: fmt.Sprintf(format, args...), docs: docsURL}
}

func notFound() *apiError { return problem(http.StatusNotFound, "Not Found") }

// invalid is GitHub's 422 for a field of a resource.
func invalid(resource, field, code, message string) *apiError {
	e := problem(http.StatusUnprocessableEntity, "Validation Failed")
	detail := object{"resource": resource, "field": field, "code": code}
	if message != "" {
		detail["message"] = message
	}
	e.errors = []any{detail}
	return e
}

// refusal is the answer that carries an error.
func (c *call) refusal(err error) answer {
	e, known := errors.AsType[*apiError](err)
	if !known {
		c.s.violate(c, BadAnswer, http.StatusInternalServerError, err)
		e = problem(http.StatusInternalServerError, "Server Error")
	}
	body := object{"message": e.message, "documentation_url": e.docs, "status": strconv.Itoa(e.status)}
	if len(e.errors) > 0 {
		body["errors"] = e.errors
	}
	a := answer{status: e.status, body: body, header: e.header}
	if e.graphKind != "" {
		a.status, a.body = http.StatusOK, object{"errors": []object{{"type": e.graphKind, "message": e.message}}}
	}
	if err := a.encode(); err != nil {
		a.raw, a.contentType = []byte(`{"message":"Server Error"}`), jsonType
	}
	return a
}

// pageOf cuts the page that the request asks for out of a list, and says in a
// Link header where the others are
// (https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api).
func pageOf[T any](c *call, items []T) ([]T, http.Header) {
	const defaultSize, maxSize = 30, 100
	size := min(positive(c.query("per_page"), defaultSize), maxSize)
	page := positive(c.query("page"), 1)
	last := max((len(items)+size-1)/size, 1)
	start := min((page-1)*size, len(items))
	end := min(start+size, len(items))
	return items[start:end], c.links(page, last)
}

func (c *call) links(page, last int) http.Header {
	var links []string
	link := func(n int, rel string) {
		q := c.req.URL.Query()
		q.Set("page", strconv.Itoa(n))
		links = append(links, fmt.Sprintf("<%s%s?%s>; rel=%q", c.s.apiURL, strings.TrimPrefix(c.req.URL.EscapedPath(), enterprisePrefix), q.Encode(), rel))
	}
	if page > 1 {
		link(min(page-1, last), "prev")
		link(1, "first")
	}
	if page < last {
		link(page+1, "next")
		link(last, "last")
	}
	if len(links) == 0 {
		return nil
	}
	return http.Header{"Link": {strings.Join(links, ", ")}}
}

// positive reads a number of at least 1; anything else is the default.
func positive(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// paged is a page of a list, each item made into JSON.
func paged[T any](c *call, items []T, each func(T) object) answer {
	page, header := pageOf(c, items)
	return answer{status: http.StatusOK, body: mapped(page, each), header: header}
}

// counted is a page of a list in the form that carries the total.
func counted[T any](c *call, key string, items []T, each func(T) object) answer {
	page, header := pageOf(c, items)
	return answer{status: http.StatusOK, header: header, body: object{"total_count": len(items), key: mapped(page, each)}}
}

// mapped makes a list of JSON objects; never nil, since GitHub writes [].
func mapped[T any](items []T, each func(T) object) []object {
	out := make([]object, 0, len(items))
	for _, it := range items {
		out = append(out, each(it))
	}
	return out
}

// orNull is nil for the zero value, which GitHub writes as null.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
