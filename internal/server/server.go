// Package server is the HTTP side of Assay: Echo, the routes and who may call
// them, health, and orderly start and stop. What the routes do belongs to
// webhook and internal/web.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"assay/internal/secret"
)

// Timeouts and limits of the server. GitHub gives a delivery 10 s to be
// answered, so who takes longer to send one is nobody to wait for: each holds
// one of a bounded number of places for bodies.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 12 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	readyTimeout      = 3 * time.Second
	defaultDrain      = 5 * time.Second
)

// Pages are the handlers of the pages.
type Pages interface {
	Index(c echo.Context) error
	RunPage(c echo.Context) error
	RunJSON(c echo.Context) error
	RunSARIF(c echo.Context) error
	Assets(c echo.Context) error
}

// Config has what a server is made of.
type Config struct {
	// Addr is the address to listen on; port 0 is any free one.
	Addr string
	// Webhook takes deliveries; nil where this process does not accept.
	Webhook http.Handler
	// SARIF takes uploads of results, which carry signatures of their own; nil
	// for none.
	SARIF http.Handler
	Pages Pages
	// Operations are the operator's routes; nil for none.
	Operations *Operations
	// Ready reports whether a delivery could be stored now.
	Ready func(ctx context.Context) error
	// AdminToken opens the operator's routes; without one they answer requests
	// from this machine alone.
	AdminToken secret.Secret
	// Published says that other machines reach this service, through a proxy
	// perhaps: the operator's routes then answer nobody without a token.
	Published bool
	Logger    *slog.Logger
}

// Server is the HTTP server of one process.
type Server struct {
	cfg       Config
	echo      *echo.Echo
	http      *http.Server
	listener  net.Listener
	done      chan error
	readiness readiness
}

// New makes a server with its routes.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	// Headers that name another client are not believed.
	e.IPExtractor = echo.ExtractIPDirect()
	s := &Server{cfg: cfg, echo: e, done: make(chan error, 1)}
	e.HTTPErrorHandler = s.answerError
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableErrorHandler: false,
		LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			cfg.Logger.Error("panic in a handler", "error", err, "stack", string(stack))
			return err
		},
	}))
	s.routes()
	s.http = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// Start listens, so that an address in use is an error here, and serves in the
// background. Wait tells when serving ends by itself.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: %w (set PORT to another port)", s.cfg.Addr, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: %w (set HOST to an address of this machine)", s.cfg.Addr, err)
	case err != nil:
		return fmt.Errorf("listen on %s: %w", s.cfg.Addr, err)
	}
	s.listener = listener
	go func() { s.done <- s.http.Serve(listener) }()
	return nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Wait returns when the server has stopped; nil after Stop.
func (s *Server) Wait() error {
	err := <-s.done
	s.done <- err
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// Stop stops accepting, waits a quarter of the time that ctx leaves for requests
// under way, which take milliseconds, and then cuts off what is left: mostly
// connections that were opened and never used. A delivery that is cut off was
// not answered, so its sender knows.
func (s *Server) Stop(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	drain := defaultDrain
	if deadline, ok := ctx.Deadline(); ok {
		drain = time.Until(deadline) / 4
	}
	drained, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	err := s.http.Shutdown(drained)
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Logger.Info("connections cut off", "after", drain)
		return s.http.Close()
	}
	return err
}

// answerError is the one place where errors of handlers become answers. Details
// stay in the log.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := http.StatusInternalServerError, "internal error; the log has it"
	if known, ok := errors.AsType[*echo.HTTPError](err); ok {
		status, message = known.Code, http.StatusText(known.Code)
	} else {
		s.cfg.Logger.Error("request failed", "method", c.Request().Method, "route", c.Path(), "error", err)
	}
	if err := c.JSON(status, map[string]string{"error": message}); err != nil {
		s.cfg.Logger.Debug("answer not sent", "error", err)
	}
}
