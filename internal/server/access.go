package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// operatorOnly lets the operator pass. Everybody else is told that there is
// nothing, or, where a token is set, that one is needed. A service that others
// can reach wants a token: a proxy before it may hide that a request comes from
// elsewhere (nginx does, as it comes).
func (s *Server) operatorOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "private, no-store")
		if s.cfg.AdminToken.IsZero() {
			if s.cfg.Published || !fromHere(c.Request()) {
				return echo.ErrNotFound
			}
			return next(c)
		}
		token, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.AdminToken.Reveal())) != 1 {
			c.Response().Header().Set("WWW-Authenticate", `Bearer realm="assay"`)
			return echo.ErrUnauthorized
		}
		return next(c)
	}
}

// sameOrigin refuses what a page of another site has the operator's browser
// send: on this machine no token stands in its way.
func sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return echo.ErrForbidden
		}
		return next(c)
	}
}

// fromHere reports whether the request was made on this machine, for this
// machine. A reverse proxy on the same machine connects from loopback too, but
// says for whom; and a page of another site that resolves its own name to
// loopback is known by that name.
func fromHere(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Host", "Via", "Cf-Connecting-Ip", "Fly-Client-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return isLoopback(r.RemoteAddr) && isLoopback(r.Host)
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
