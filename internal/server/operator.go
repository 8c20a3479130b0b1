package server

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"assay/internal/health"
)

// Operations are what the operator's routes answer from.
type Operations struct {
	Health     func(ctx context.Context) health.Report
	CacheStats func() health.CacheReport
	// Strategies say what each event leads to in a repository without a config
	// of its own.
	Strategies func() []Strategy
	// Metrics answers scrapes.
	Metrics http.Handler
	// Run starts what somebody asks for by hand.
	Run func(ctx context.Context, r RunRequest) (RunAnswer, error)
}

// Strategy is what an event leads to.
type Strategy struct {
	Event       string   `json:"event"`
	Pipeline    string   `json:"pipeline"`
	Agents      []string `json:"agents"`
	Execution   string   `json:"execution"`
	Description string   `json:"description"`
}

func (o *Operations) routes() []route {
	return []route{
		{http.MethodGet, "/api/health/detailed", Operator, o.health},
		{http.MethodGet, "/api/orchestrator/config", Operator, o.orchestrator},
		{http.MethodGet, "/api/cache/stats", Operator, o.cacheStats},
		{http.MethodGet, "/metrics", Operator, echo.WrapHandler(o.Metrics)},
		{http.MethodPost, "/api/orchestrator/run", Operator, o.run},
	}
}

// health answers 200 also when the service is degraded: it still takes
// deliveries in.
func (o *Operations) health(c echo.Context) error {
	report := o.Health(c.Request().Context())
	status := http.StatusOK
	if report.Status == health.Unhealthy {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, report)
}

func (o *Operations) cacheStats(c echo.Context) error { return c.JSON(http.StatusOK, o.CacheStats()) }

func (o *Operations) orchestrator(c echo.Context) error {
	answer := struct {
		Success    bool       `json:"success"`
		Strategies []Strategy `json:"strategies"`
		// TotalEvents is the number of different events.
		TotalEvents int `json:"totalEvents"`
	}{Success: true, Strategies: o.Strategies()}
	seen := make(map[string]bool)
	for _, s := range answer.Strategies {
		seen[s.Event] = true
	}
	answer.TotalEvents = len(seen)
	return c.JSON(http.StatusOK, answer)
}
