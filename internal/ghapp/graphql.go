package ghapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"assay/internal/fault"
)

// graphError is one entry of the list of errors that GraphQL answers with the
// status 200 (https://spec.graphql.org/October2021/#sec-Errors). GitHub adds
// the type, and to refusals of a query itself a code.
type graphError struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

func (e *graphError) Error() string {
	if where := e.where(); where != "" {
		return fmt.Sprintf("GitHub's GraphQL answered for %s: %s", where, e.Message)
	}
	return "GitHub's GraphQL answered: " + e.Message
}

// where is the path of the field that the error is of, without numbers.
func (e *graphError) where() string {
	var names []string
	for _, p := range e.Path {
		if name, ok := p.(string); ok {
			names = append(names, shorten(name))
		}
	}
	return strings.Join(names, ".")
}

// kind says what an error of GraphQL means. GitHub gives most no type: those
// without a code are its own trouble, a query that took too long among them.
func (e *graphError) kind() fault.Kind {
	low := strings.ToLower(e.Message)
	switch {
	case e.Type == "RATE_LIMITED", e.Type == "RATE_LIMIT", strings.Contains(low, "rate limit"):
		return fault.RateLimited
	case e.Type == "NOT_FOUND":
		return fault.Gone
	case e.Type == "FORBIDDEN", e.Type == "INSUFFICIENT_SCOPES", strings.Contains(low, "not accessible by"):
		return fault.Unauthorized
	case e.Extensions.Code != "", e.Type == "UNPROCESSABLE", e.Type == "MAX_NODE_LIMIT_EXCEEDED", e.Type == "VALIDATION":
		return fault.Invalid
	}
	return fault.Transient
}

// graphErrors are what an answer leaves out, and why.
type graphErrors []*graphError

// failure is the error of an answer that lacks what it was asked for.
func (es graphErrors) failure(lacks string) error {
	if len(es) == 0 {
		return incomplete("no " + lacks)
	}
	return fault.New(es[0].kind(), es[0])
}

// graphURL is where GraphQL is: beside the REST API, which on a server of one's
// own has a version in its path
// (https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint).
func graphURL(api *url.URL) string {
	u := *api
	if root, own := strings.CutSuffix(u.Path, "/v3/"); own {
		u.Path = root + "/"
	}
	u.Path += "graphql"
	return u.String()
}

// graph is the repository as GraphQL sees it, a dependency of its own.
func (r *Repository) graph() *Repository {
	other := *r
	other.via = r.app.graph
	return &other
}

// query makes a request that changes nothing, and retries it. What the token
// may not see, or is not there, is left out of the answer and told of in the
// errors beside it.
func (r *Repository) query(ctx context.Context, document string, variables map[string]any, into any) (left graphErrors, err error) {
	g := r.graph()
	err = g.read(ctx, func(ctx context.Context) (err error) {
		left, err = g.ask(ctx, document, variables, into)
		return err
	})
	return left, err
}

// mutate makes a request that has the same effect however often it is made.
func (r *Repository) mutate(ctx context.Context, document string, variables map[string]any, into any) (left graphErrors, err error) {
	g := r.graph()
	err = g.put(ctx, func(ctx context.Context) (err error) {
		left, err = g.ask(ctx, document, variables, into)
		return err
	})
	return left, err
}

// ask makes one request. It does without go-github, which would take the limits
// of GraphQL for those of the REST API.
func (r *Repository) ask(ctx context.Context, document string, variables map[string]any, into any) (graphErrors, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, graphURL(r.app.api), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	resp, err := r.gh.Client().Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return decodeGraph(resp, r.app.clock.now(), into)
}

// decodeGraph reads an answer. Errors that a reader can live with are returned
// beside what there is; any other is the request's.
func decodeGraph(resp *http.Response, now time.Time, into any) (graphErrors, error) {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors graphErrors     `json:"errors"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	credential := ""
	if resp.Request != nil {
		credential = resp.Request.Header.Get("Authorization")
	}
	for _, e := range answer.Errors {
		if e == nil {
			return nil, incomplete("an error that says nothing")
		}
		e.Message = shorten(censor(e.Message, credential))
		switch kind := e.kind(); kind {
		case fault.Unauthorized, fault.Gone:
		case fault.RateLimited:
			return nil, fault.Until(kind, limitEnd(resp, now), e)
		default:
			return nil, fault.New(kind, e)
		}
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return nil, answer.Errors.failure("data")
	}
	return answer.Errors, json.Unmarshal(answer.Data, into)
}
