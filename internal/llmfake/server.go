// Package llmfake is a model server for tests and the demo. It speaks the wire
// formats of OpenAI's chat completions, Anthropic's messages and Gemini's
// generateContent, streamed or not, and does what it is told: answer well, be
// slow, hang, break in each of the ways real providers do, or obey whatever the
// prompt says.
//
// It knows no model. What it answers well with is computed from the prompt by
// plain rules (good.go), always the same for the same prompt. It imports
// nothing of ours, so that what it speaks is not what our client believes.
package llmfake

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxBody bounds a request.
const maxBody = 64 << 20

// Server is the server, an http.Handler. It is safe for concurrent use.
type Server struct {
	queue     chan struct{} // guards what follows; see lock
	steps     []Step
	otherwise func(Request) Step
	requests  []Request
	changed   chan struct{} // closed and replaced with each request

	down           atomic.Bool
	now, highWater atomic.Int64
	closed         chan struct{}
	closeOnce      sync.Once
}

// New makes a server that answers well.
func New() *Server {
	return &Server{
		queue: make(chan struct{}, 1), changed: make(chan struct{}), closed: make(chan struct{}),
		otherwise: func(Request) Step { return Step{} },
	}
}

func (s *Server) lock() (unlock func()) {
	s.queue <- struct{}{}
	return func() { <-s.queue }
}

// Script queues what the next requests meet, one step each.
func (s *Server) Script(steps ...Step) {
	defer s.lock()()
	s.steps = append(s.steps, steps...)
}

// Otherwise is what requests meet when nothing is queued.
func (s *Server) Otherwise(step Step) { s.Answer(func(Request) Step { return step }) }

// Answer decides for each request that no queued step is for.
func (s *Server) Answer(decide func(Request) Step) {
	defer s.lock()()
	s.otherwise = decide
}

// Down cuts every connection while it is on, as a dead host does.
func (s *Server) Down(on bool) { s.down.Store(on) }

// Close ends the requests that hang. The server is not to be used after.
func (s *Server) Close() { s.closeOnce.Do(func() { close(s.closed) }) }

// Requests are all requests so far, those while down among them.
func (s *Server) Requests() []Request {
	defer s.lock()()
	return append([]Request(nil), s.requests...)
}

// Forget drops the requests so far, and the high-water mark.
func (s *Server) Forget() {
	defer s.lock()()
	s.requests = nil
	s.highWater.Store(s.now.Load())
}

// Wait returns when there have been n requests, or done is closed.
func (s *Server) Wait(done <-chan struct{}, n int) {
	for {
		unlock := s.lock()
		count, changed := len(s.requests), s.changed
		unlock()
		if count >= n {
			return
		}
		select {
		case <-changed:
		case <-done:
			return
		}
	}
}

// HighWater is the most requests that were under way at a time.
func (s *Server) HighWater() int { return int(s.highWater.Load()) }

// Saw reports whether text was in any request: its path, headers or body, as
// it is or as JSON writes it.
func (s *Server) Saw(text string) bool {
	quoted, _ := json.Marshal(text) // a string always can be
	escaped := strings.Trim(string(quoted), `"`)
	for _, r := range s.Requests() {
		for _, values := range r.Header {
			if strings.Contains(strings.Join(values, "\n"), text) {
				return true
			}
		}
		if strings.Contains(r.Path, text) || strings.Contains(string(r.Body), text) || strings.Contains(string(r.Body), escaped) {
			return true
		}
	}
	return false
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for {
		high := s.highWater.Load()
		if now <= high || s.highWater.CompareAndSwap(high, now) {
			break
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	dialect := dialectOf(r.URL.Path)
	if dialect == nil {
		http.NotFound(w, r)
		return
	}
	req := Request{Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body, Dialect: dialect.name()}
	dialect.parse(&req)
	step := s.next(req)
	if s.down.Load() {
		step = Step{Mode: Reset}
	}
	p := &play{w: w, r: r, req: req, step: step, dialect: dialect, closed: s.closed}
	p.run()
}

// next notes the request and finds what it meets.
func (s *Server) next(req Request) Step {
	unlock := s.lock()
	s.requests = append(s.requests, req)
	close(s.changed)
	s.changed = make(chan struct{})
	var step Step
	decide := s.otherwise
	queued := len(s.steps) > 0
	if queued {
		step, s.steps = s.steps[0], s.steps[1:]
	}
	unlock() // decide may ask the server
	if queued {
		return step
	}
	return decide(req)
}

// pause waits; false when the request or the server has ended.
func (p *play) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.r.Context().Done():
	case <-p.closed:
	}
	return false
}

// hang waits for the end of the request or the server.
func (p *play) hang() {
	select {
	case <-p.r.Context().Done():
	case <-p.closed:
	}
}
