package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"assay/internal/health"
	"assay/internal/secret"
)

type pages struct{}

func (pages) Index(c echo.Context) error    { return c.String(http.StatusOK, "index") }
func (pages) RunPage(c echo.Context) error  { return c.String(http.StatusOK, "run "+c.Param("id")) }
func (pages) RunJSON(c echo.Context) error  { return c.String(http.StatusOK, "json") }
func (pages) RunSARIF(c echo.Context) error { return c.String(http.StatusOK, "sarif") }
func (pages) Assets(c echo.Context) error   { return c.String(http.StatusOK, "asset") }

func newServer(token string, ready error) *Server {
	cfg := Config{
		Addr: "127.0.0.1:0", Pages: pages{}, Ready: func(context.Context) error { return ready },
		Webhook: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }),
		SARIF:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }),
		Operations: &Operations{
			Health:     func(context.Context) health.Report { return health.Report{Status: health.Healthy} },
			CacheStats: func() health.CacheReport { return health.CacheReport{} },
			Strategies: func() []Strategy { return nil },
			Metrics:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) }),
			Run: func(_ context.Context, r RunRequest) (RunAnswer, error) {
				return RunAnswer{Delivery: "manual-x", Status: "done", Runs: []RunStarted{{ID: "A", Pipeline: "review", URL: "u"}}}, nil
			},
		},
	}
	if token != "" {
		cfg.AdminToken = secret.New(token)
	}
	return New(cfg)
}

func ask(s *Server, method, path, remote, host string, header ...string) int {
	req := httptest.NewRequest(method, path, nil)
	req.RemoteAddr, req.Host = remote, host
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.echo.ServeHTTP(rec, req)
	return rec.Code
}

// TestListen holds that an address that cannot be listened on is an error that
// names the setting to change.
func TestListen(t *testing.T) {
	taken := newServer("", nil)
	if err := taken.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Stop(context.WithoutCancel(t.Context())) }()
	// 192.0.2.0/24 is for documentation: no machine has it.
	for addr, hint := range map[string]string{taken.Addr(): "set PORT", "192.0.2.1:0": "set HOST"} {
		s := New(Config{Addr: addr, Pages: pages{}})
		if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("listen on %s: %v, want a hint to %s", addr, err, hint)
		}
	}
}

// TestRoutes walks every route that is registered and holds it to a table of
// who may call it: a route that is not in the table fails.
func TestRoutes(t *testing.T) {
	want := map[string]Access{
		"GET /livez": Public, "GET /readyz": Public, "GET /assets/*": Public,
		"POST /webhook": Signed, "POST /api/sarif": Signed, "POST /api/github/webhooks": Signed,
		"GET /":                    Operator,
		"GET /api/health/detailed": Operator, "GET /api/orchestrator/config": Operator, "GET /api/cache/stats": Operator, "GET /metrics": Operator,
		"POST /api/orchestrator/run": Operator,
		"GET /runs/:id":              Link, "GET /runs/:id/json": Link, "GET /runs/:id/sarif": Link,
	}
	s := newServer("0123456789abcdef", nil)
	table := make(map[string]Access)
	for _, r := range s.table() {
		table[r.method+" "+r.path] = r.access
	}
	for _, r := range s.echo.Routes() {
		key := r.Method + " " + r.Path
		access, ok := want[key]
		if !ok || table[key] != access {
			t.Errorf("%s is %q, want %q", key, table[key], access)
			continue
		}
		path := strings.NewReplacer(":id", "AAAA", "*", "x").Replace(r.Path)
		code := ask(s, r.Method, path, "203.0.113.9:1", "assay.example")
		if open := code < 400; open != (access != Operator) {
			t.Errorf("%s answers a stranger %d", key, code)
		}
		if access == Operator {
			if code := ask(s, r.Method, path, "203.0.113.9:1", "assay.example", "Authorization", "Bearer 0123456789abcdef"); code != map[string]int{"GET": http.StatusOK, "POST": http.StatusBadRequest}[r.Method] {
				t.Errorf("%s without a body answers the operator %d", key, code)
			}
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("%s is not registered", key)
	}
}

func TestOperatorWithToken(t *testing.T) {
	s := newServer("0123456789abcdef", nil)
	for header, want := range map[string]int{
		"": 401, "Bearer ": 401, "Bearer wrong": 401, "Basic 0123456789abcdef": 401, "Bearer 0123456789abcdef": 200,
	} {
		if got := ask(s, "GET", "/", "127.0.0.1:5", "localhost:8080", "Authorization", header); got != want {
			t.Errorf("Authorization %q: %d, want %d", header, got, want)
		}
	}
}

func TestOperatorWithoutToken(t *testing.T) {
	s := newServer("", nil)
	tests := []struct {
		name, remote, host string
		header             []string
		want               int
	}{
		{"this machine", "127.0.0.1:5", "localhost:8080", nil, 200},
		{"this machine, v6", "[::1]:5", "[::1]:8080", nil, 200},
		{"another machine", "192.0.2.1:5", "localhost:8080", nil, 404},
		{"another machine that says otherwise", "192.0.2.1:5", "localhost", []string{"X-Forwarded-For", "127.0.0.1"}, 404},
		{"through a proxy on this machine", "127.0.0.1:5", "localhost", []string{"X-Forwarded-For", "192.0.2.1"}, 404},
		{"a page of another site, by DNS rebinding", "127.0.0.1:5", "evil.example:8080", nil, 404},
	}
	for _, tt := range tests {
		if got := ask(s, "GET", "/", tt.remote, tt.host, tt.header...); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestReady(t *testing.T) {
	if code := ask(newServer("", nil), "GET", "/readyz", "192.0.2.1:5", "x"); code != http.StatusOK {
		t.Errorf("ready: %d", code)
	}
	if code := ask(newServer("", errors.New("disk full")), "GET", "/readyz", "192.0.2.1:5", "x"); code != http.StatusServiceUnavailable {
		t.Errorf("not ready: %d", code)
	}
	if code := ask(newServer("", errors.New("disk full")), "GET", "/livez", "192.0.2.1:5", "x"); code != http.StatusOK {
		t.Errorf("live: %d", code)
	}
}

// TestOperatorWhenPublished holds that a proxy on this machine that passes
// nothing of the client on, as nginx does unless told otherwise, does not make
// strangers the operator.
func TestOperatorWhenPublished(t *testing.T) {
	cfg := newServer("", nil).cfg
	cfg.Published = true
	if got := ask(New(cfg), "GET", "/", "127.0.0.1:5", "127.0.0.1:8080"); got != http.StatusNotFound {
		t.Errorf("without a token: %d, want 404", got)
	}
	cfg.AdminToken = secret.New("0123456789abcdef")
	if got := ask(New(cfg), "GET", "/", "127.0.0.1:5", "127.0.0.1:8080", "Authorization", "Bearer 0123456789abcdef"); got != http.StatusOK {
		t.Errorf("with the token: %d", got)
	}
}

// TestReadyIsCheap holds that strangers who ask whether the service is ready do
// not keep the disk busy.
func TestReadyIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		cfg := newServer("", nil).cfg
		cfg.Ready = func(context.Context) error { asked.Add(1); return nil }
		s := New(cfg)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { ask(s, "GET", "/readyz", "192.0.2.1:5", "x") })
		}
		wg.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("the disk was written %d times for 100 questions, want once", n)
		}
		time.Sleep(2 * readyAge)
		ask(s, "GET", "/readyz", "192.0.2.1:5", "x")
		if n := asked.Load(); n != 2 {
			t.Errorf("after a while it was written %d times, want twice", n)
		}
	})
}

// TestStopIsQuick holds that a connection that was opened and never used does
// not hold a stop up.
func TestStopIsQuick(t *testing.T) {
	s := newServer("", nil)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("stop: %v, context %v", err, ctx.Err())
	}
	if err := s.Wait(); err != nil {
		t.Errorf("wait: %v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.ErrNoProgress) {
		t.Error("the connection was left open")
	}
}

// TestTimeouts holds the traps of net/http's defaults, which are none.
func TestTimeouts(t *testing.T) {
	h := newServer("", nil).http
	if h.ReadHeaderTimeout == 0 || h.ReadTimeout == 0 || h.WriteTimeout == 0 || h.IdleTimeout == 0 || h.MaxHeaderBytes == 0 {
		t.Errorf("a timeout or limit is not set: %+v", h)
	}
}
