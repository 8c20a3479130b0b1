package ghapp

import (
	"sync"
	"time"
)

// maxIdle is the number of installations remembered before those that need no
// remembering are forgotten.
const maxIdle = 1024

// installations holds what is shared by all that is done for one installation:
// its writer and its budget. Memory is bounded by what is at work, not by
// what has ever been seen.
type installations struct {
	pace pace
	now  func() time.Time

	mu   sync.Mutex
	byID map[int64]*installation
}

type installation struct {
	writer writer
	users  int // this and rate are guarded by installations.mu
	rate   rate
}

func newInstallations(p pace, now func() time.Time) *installations {
	return &installations{pace: p, now: now, byID: make(map[int64]*installation)}
}

// use returns the installation's state and the function that gives it back.
func (s *installations) use(id int64) (*installation, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.get(id)
	in.users++
	return in, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		in.users--
	}
}

// note keeps what GitHub has said of the installation's budget.
func (s *installations) note(id int64, said rate) {
	if said.at.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.get(id)
	in.rate = in.rate.later(said)
}

// budgets returns what GitHub has said of hours that are not over.
func (s *installations) budgets() []Budget {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Budget
	for id, in := range s.byID {
		if r := in.rate; s.now().Before(r.reset) {
			list = append(list, Budget{Installation: id, Limit: r.limit, Remaining: r.remaining, Reset: r.reset, At: r.at})
		}
	}
	return list
}

// get is called with mu held.
func (s *installations) get(id int64) *installation {
	in, ok := s.byID[id]
	if !ok {
		if len(s.byID) >= maxIdle {
			s.forgetIdle()
		}
		in = &installation{writer: writer{slot: make(chan struct{}, 1), pace: s.pace, now: s.now}}
		s.byID[id] = in
	}
	return in
}

func (s *installations) forgetIdle() {
	for id, in := range s.byID {
		if in.users == 0 && in.writer.rested() && !s.now().Before(in.rate.reset) {
			delete(s.byID, id)
		}
	}
}
