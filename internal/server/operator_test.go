package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"assay/internal/health"
)

func TestHealthStatus(t *testing.T) {
	for status, want := range map[health.Status]int{health.Healthy: 200, health.Degraded: 200, health.Unhealthy: 503} {
		s := newServer("", nil)
		s.cfg.Operations.Health = func(context.Context) health.Report { return health.Report{Status: status} }
		rec := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/api/health/detailed", nil)
		req.RemoteAddr, req.Host = "127.0.0.1:5", "localhost"
		s.echo.ServeHTTP(rec, req)
		if rec.Code != want || !strings.HasPrefix(rec.Body.String(), `{"status":"`+string(status)+`"`) {
			t.Errorf("%s: %d %s, want %d", status, rec.Code, rec.Body, want)
		}
		if got := rec.Header().Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("Cache-Control is %q", got)
		}
	}
}

func TestOrchestratorConfig(t *testing.T) {
	s := newServer("", nil)
	s.cfg.Operations.Strategies = func() []Strategy {
		return []Strategy{
			{"pull_request.opened", "review", []string{"secrets"}, "parallel", "Review"},
			{"pull_request.opened", "style", []string{"hygiene"}, "sequential", ""},
			{"pull_request.reopened", "review", []string{"secrets"}, "parallel", "Review"},
		}
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/api/orchestrator/config", nil)
	req.RemoteAddr, req.Host = "127.0.0.1:5", "localhost"
	s.echo.ServeHTTP(rec, req)
	want := `{"success":true,"strategies":[` +
		`{"event":"pull_request.opened","pipeline":"review","agents":["secrets"],"execution":"parallel","description":"Review"},` +
		`{"event":"pull_request.opened","pipeline":"style","agents":["hygiene"],"execution":"sequential","description":""},` +
		`{"event":"pull_request.reopened","pipeline":"review","agents":["secrets"],"execution":"parallel","description":"Review"}],"totalEvents":2}`
	if got := strings.TrimSpace(rec.Body.String()); rec.Code != http.StatusOK || got != want {
		t.Errorf("%d %s\nwant %s", rec.Code, got, want)
	}
}
