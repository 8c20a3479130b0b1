package ghfake

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxRequestBody bounds what is read of a request; GitHub's own bound is not
// documented, and nothing an app has to say comes near this.
const maxRequestBody = 32 << 20

// enterprisePrefix is where GitHub Enterprise Server has its API.
const enterprisePrefix = "/api/v3"

// call is one request on its way through the server.
type call struct {
	s       *Server
	req     *http.Request
	body    []byte
	route   *matcher
	params  map[string]string
	caller  caller
	repo    *Repo
	started time.Time
	// uncharged says that the answer does not count against the rate limit.
	uncharged bool
}

// ServeHTTP serves the API, and the pages for people.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, enterprisePrefix); ok && (rest == "" || rest[0] == '/') {
		path = rest
	} else if path == "/api"+GraphQLRoute { // where an Enterprise Server has it
		path = GraphQLRoute
	} else if path != GraphQLRoute && s.servePage(w, r) {
		return
	}
	s.serveAPI(w, r, path)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	c := &call{s: s, req: r, started: s.cfg.Now()}
	// Clients measure the skew of their clock by this.
	w.Header().Set("Date", c.started.UTC().Format(http.TimeFormat))
	if c.route, c.params = s.router.find(r.Method, path); r.Method == post && path == GraphQLRoute {
		c.route = graphMatcher()
	}
	entry := Request{Time: c.started, Method: r.Method, Path: path}
	if c.route != nil {
		entry.Route = c.route.template
	}
	fault := s.faults.take(r.Method, entry.Route, path)
	if fault != nil && !fault.After && fault.replaces() {
		entry.Fault, entry.Status = true, fault.Status
		s.recorder.add(entry)
		s.inject(w, r, fault, nil)
		return
	}
	a, err := s.process(c, path)
	if err != nil {
		a = c.refusal(err)
	}
	c.caller.describe(&entry)
	entry.Status, entry.Fault = a.status, fault != nil
	s.recorder.add(entry)
	s.cfg.Logger.Debug("github request", "method", r.Method, "path", path, "status", a.status)
	if fault != nil {
		s.inject(w, r, fault, &a)
		return
	}
	a.write(w)
}

// process answers a request as GitHub does, in GitHub's order: who is it, may
// they ask now, is the request well formed, may they do this.
func (s *Server) process(c *call, path string) (answer, error) {
	var err error
	if c.body, err = io.ReadAll(io.LimitReader(c.req.Body, maxRequestBody+1)); err != nil {
		return answer{}, problem(http.StatusBadRequest, "Problems reading the request body")
	}
	if len(c.body) > maxRequestBody {
		return answer{}, problem(http.StatusRequestEntityTooLarge, "Payload too big")
	}
	if c.route == nil {
		why := "no such operation in the fake"
		if s.router.lacksMethod(path) {
			why = "no such method for the path"
		}
		s.violate(c, Undescribed, http.StatusNotFound, errors.New(why))
		return answer{}, notFound()
	}
	if err := s.authenticate(c); err != nil {
		return answer{}, err
	}
	release, err := s.limiter.admit(c)
	if err != nil {
		return answer{}, err
	}
	defer release()
	a, err := s.operate(c)
	if err != nil {
		a = c.refusal(err)
	}
	if err := a.encode(); err != nil {
		return answer{}, err
	}
	s.conditional(c, &a)
	s.checkAnswer(c, &a)
	s.limiter.settle(c, &a)
	return a, nil
}

// operate checks the request and runs the operation with the state locked.
func (s *Server) operate(c *call) (answer, error) {
	if err := s.checkRequest(c); err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.authorize(c); err != nil {
		return answer{}, err
	}
	a, err := c.route.handle(s, c)
	if err != nil {
		return answer{}, err
	}
	// Encoding under the lock is what lets handlers hand out live values.
	return a, a.encode()
}

// conditional gives an answer its entity tag, and turns it into 304 when the
// client has it already (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
func (s *Server) conditional(c *call, a *answer) {
	if c.req.Method != http.MethodGet || a.status != http.StatusOK {
		return
	}
	sum := sha256.Sum256(a.raw)
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	a.set("ETag", tag)
	for _, have := range strings.Split(c.req.Header.Get("If-None-Match"), ",") {
		have = strings.TrimSpace(have)
		if have == tag || have == "*" || "W/"+have == tag {
			a.status, a.raw = http.StatusNotModified, nil
			c.uncharged = true
			return
		}
	}
}

// decode reads the request's body, which the description has passed already.
func (c *call) decode(into any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return problem(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

func (c *call) query(name string) string { return c.req.URL.Query().Get(name) }

// accepts reports whether the client asked for a media type of GitHub's own, by
// the part that tells them apart: "raw", "diff".
func (c *call) accepts(kind string) bool {
	for _, media := range strings.Split(c.req.Header.Get("Accept"), ",") {
		media, _, _ = strings.Cut(strings.TrimSpace(media), ";")
		name, ok := strings.CutPrefix(media, "application/vnd.github.")
		if !ok {
			continue
		}
		name = strings.TrimPrefix(name, "v3.")
		if base, _, _ := strings.Cut(name, "+"); base == kind {
			return true
		}
	}
	return false
}

// guid is a random UUID, the form of delivery and request IDs.
func guid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
