package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"time"
)

// smallBody is what a body may hold without a large slot, in bytes. Payloads of
// pull requests are 20 to 100 KB.
const smallBody = 256 << 10

// Memory bounds the memory of bodies. A body must be read whole before its
// signature can be checked, so without a bound anybody could fill the memory.
// Large bodies have slots of their own: a stranger who holds them all does not
// keep ordinary deliveries out.
type Memory struct {
	// Bodies is how many requests hold a body at a time; 0 means 256, which is
	// at most 64 MiB.
	Bodies int
	// Large is how many of them may be over 256 KiB; 0 means 4, which is at
	// most 100 MiB of bodies of an announced size, as GitHub's are. One of an
	// unannounced size takes up to three times its own while it grows.
	Large int
	// Wait is how long a request waits for its turn; 0 means 5 s, half of what
	// GitHub waits for its answer.
	Wait time.Duration
}

type memory struct {
	bodies, large chan struct{}
	wait          time.Duration
}

func newMemory(m Memory) *memory {
	return &memory{
		bodies: make(chan struct{}, cmp.Or(max(0, m.Bodies), 256)),
		large:  make(chan struct{}, cmp.Or(max(0, m.Large), 4)),
		wait:   cmp.Or(max(0, m.Wait), 5*time.Second),
	}
}

// errBusy is the error of a request whose turn did not come in time.
var errBusy = errors.New("too many bodies in memory")

// read reads a body of the announced size, which is -1 when not known and may
// be a lie: the reader bounds it. release must be called, errors or not, when
// the body is not needed any more.
func (m *memory) read(ctx context.Context, r io.Reader, size int64) (body []byte, release func(), err error) {
	if err := m.enter(ctx, m.bodies); err != nil {
		return nil, func() {}, err
	}
	release = func() { <-m.bodies }
	isLarge := size > smallBody
	if isLarge {
		if release, err = m.enterLarge(ctx, release); err != nil {
			return nil, release, err
		}
	}
	// Buffer.ReadFrom wants MinRead bytes to spare, else it grows at the end.
	buf := bytes.NewBuffer(make([]byte, 0, max(size, 0)+bytes.MinRead))
	if !isLarge {
		if _, err := buf.ReadFrom(io.LimitReader(r, smallBody+1)); err != nil {
			return nil, release, err
		}
		if buf.Len() <= smallBody {
			return buf.Bytes(), release, nil
		}
		if release, err = m.enterLarge(ctx, release); err != nil {
			return nil, release, err
		}
	}
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, release, err
	}
	return buf.Bytes(), release, nil
}

// enterLarge also takes a large slot, and adds its release to the one given.
func (m *memory) enterLarge(ctx context.Context, release func()) (func(), error) {
	if err := m.enter(ctx, m.large); err != nil {
		return release, err
	}
	return func() { <-m.large; release() }, nil
}

func (m *memory) enter(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(m.wait)
	defer timer.Stop()
	select {
	case slots <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return errBusy
	}
}
