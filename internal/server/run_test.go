package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

// post asks for a run from this machine.
func post(s *Server, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/api/orchestrator/run", strings.NewReader(body))
	req.RemoteAddr, req.Host = "127.0.0.1:5", "localhost"
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.echo.ServeHTTP(rec, req)
	return rec
}

func TestRunRefuses(t *testing.T) {
	tests := []struct{ body, field string }{
		{``, ""},
		{`[]`, ""},
		{`{"repository": 5}`, "repository"},
		{`{}`, "repository"},
		{`{"repository": "shop"}`, "repository"},
		{`{"repository": "octo-org/.."}`, "repository"},
		{`{"repository": "octo-org/shop/../x"}`, "repository"},
		{`{"repository": "octo-org/shop", "pul": 1}`, ""},
		{`{"repository": "octo-org/shop", "pull": -1}`, "pull"},
		{`{"repository": "octo-org/shop", "pull": 1, "ref": "main"}`, "ref"},
		{`{"repository": "octo-org/shop", "ref": "a..b"}`, "ref"},
		{`{"repository": "octo-org/shop", "ref": "a b"}`, "ref"},
		{`{"repository": "octo-org/shop", "pipeline": "../x"}`, "pipeline"},
		{`{"repository": "octo-org/shop", "event": "push"}`, "event"},
		{`{"repository": "octo-org/shop", "event": "repository.health_check", "pull": 2}`, "pull"},
		{`{"repository": "octo-org/shop"} {}`, ""},
		{`{"repository": "` + strings.Repeat("x", maxRunBody) + `"}`, ""},
	}
	s := newServer("", nil)
	for _, tt := range tests {
		rec := post(s, tt.body)
		var got refusal
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusBadRequest || got.Field != tt.field || got.Error == "" {
			t.Errorf("%.80s: %d %s, %v; want 400 with the field %q", tt.body, rec.Code, rec.Body, err, tt.field)
		}
	}
	if rec := post(s, `{"repository": "octo-org/shop"}`, "Idempotency-Key", "short"); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), `"field":"Idempotency-Key"`) {
		t.Errorf("a short key: %d %s", rec.Code, rec.Body)
	}
}

func TestRunAsksFor(t *testing.T) {
	s := newServer("", nil)
	var got RunRequest
	s.cfg.Operations.Run = func(_ context.Context, r RunRequest) (RunAnswer, error) {
		got = r
		return RunAnswer{Status: "accepted"}, nil
	}
	rec := post(s, `{"repository": "octo-org/shop", "ref": "refs/heads/release/1", "pipeline": "health", "event": "repository.health_check"}`, "Idempotency-Key", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	want := RunRequest{
		Repository: "octo-org/shop", Owner: "octo-org", Name: "shop", Ref: "release/1", Pipeline: "health", Event: "repository.health_check",
		Key: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
	}
	if d := cmp.Diff(want, got); d != "" || rec.Code != http.StatusAccepted || !strings.Contains(rec.Body.String(), `"success":true`) {
		t.Errorf("%d %s\n%s", rec.Code, rec.Body, d)
	}
	post(s, `{"repository": "octo-org/shop"}`)
	if got.Event != "manual.run" {
		t.Errorf("without an event it is %q", got.Event)
	}
}

func TestRunAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer RunAnswer
		err    error
		code   int
		body   string
	}{
		{"a run", RunAnswer{Delivery: "d", Status: "done", Runs: []RunStarted{{ID: "A", Pipeline: "p", URL: "u"}}}, nil, 202, `{"success":true,"delivery":"d","status":"done","run":{"id":"A"`},
		{"not decided yet", RunAnswer{Delivery: "d", Status: "accepted"}, nil, 202, `{"success":true,"delivery":"d","status":"accepted"}`},
		{"nothing came of it", RunAnswer{Delivery: "d", Status: "ignored", Error: "no pipeline"}, nil, 422, `{"success":false,"delivery":"d","status":"ignored","error":"no pipeline"}`},
		{"one is under way already", RunAnswer{Delivery: "d", Status: "ignored", Runs: []RunStarted{{ID: "A"}}}, nil, 202, `{"success":true`},
		{"no such repository", RunAnswer{}, fault.New(fault.Gone, errors.New("x")), 404, `"field":"repository"`},
		{"a key of another request", RunAnswer{}, fault.New(fault.Invalid, errors.New("the key was used")), 409, `"field":"Idempotency-Key"`},
		{"a full disk", RunAnswer{}, fault.New(fault.Transient, errors.New("x")), 503, `try again`},
		{"a fault of ours", RunAnswer{}, errors.New("secret detail"), 500, `internal error`},
	}
	for _, tt := range tests {
		s := newServer("", nil)
		s.cfg.Operations.Run = func(context.Context, RunRequest) (RunAnswer, error) { return tt.answer, tt.err }
		rec := post(s, `{"repository": "octo-org/shop"}`)
		if rec.Code != tt.code || !strings.Contains(rec.Body.String(), tt.body) || strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s: %d %s; want %d %s", tt.name, rec.Code, rec.Body, tt.code, tt.body)
		}
		if tt.code == 503 && rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", tt.name)
		}
	}
}

// TestRunFromAnotherSite holds that a page of another site cannot have the
// operator's browser start anything, though it asks from this machine.
func TestRunFromAnotherSite(t *testing.T) {
	for header, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 202, "none": 202} {
		if rec := post(newServer("", nil), `{"repository": "octo-org/shop"}`, "Sec-Fetch-Site", header); rec.Code != want {
			t.Errorf("Sec-Fetch-Site %s: %d, want %d", header, rec.Code, want)
		}
	}
	if rec := post(newServer("", nil), `{"repository": "octo-org/shop"}`, "Origin", "https://evil.example"); rec.Code != 403 {
		t.Errorf("another origin: %d", rec.Code)
	}
}
