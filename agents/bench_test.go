package agents_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay/agents"
	"assay/agents/hygiene"
	"assay/agents/pullrequest"
	"assay/agents/secrets"
	"assay/agents/workflows"
	"assay/review"
)

// memory is review.Contents of a map, by path at the head.
type memory map[string]string

func (m memory) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := m[path]
	if !ok || side == review.Base {
		return nil, review.ErrNotExist
	}
	return []byte(text), nil
}

// megabyte is a change of about 1 MB of diff, made of Go's own sources: files
// added whole, and files with a few lines added among others, and a workflow
// in between.
func megabyte(tb testing.TB) (*review.Change, int) {
	tb.Helper()
	contents := memory{}
	c := &review.Change{Contents: contents, Pull: review.Pull{Number: 1, Title: "Add it all", Body: "Because."}}
	size := 0
	add := func(path, text string) {
		contents[path] = text
		f := review.File{Path: path, Status: review.Added}
		h := review.Hunk{NewStart: 1}
		whole := len(c.Files)%2 == 0
		if !whole {
			f.Status, h.OldStart = review.Modified, 1
		}
		for i, l := range strings.Split(text, "\n") {
			line := review.Line{Op: review.Add, New: i + 1, Text: l}
			if !whole && i%12 < 8 {
				line.Op, line.Old = review.Context, i+1
			}
			size += len(l) + 2
			h.Lines = append(h.Lines, line)
		}
		h.NewLines = len(h.Lines)
		f.Hunks = []review.Hunk{h}
		c.Files = append(c.Files, f)
	}
	for i := range 5 {
		add(".github/workflows/ci"+string(rune('0'+i))+".yml", workflow)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	for _, dir := range []string{"net/http", "crypto/tls", "encoding/json", "go/types", "cmd/go/internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || size > 1<<20 || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			if len(text) < 40<<10 {
				add("pkg/"+d.Name(), string(text))
			}
			return err
		})
		if err != nil {
			tb.Fatal("read the sources of Go, which the change is made of:", err)
		}
	}
	return c, size
}

const workflow = `name: ci
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix: {go: [stable, oldstable]}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
        with:
          go-version: ${{ matrix.go }}
      - run: go test -race ./...
`

func all(tb testing.TB) []agents.Agent {
	tb.Helper()
	s, err := secrets.New()
	if err != nil {
		tb.Fatal(err)
	}
	return []agents.Agent{s, workflows.New(), hygiene.New(), pullrequest.New()}
}

// BenchmarkAgents1MB is all agents, one after another, over a diff of 1 MB; the
// goal is less than a second.
func BenchmarkAgents1MB(b *testing.B) {
	change, size := megabyte(b)
	list := all(b)
	for _, a := range append(list, nil) {
		name, plan := "all", agents.Sequential(list...)
		if a != nil {
			name, plan = a.Name(), agents.Sequential(a)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			r, err := agents.New(agents.Config{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for _, a := range r.Run(b.Context(), plan, change, nil).Agents {
					if a.Status != review.AgentDone {
						b.Fatal(a)
					}
				}
			}
		})
	}
}

// TestAgents1MB runs the real agents together and looks at their receipts.
func TestAgents1MB(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector")
	}
	change, _ := megabyte(t)
	r, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	list := all(t)
	out := r.Run(t.Context(), agents.Parallel(list...), change, nil)
	for _, a := range out.Agents {
		if a.Status != review.AgentDone || a.Reason != "" {
			t.Errorf("agent: %+v", a)
		}
	}
	if len(out.Coverage) != len(list)*len(change.Files) {
		t.Errorf("%d receipts for %d agents and %d files", len(out.Coverage), len(list), len(change.Files))
	}
	for _, c := range out.Coverage {
		if c.Level != review.Full && c.Level != review.NotApplicable {
			t.Errorf("receipt: %+v", c)
		}
	}
	for _, f := range out.Findings {
		t.Logf("%s %s %s: %s", f.Severity, f.Rule, f.Location(), f.Evidence)
	}
}
