package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// tick is how often processes are looked at.
	tick = 50 * time.Millisecond
	// diskShare bounds what looking at the disk takes: so many times as long
	// passes in between.
	diskShare = 10
	minDisk   = 100 * time.Millisecond
)

var errStillRunning = errors.New("the program still runs")

// watcher looks at what a program and its children use.
type watcher struct {
	pid       int
	order     order
	maxMemory int64
	disk      int64 // at the start
	nextDisk  time.Time
}

func newWatcher(pid int, o order) *watcher {
	w := &watcher{pid: pid, order: o}
	w.disk = w.measure()
	return w
}

// watch returns when the program has ended, or errStillRunning when it has to be
// ended, with the limit that it is over, if it is one.
func (w *watcher) watch(told <-chan os.Signal, ended <-chan error) (Limit, error) {
	deadline := time.NewTimer(w.order.Limits.Time)
	defer deadline.Stop()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case err := <-ended:
			// A last look, so that quick ones do not get away with it.
			return w.overDisk(), notRunning(err)
		case <-told:
			return "", errStillRunning
		case <-deadline.C:
			return OverTime, errStillRunning
		case <-ticks.C:
			if over := w.over(); over != "" {
				return over, errStillRunning
			}
		}
	}
}

func notRunning(err error) error {
	if errors.Is(err, errStillRunning) {
		return nil
	}
	return err
}

func (w *watcher) over() Limit {
	var memory int64
	var cpu time.Duration
	for _, p := range descendants() {
		memory += p.memory
		cpu += p.cpu
		if p.zombie && p.parent == os.Getpid() && p.pid != w.pid {
			_, _ = unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
		}
	}
	w.maxMemory = max(w.maxMemory, memory)
	switch l := w.order.Limits; {
	case memory > l.Memory:
		return OverMemory
	case cpu > l.CPU:
		return OverCPU
	case time.Now().After(w.nextDisk):
		return w.overDisk()
	}
	return ""
}

func (w *watcher) overDisk() Limit {
	if w.measure()-w.disk > w.order.Limits.Disk {
		return OverDisk
	}
	return ""
}

// measure adds up what is on the disk. What was deleted and is still open is
// not seen; the limits on files and their size bound it.
func (w *watcher) measure() (bytes int64) {
	began := time.Now()
	for _, dir := range w.order.Write {
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d == nil {
				return nil
			}
			if info, err := d.Info(); err == nil {
				if st, ok := info.Sys().(*syscall.Stat_t); ok {
					bytes += st.Blocks * 512
				}
				bytes += entrySize
			}
			return nil
		})
	}
	w.nextDisk = time.Now().Add(max(minDisk, diskShare*time.Since(began)))
	return bytes
}

// entrySize is about what an entry takes beside its blocks, so that empty files
// count.
const entrySize = 512

// endAll ends the program's group and whatever else was started, until nothing
// is left.
func endAll(pid int, ended <-chan error, running bool) error {
	deadline := time.Now().Add(stopTime)
	for {
		// The group at once, for what forks faster than it is counted; then
		// those that left it.
		_ = unix.Kill(-pid, unix.SIGKILL)
		left := 0
		for _, p := range descendants() {
			if !p.zombie {
				left++
				_ = unix.Kill(p.pid, unix.SIGKILL)
			}
		}
		if running {
			select {
			case <-ended:
				running = false
			case <-time.After(tick / 10):
			}
		}
		if !running && left == 0 && reap() {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("what the program started could not be ended in time")
		}
		if !running && left > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// reap waits for the dead and reports whether there are no children left.
func reap() bool {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return true // no children
		case pid == 0:
			return false
		}
	}
}
