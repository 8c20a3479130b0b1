package ghapp

import (
	"sync"
	"time"
)

// maxIdle is the number of installations remembered before those that need no
// remembering are forgotten.
const maxIdle = 1024

// installations holds what is shared by all that is done for one installation:
// its writer. Memory is bounded by what is at work, not by
// what has ever been seen.
type installations struct {
	pace pace
	now  func() time.Time

	mu   sync.Mutex
	byID map[int64]*installation
}

type installation struct {
	writer writer
	users  int // guarded by installations.mu
}

func newInstallations(p pace, now func() time.Time) *installations {
	return &installations{pace: p, now: now, byID: make(map[int64]*installation)}
}

// use returns the installation's state and the function that gives it back.
func (s *installations) use(id int64) (*installation, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.byID[id]
	if !ok {
		if len(s.byID) >= maxIdle {
			s.forgetIdle()
		}
		in = &installation{writer: writer{slot: make(chan struct{}, 1), pace: s.pace, now: s.now}}
		s.byID[id] = in
	}
	in.users++
	return in, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		in.users--
	}
}

func (s *installations) forgetIdle() {
	for id, in := range s.byID {
		if in.users == 0 && in.writer.rested() {
			delete(s.byID, id)
		}
	}
}
