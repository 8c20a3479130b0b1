package ghfake

import (
	"sync"
	"time"
)

// Request is what is remembered of one API request.
type Request struct {
	Time   time.Time
	Method string
	// Path is the escaped path, without the /api/v3 of an Enterprise Server.
	Path string
	// Route is the operation's path in GitHub's description, as
	// "/repos/{owner}/{repo}/check-runs"; empty when there is none.
	Route string
	// App and Installation are who asked; 0 where not known.
	App, Installation int64
	// Permissions and Repositories are what the installation token allows;
	// Repositories is nil when the token is not narrowed to some.
	Permissions  map[string]string
	Repositories []string
	// Status is the answer's status. For a fault that gives no answer it is the
	// status that would have been answered, or 0.
	Status int
	// Fault says that an injected fault stood in for the answer.
	Fault bool
}

// recorder remembers the latest requests.
type recorder struct {
	mu    sync.Mutex
	ring  ring[Request]
	total int
}

func newRecorder(keep int) *recorder { return &recorder{ring: ring[Request]{cap: keep}} }

func (r *recorder) add(q Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring.add(q)
	r.total++
}

// Requests returns the latest requests, oldest first, at most
// Config.KeepRequests of them.
func (s *Server) Requests() []Request {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return s.recorder.ring.all()
}

// RequestCount is the number of API requests so far, those forgotten included.
func (s *Server) RequestCount() int {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return s.recorder.total
}

// ForgetRequests empties the record, so that a test can count from here.
func (s *Server) ForgetRequests() {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.recorder.ring.reset()
	s.recorder.total = 0
}

// ring keeps the last cap values.
type ring[T any] struct {
	cap   int
	items []T
	next  int // where the next value goes, once items is full
}

func (r *ring[T]) add(v T) {
	if len(r.items) < r.cap {
		r.items = append(r.items, v)
		return
	}
	r.items[r.next] = v
	r.next = (r.next + 1) % r.cap
}

// all copies the values, oldest first.
func (r *ring[T]) all() []T {
	out := make([]T, 0, len(r.items))
	out = append(out, r.items[r.next:]...)
	return append(out, r.items[:r.next]...)
}

func (r *ring[T]) reset() { r.items, r.next = nil, 0 }
