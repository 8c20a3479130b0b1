package server

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Access is who may call a route.
type Access string

// The kinds of access.
const (
	// Public is anybody.
	Public Access = "public"
	// Signed is a request that carries a signature of its own.
	Signed Access = "signed"
	// Link is whoever was given the address, which nobody can guess: 128
	// random bits, shown only in the check run, to those who may read the
	// repository.
	Link Access = "link"
	// Operator is the bearer of the admin token, or this machine where there
	// is none.
	Operator Access = "operator"
)

type route struct {
	method, path string
	access       Access
	handler      echo.HandlerFunc
}

// table lists every route with who may call it; nothing is registered
// otherwise.
func (s *Server) table() []route {
	routes := []route{
		{http.MethodGet, "/livez", Public, s.live},
		{http.MethodGet, "/readyz", Public, s.ready},
	}
	if s.cfg.Webhook != nil {
		for _, path := range []string{"/webhook", "/api/github/webhooks"} {
			routes = append(routes, route{http.MethodPost, path, Signed, echo.WrapHandler(s.cfg.Webhook)})
		}
	}
	if s.cfg.SARIF != nil {
		routes = append(routes, route{http.MethodPost, "/api/sarif", Signed, echo.WrapHandler(s.cfg.SARIF)})
	}
	if s.cfg.Operations != nil {
		routes = append(routes, s.cfg.Operations.routes()...)
	}
	if p := s.cfg.Pages; p != nil {
		routes = append(routes,
			route{http.MethodGet, "/", Operator, p.Index},
			route{http.MethodGet, "/runs/:id", Link, p.RunPage},
			route{http.MethodGet, "/runs/:id/json", Link, p.RunJSON},
			route{http.MethodGet, "/runs/:id/sarif", Link, p.RunSARIF},
			route{http.MethodGet, "/assets/*", Public, p.Assets},
		)
	}
	return routes
}

func (s *Server) routes() {
	for _, r := range s.table() {
		var guards []echo.MiddlewareFunc
		if r.access == Operator {
			guards = append(guards, s.operatorOnly)
			if r.method != http.MethodGet {
				guards = append(guards, sameOrigin)
			}
		}
		s.echo.Add(r.method, r.path, r.handler, guards...)
	}
}

// live says that the process runs.
func (s *Server) live(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "pass"})
}
