package agents_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/agents"
	"assay/agents/dependencies"
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
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			tb.Fatal(err)
		}
		add(name, string(text))
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
	return []agents.Agent{s, workflows.New(), dependencies.New(nil), hygiene.New(), pullrequest.New()}
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
			before := processor()
			defer func() { b.ReportMetric(float64(processor()-before)/1e6/float64(b.N), "cpu-ms/op") }()
			b.SetBytes(int64(size))
			b.ReportAllocs()
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
		if a.Status != review.AgentDone || a.Reason != "" && a.Name != dependencies.Name && !strings.HasPrefix(a.Reason, "left out: ") {
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

// TestCost holds what the default agents may cost, against what reading the
// same bytes once with a regular expression costs this machine: a bound in
// seconds would hold the machine instead. The goals are a second for 1 MB of
// diff and five for 3,000 files, where the yardstick takes some 0.05 to 0.09 s.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	list := all(t)
	r, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	megabyte, _ := megabyte(t)
	many := thousands(3000)
	run := func(c *review.Change) func() {
		return func() { r.Run(t.Context(), agents.Sequential(list...), c, nil) }
	}
	run(megabyte)() // what is made once is made
	unit := least(3, func() { yardstick.FindAllString(text(megabyte), -1) })
	for _, tt := range []struct {
		name   string
		change *review.Change
		most   float64 // units
	}{{"1 MB of diff", megabyte, 11}, {"3,000 files", many, 55}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took := least(2, run(tt.change))
		runtime.ReadMemStats(&after)
		ratio := took.Seconds() / unit.Seconds()
		t.Logf("%s: %s, %.0f units of %s, %d MB allocated a run, %d MB of heap in use", tt.name, took.Round(time.Millisecond), ratio, unit.Round(time.Microsecond), (after.TotalAlloc-before.TotalAlloc)/2>>20, after.HeapInuse>>20)
		if ratio > tt.most {
			t.Errorf("%s costs %.0f units, want at most %.0f", tt.name, ratio, tt.most)
		}
		if after.HeapInuse > 200<<20 {
			t.Errorf("%s leaves %d MB in use, want at most 200", tt.name, after.HeapInuse>>20)
		}
	}
}

// yardstick is a regular expression that has to look at every byte.
var yardstick = regexp.MustCompile(`[a-z]+[0-9]+[A-Z]+x`)

func text(c *review.Change) string {
	var b strings.Builder
	for _, f := range c.Files {
		for l := range f.Added() {
			b.WriteString(l.Text)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// least is the least time of the processors that f takes in n runs: other
// processes have no part in it.
func least(n int, f func()) time.Duration {
	best := time.Hour
	for range n {
		before := processor()
		f()
		best = min(best, processor()-before)
	}
	return best
}

// processor is the time that this process has had of the processors.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// thousands is a change of n files of every kind that an agent reads whole.
func thousands(n int) *review.Change {
	contents := memory{}
	c := &review.Change{Contents: contents, Pull: review.Pull{Number: 1, Title: "Add many", Body: "Because."}}
	kinds := []struct{ name, text string }{
		{"a%d.json", "{\n  \"a\": [1, 2]\n}"}, {"a%d.yml", "a: 1\nb: [c]\n"}, {"a%d.toml", "a = 1\n"}, {"a%d.xml", "<a>\n</a>"}, {"a%d.sh", "#!/bin/sh\necho a\n"},
		{"a%d.go", "package a\n\n// f does what is asked.\nfunc f() {}\n"}, {"%d.dockerfile", "FROM a:1\nUSER x\n"}, {".github/workflows/a%d.yml", workflow}, {"a%d.md", "# Some words\n\nThat say what they should.\n"}, {"a%d.ts", "export const a = 1;\n"},
	}
	for i := range n {
		kind := kinds[i%len(kinds)]
		f := review.File{Path: fmt.Sprintf(kind.name, i), Status: review.Added}
		h := review.Hunk{NewStart: 1}
		for j, l := range strings.Split(kind.text, "\n") {
			h.Lines = append(h.Lines, review.Line{Op: review.Add, New: j + 1, Text: l})
		}
		h.NewLines, f.Additions = len(h.Lines), len(h.Lines)
		f.Hunks = []review.Hunk{h}
		contents[f.Path] = kind.text
		c.Files = append(c.Files, f)
	}
	return c
}

func BenchmarkAgents3000Files(b *testing.B) {
	change := thousands(3000)
	for _, a := range all(b) {
		b.Run(a.Name(), func(b *testing.B) {
			for b.Loop() {
				if _, err := a.Run(b.Context(), agents.Input{Change: change}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
