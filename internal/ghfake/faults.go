package ghfake

import (
	"maps"
	"net/http"
	"path"
	"sync"
	"time"
)

// Fault is one way to misbehave. Answers that come from a fault are not checked
// against GitHub's description: being wrong is their purpose.
type Fault struct {
	// Method is the HTTP method; any when empty.
	Method string
	// Pattern is a route as in Request.Route, or a path with * for any part of
	// a segment ("/repos/o/r/pulls/*"); anything when empty.
	Pattern string
	// Times is how often the fault strikes; for ever when 0.
	Times int
	// After lets the request take effect first; its answer is what is lost.
	After bool

	// Delay is waited before anything is answered.
	Delay time.Duration
	// Hang never answers, until the client gives up or the Server is closed.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// Truncate announces the whole answer and drops the connection halfway
	// through it.
	Truncate bool
	// Status, Header and Body are answered, a Body without a Status as 200. With
	// neither, the request is processed and its own answer is delayed, truncated
	// or given more headers. A Fault that says nothing at all answers 502.
	Status int
	Header http.Header
	Body   string
}

// Misbehaviour is a fault that was set up.
type Misbehaviour struct {
	list  *faultList
	fault Fault
	hits  int
}

// Misbehave sets up a fault. Faults are tried in the order they were set up.
func (s *Server) Misbehave(f Fault) *Misbehaviour {
	if f.harmless() {
		f.Status = http.StatusBadGateway
	}
	m := &Misbehaviour{list: s.faults, fault: f}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = append(s.faults.active, m)
	return m
}

// Hits is how often the fault has struck.
func (m *Misbehaviour) Hits() int {
	m.list.mu.Lock()
	defer m.list.mu.Unlock()
	return m.hits
}

// Stop ends the fault. It may be called more than once.
func (m *Misbehaviour) Stop() {
	m.list.mu.Lock()
	defer m.list.mu.Unlock()
	m.list.remove(m)
}

// faultList holds the faults that are set up.
type faultList struct {
	mu     sync.Mutex
	active []*Misbehaviour
	once   sync.Once
	closed chan struct{}
}

func newFaultList() *faultList { return &faultList{closed: make(chan struct{})} }

// take returns the fault that strikes a request, if any.
func (l *faultList) take(method, route, p string) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.active {
		if !m.fault.matches(method, route, p) {
			continue
		}
		m.hits++
		if m.hits == m.fault.Times {
			l.remove(m)
		}
		f := m.fault
		return &f
	}
	return nil
}

func (l *faultList) remove(m *Misbehaviour) {
	kept := make([]*Misbehaviour, 0, len(l.active))
	for _, a := range l.active {
		if a != m {
			kept = append(kept, a)
		}
	}
	l.active = kept
}

// release ends hanging and delayed answers, now and from now on.
func (l *faultList) release() { l.once.Do(func() { close(l.closed) }) }

func (f *Fault) matches(method, route, p string) bool {
	if f.Method != "" && f.Method != method {
		return false
	}
	if f.Pattern == "" || f.Pattern == route {
		return true
	}
	hit, err := path.Match(f.Pattern, p)
	return err == nil && hit
}

// inject answers with a fault. real is the answer that is lost, or nil when the
// request was not processed.
func (s *Server) inject(w http.ResponseWriter, r *http.Request, f *Fault, real *answer) {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		case <-s.faults.closed:
		}
	}
	if f.Hang {
		select {
		case <-r.Context().Done():
		case <-s.faults.closed:
		}
	}
	if f.Hang || f.Drop {
		panic(http.ErrAbortHandler)
	}
	a := f.answer(real)
	if !f.Truncate {
		a.write(w)
		return
	}
	a.writeHeader(w)
	_, _ = w.Write(a.raw[:len(a.raw)/2])
	// Without a flush the server drops the half that was written, too.
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// answer is the real answer as the fault changes it.
func (f *Fault) answer(real *answer) answer {
	a := answer{status: http.StatusOK, contentType: jsonType}
	if real != nil {
		a = *real
	}
	if f.replaces() {
		a.raw, a.contentType = []byte(f.Body), jsonType
	}
	if f.Status != 0 {
		a.status = f.Status
	}
	a.header = a.header.Clone()
	if a.header == nil {
		a.header = http.Header{}
	}
	maps.Copy(a.header, f.Header)
	return a
}

// replaces reports whether the fault puts something else in the place of the
// request's own answer.
func (f *Fault) replaces() bool { return f.Hang || f.Drop || f.Status != 0 || f.Body != "" }

func (f *Fault) harmless() bool {
	return !f.replaces() && !f.Truncate && f.Delay == 0 && len(f.Header) == 0
}
