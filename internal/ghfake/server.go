package ghfake

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Config configures a Server. The zero value is useful.
type Config struct {
	// APIURL and WebURL are where the Server will be reached; links in answers
	// and payloads lead there. They default to https://api.github.com and
	// https://github.com. SetURLs changes them later.
	APIURL, WebURL string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Logger gets one debug record per request and one warning per violation;
	// nil logs nothing.
	Logger *slog.Logger
	// OnViolation is called with each violation, never concurrently with
	// itself. It must not call the Server. May be nil.
	OnViolation func(Violation)
	// HookClient delivers webhooks; a client of its own when nil. Its Timeout
	// is replaced by HookTimeout.
	HookClient *http.Client
	// HookTimeout is how long a delivery may take; 10 s, GitHub's own, when 0.
	HookTimeout time.Duration
	// HookConcurrency is the number of deliveries under way at once; 4 when 0.
	// With more than one, deliveries arrive out of order, as GitHub's do.
	HookConcurrency int
	// KeepRequests and KeepDeliveries bound what is remembered; the oldest are
	// forgotten first. 10,000 requests and 4,000 deliveries when 0.
	KeepRequests, KeepDeliveries int
	// Limits are the rate limits; none are enforced by the zero value.
	Limits Limits
}

const (
	defaultAPIURL = "https://api.github.com"
	defaultWebURL = "https://github.com"

	// hookTimeout is how long GitHub waits for an answer to a webhook
	// (https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks).
	hookTimeout = 10 * time.Second
)

// Server is a fake GitHub. It is an http.Handler that serves the REST API both
// at the root, as api.github.com does, and under /api/v3, as GitHub Enterprise
// Server does, and small pages for people at GitHub's own addresses.
type Server struct {
	cfg      Config
	router   *router
	check    *validator
	schema   *ast.Schema // of GraphQL
	faults   *faultList
	limiter  *limiter
	violated violations
	recorder *recorder
	hooks    *dispatcher

	// mu guards everything below, and what hangs off it.
	mu       sync.Mutex
	apiURL   string
	webURL   string
	lastID   int64
	users    map[string]*user // by lower-case login
	apps     map[int64]*App
	installs map[int64]*Installation
	repos    map[string]*Repo // by lower-case full name
	repoByID map[int64]*Repo
	tokens   map[string]*token
	runs     map[int64]*checkRun
	suites   map[int64]*checkSuite
	suitesAt map[commitKey][]*checkSuite
	comments map[int64]*comment
	reviewed map[int64]*reviewComment
	statuses map[commitKey][]Status
}

// New makes a Server. Close it to stop its deliveries.
func New(cfg Config) (*Server, error) {
	for _, b := range []struct {
		field string
		value int
	}{{"HookConcurrency", cfg.HookConcurrency}, {"KeepRequests", cfg.KeepRequests}, {"KeepDeliveries", cfg.KeepDeliveries}, {"HookTimeout", int(cfg.HookTimeout)}} {
		if b.value < 0 {
			return nil, fmt.Errorf("ghfake: Config.%s is %d, want at least 0", b.field, b.value)
		}
	}
	check, err := newValidator()
	if err != nil {
		return nil, fmt.Errorf("ghfake: %w", err)
	}
	schema, err := sharedSchema()
	if err != nil {
		return nil, fmt.Errorf("ghfake: read GitHub's schema: %w", err)
	}
	router, err := newRouter(routes(), check)
	if err != nil {
		return nil, fmt.Errorf("ghfake: %w", err)
	}
	cfg = withDefaults(cfg)
	s := &Server{
		cfg: cfg, router: router, check: check, schema: schema,
		limiter:  newLimiter(cfg.Limits, cfg.Now),
		faults:   newFaultList(),
		recorder: newRecorder(cfg.KeepRequests),
		users:    map[string]*user{}, apps: map[int64]*App{}, installs: map[int64]*Installation{},
		repos: map[string]*Repo{}, repoByID: map[int64]*Repo{}, tokens: map[string]*token{},
		runs: map[int64]*checkRun{}, suites: map[int64]*checkSuite{}, suitesAt: map[commitKey][]*checkSuite{},
		comments: map[int64]*comment{}, reviewed: map[int64]*reviewComment{},
		statuses: map[commitKey][]Status{},
		violated: violations{ring: ring[Violation]{cap: keptViolations}},
		lastID:   1000,
	}
	s.hooks = newDispatcher(cfg)
	if err := s.SetURLs(cfg.APIURL, cfg.WebURL); err != nil {
		return nil, err
	}
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.APIURL == "" {
		cfg.APIURL = defaultAPIURL
	}
	if cfg.WebURL == "" {
		cfg.WebURL = defaultWebURL
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.HookTimeout == 0 {
		cfg.HookTimeout = hookTimeout
	}
	if cfg.HookConcurrency == 0 {
		cfg.HookConcurrency = 4
	}
	if cfg.KeepRequests == 0 {
		cfg.KeepRequests = 10_000
	}
	if cfg.KeepDeliveries == 0 {
		cfg.KeepDeliveries = 4_000
	}
	return cfg
}

// SetURLs says where the API and the pages are reached from now on. It is for
// servers whose port is known only once they listen.
func (s *Server) SetURLs(api, web string) error {
	for _, u := range []string{api, web} {
		if p, err := url.Parse(u); err != nil || p.Scheme == "" || p.Host == "" {
			return errors.Join(fmt.Errorf("ghfake: %q is not an absolute URL", u), err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiURL, s.webURL = strings.TrimRight(api, "/"), strings.TrimRight(web, "/")
	return nil
}

// Close stops delivering webhooks, ends hanging answers and waits for what is
// under way. The Server must not be used afterwards.
func (s *Server) Close() {
	s.faults.release()
	s.hooks.close()
}

// nextID gives out identifiers. One sequence for all nouns means that no two
// things share an ID, so that a client mixing them up is found out.
func (s *Server) nextID() int64 {
	s.lastID++
	return s.lastID
}

// stamp is now as GitHub writes it.
func (s *Server) stamp() time.Time { return s.cfg.Now().UTC().Truncate(time.Second) }

// api and web build links from path elements, escaping each.
func (s *Server) api(elements ...any) string { return s.apiURL + joinPath(elements) }
func (s *Server) web(elements ...any) string { return s.webURL + joinPath(elements) }

func joinPath(elements []any) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteByte('/')
		switch v := e.(type) {
		case string:
			for i, seg := range strings.Split(v, "/") {
				if i > 0 {
					b.WriteByte('/')
				}
				b.WriteString(url.PathEscape(seg))
			}
		case int:
			b.WriteString(strconv.Itoa(v))
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		}
	}
	return b.String()
}
