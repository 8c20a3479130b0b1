package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"assay/review"
)

// progress shows on a terminal how far the agents are, on one line that goes
// away again. Elsewhere it shows nothing.
type progress struct {
	mu    sync.Mutex
	out   io.Writer // nil where it shows nothing
	files int
}

func newProgress(w io.Writer, change *review.Change) *progress {
	p := &progress{files: len(change.Files)}
	if isTerminal(w) {
		p.out = w
		fmt.Fprintf(w, "Reviewing %d files against %s\n", p.files, change.Pull.BaseRef)
	}
	return p
}

func (p *progress) show(agents []review.AgentRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	done := 0
	var running []string
	for _, a := range agents {
		switch a.Status {
		case review.AgentDone, review.AgentUnavailable:
			done++
		case review.AgentRunning:
			running = append(running, a.Name)
		}
	}
	fmt.Fprintf(p.out, "\r\x1b[K%d of %d agents done %s", done, len(agents), strings.Join(running, ", "))
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
