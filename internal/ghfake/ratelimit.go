package ghfake

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits are GitHub's rate limits
// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
// A limit of 0 is not enforced.
type Limits struct {
	// Primary is the number of requests an hour, per installation and per app.
	// Answers always carry the headers of this limit, 5,000 when it is 0.
	Primary int
	// Concurrent is the number of requests under way at once.
	Concurrent int
	// Points is the number of points a minute; reading costs 1, writing 5.
	Points int
	// ContentPerMinute and ContentPerHour are the number of comments, reviews
	// and reactions made.
	ContentPerMinute, ContentPerHour int
	// Status is what a request over a limit is answered: 403 (also when 0) or
	// 429. GitHub uses both.
	Status int
	// RetryAfter is announced when a secondary limit is hit; a minute when 0.
	// Negative announces nothing, as GitHub does at times.
	RetryAfter time.Duration
}

// GitHubLimits are the limits of an installation on github.com.
func GitHubLimits() Limits {
	return Limits{Primary: 5000, Concurrent: 100, Points: 900, ContentPerMinute: 80, ContentPerHour: 500}
}

const (
	shownPrimary    = 5000
	secondaryDocs   = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	primaryDocs     = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
	readPoints      = 1
	writePoints     = 5
	secondaryNotice = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)

// limiter counts requests against the limits.
type limiter struct {
	mu       sync.Mutex
	now      func() time.Time
	limits   Limits
	callers  map[string]*usage
	underWay int
}

// usage is what one caller has used of its windows.
type usage struct{ primary, points, contentMinute, contentHour window }

// window counts within a fixed span of time from its first use.
type window struct {
	used  int
	until time.Time
}

// at starts the window anew when it has passed.
func (w *window) at(now time.Time, span time.Duration) *window {
	if !now.Before(w.until) {
		*w = window{until: now.Add(span)}
	}
	return w
}

func newLimiter(limits Limits, now func() time.Time) *limiter {
	return &limiter{now: now, limits: limits, callers: map[string]*usage{}}
}

// SetLimits replaces the limits and forgets what was used of the old ones.
func (s *Server) SetLimits(limits Limits) {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	s.limiter.limits = limits
	s.limiter.callers = map[string]*usage{}
}

// admit counts a request, or refuses it. The release it returns must be called
// when the request is over.
func (l *limiter) admit(c *call) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u, now := l.usage(c), l.now()
	primary := u.primary.at(now, time.Hour)
	if c.route.template == "/rate_limit" {
		return func() {}, nil // asking is free
	}
	if l.limits.Primary > 0 && primary.used >= l.limits.Primary {
		return nil, l.primaryRefusal(c, primary)
	}
	if err := l.secondary(c, u, now); err != nil {
		return nil, err
	}
	primary.used++
	l.underWay++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.underWay--
	}, nil
}

func (l *limiter) usage(c *call) *usage {
	key := c.caller.limitKey()
	if c.isGraph() {
		key += GraphQLRoute // counted on its own
	}
	if l.callers[key] == nil {
		l.callers[key] = &usage{}
	}
	return l.callers[key]
}

// secondary counts against the secondary limits.
func (l *limiter) secondary(c *call, u *usage, now time.Time) error {
	if l.limits.Concurrent > 0 && l.underWay >= l.limits.Concurrent {
		return l.secondaryRefusal(now.Add(time.Minute), now)
	}
	cost, content := writePoints, 0
	if c.req.Method == http.MethodGet {
		cost = readPoints
	}
	if c.route.creates {
		content = 1
	}
	counts := []struct {
		w           *window
		cost, limit int
	}{
		{u.points.at(now, time.Minute), cost, l.limits.Points},
		{u.contentMinute.at(now, time.Minute), content, l.limits.ContentPerMinute},
		{u.contentHour.at(now, time.Hour), content, l.limits.ContentPerHour},
	}
	for _, n := range counts {
		if n.limit > 0 && n.w.used+n.cost > n.limit && n.cost > 0 {
			return l.secondaryRefusal(n.w.until, now)
		}
	}
	for _, n := range counts {
		n.w.used += n.cost
	}
	return nil
}

func (l *limiter) status() int {
	if l.limits.Status != 0 {
		return l.limits.Status
	}
	return http.StatusForbidden
}

func (l *limiter) primaryRefusal(c *call, w *window) *apiError {
	e := problem(l.status(), "API rate limit exceeded for %s.", c.caller.limitKey())
	e.docs, e.header = primaryDocs, l.headers(c, w)
	if c.isGraph() {
		e.graphKind = "RATE_LIMITED"
	}
	return e
}

func (l *limiter) secondaryRefusal(until, now time.Time) *apiError {
	e := problem(l.status(), secondaryNotice)
	e.docs = secondaryDocs
	wait := l.limits.RetryAfter
	if wait == 0 {
		wait = max(until.Sub(now).Round(time.Second), time.Second)
	}
	if wait > 0 {
		e.header = http.Header{"Retry-After": {strconv.Itoa(int(wait.Seconds()))}}
	}
	return e
}

// settle takes back what an answer does not cost and puts the headers on it.
func (l *limiter) settle(c *call, a *answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.usage(c).primary
	if c.uncharged {
		w.used = max(w.used-1, 0)
	}
	for k, v := range l.headers(c, w) {
		a.set(k, v[0])
	}
}

func (l *limiter) headers(c *call, w *window) http.Header {
	limit, resource := l.limit(), "core"
	if c.isGraph() {
		resource = "graphql"
	}
	return http.Header{
		"X-Ratelimit-Limit":     {strconv.Itoa(limit)},
		"X-Ratelimit-Remaining": {strconv.Itoa(max(limit-w.used, 0))},
		"X-Ratelimit-Reset":     {strconv.FormatInt(w.until.Unix(), 10)},
		"X-Ratelimit-Used":      {strconv.Itoa(w.used)},
		"X-Ratelimit-Resource":  {resource},
	}
}

func (l *limiter) limit() int {
	if l.limits.Primary > 0 {
		return l.limits.Primary
	}
	return shownPrimary
}

// getRateLimit tells what is left of the primary limit.
func (s *Server) getRateLimit(c *call) (answer, error) {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	w := s.limiter.usage(c).primary
	limit := s.limiter.limit()
	core := object{"limit": limit, "used": w.used, "remaining": max(limit-w.used, 0), "reset": w.until.Unix()}
	return ok(object{"rate": core, "resources": object{"core": core, "search": core}}), nil
}

// limitKey names who a limit is counted for.
func (c caller) limitKey() string {
	switch {
	case c.inst != nil:
		return fmt.Sprintf("installation ID %d", c.inst.ID)
	case c.app != nil:
		return fmt.Sprintf("app ID %d", c.app.ID)
	default:
		return "anonymous"
	}
}
