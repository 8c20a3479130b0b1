package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// healthAge is how long an answer about readiness stands.
const healthAge = time.Second

// health remembers for a moment whether a delivery could be stored. Finding out
// commits to the disk, and the question is open to strangers: however often it
// is put, deliveries must not wait behind it.
type health struct {
	mu      sync.Mutex
	checked time.Time
	err     error
}

// check asks at most once in healthAge, for all callers together.
func (h *health) check(ctx context.Context, ask func(context.Context) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && time.Since(h.checked) < healthAge {
		return h.err
	}
	// Detached: a caller who leaves must not make it look unready to others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	h.err = ask(ctx)
	h.checked = time.Now()
	return h.err
}

// ready says whether a delivery could be stored now. Trouble at GitHub or at a
// model provider does not count: deliveries must still be let in.
func (s *Server) ready(c echo.Context) error {
	if err := s.health.check(c.Request().Context(), s.cfg.Ready); err != nil {
		s.cfg.Logger.Error("not ready: a delivery could not be stored", "error", err)
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "fail", "reason": "deliveries cannot be stored"})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "pass"})
}
