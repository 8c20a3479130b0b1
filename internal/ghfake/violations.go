package ghfake

import (
	"fmt"
	"sync"
	"time"
)

// Violation is a request or an answer that does not fit GitHub's description or
// a rule that GitHub states in prose.
type Violation struct {
	Time   time.Time
	Kind   ViolationKind
	Method string
	Path   string
	Route  string // as in Request.Route; empty when there is none
	// Status is what the request was, or the answer is, answered with.
	Status  int
	Message string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s %s (%d): %s", v.Kind, v.Method, v.Path, v.Status, v.Message)
}

// ViolationKind says what was broken.
type ViolationKind string

// The kinds.
const (
	// Malformed is a request that does not fit the description; refused.
	Malformed ViolationKind = "malformed request"
	// OverLimit is a request that breaks a rule stated in prose, as a review
	// comment outside the diff; refused.
	OverLimit ViolationKind = "rule broken"
	// Undescribed is an operation, parameter or field that GitHub's description
	// does not have. Operations are refused with 404; GitHub ignores the others,
	// and so does the fake.
	Undescribed ViolationKind = "not described"
	// BadAnswer is an answer of the fake's own that does not fit the
	// description: a defect of the fake.
	BadAnswer ViolationKind = "bad answer"
)

// keptViolations bounds the memory of a client that does everything wrong.
const keptViolations = 1000

// violations collects them.
type violations struct {
	mu   sync.Mutex
	ring ring[Violation]
	// calling is held while OnViolation runs.
	calling sync.Mutex
}

// Violations returns the latest violations, oldest first; at most 1,000.
func (s *Server) Violations() []Violation {
	s.violated.mu.Lock()
	defer s.violated.mu.Unlock()
	return s.violated.ring.all()
}

// violate records that a call broke the contract.
func (s *Server) violate(c *call, kind ViolationKind, status int, why error) {
	v := Violation{
		Time: s.cfg.Now(), Kind: kind, Method: c.req.Method, Path: c.req.URL.RequestURI(),
		Status: status, Message: why.Error(),
	}
	if c.route != nil {
		v.Route = c.route.template
	}
	s.violated.mu.Lock()
	s.violated.ring.add(v)
	s.violated.mu.Unlock()
	s.cfg.Logger.Warn("github contract violated", "kind", string(kind), "method", v.Method, "path", v.Path, "status", status, "why", v.Message)
	if s.cfg.OnViolation != nil {
		s.violated.calling.Lock()
		defer s.violated.calling.Unlock()
		s.cfg.OnViolation(v)
	}
}

// broken records a rule stated in prose as broken, and returns the refusal.
func (c *call) broken(refusal *apiError) *apiError {
	c.s.violate(c, OverLimit, refusal.status, refusal)
	return refusal
}
