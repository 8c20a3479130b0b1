package bench

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkReview measures `assay review` of a change of one megabyte, made of
// Go's own sources, as a whole process: time and peak memory. The baseline is
// what git takes to print the same diff.
func BenchmarkReview(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "assay")
	run(b, dir, "go", "build", "-o", binary, "assay/cmd/assay")
	repo := filepath.Join(dir, "repo")
	size := megabyteRepo(b, repo)
	var git, review time.Duration
	var peak int64
	for range b.N {
		git += run(b, repo, "git", "diff", "HEAD~1", "HEAD").took
		r := run(b, repo, binary, "review", "--base", "HEAD~1", "--head", "HEAD", "--format", "sarif")
		review += r.took
		peak = max(peak, r.peakKB)
	}
	n := time.Duration(b.N)
	b.Logf("diff of %d KB: assay review %v, %d MB at most; git diff %v; ratio %.1f", size>>10, (review / n).Round(time.Millisecond), peak>>10, (git / n).Round(time.Millisecond), float64(review)/float64(git))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(review/n)/float64(time.Millisecond), "review-ms")
	b.ReportMetric(float64(peak)/1024, "peak-MB")
}

type process struct {
	took   time.Duration
	peakKB int64
}

func run(b *testing.B, dir, name string, args ...string) process {
	b.Helper()
	cmd := exec.Command(name, args...)
	if name != "go" {
		cmd.Dir = dir
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s %v: %v\n%s", name, args, err, stderr.Bytes())
	}
	p := process{took: time.Since(begin)}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.peakKB = usage.Maxrss // kilobytes on Linux
	}
	return p
}

// megabyteRepo makes a repository whose last commit adds about a megabyte.
func megabyteRepo(b *testing.B, dir string) (size int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	run(b, dir, "git", "init", "-q", "-b", "main")
	run(b, dir, "git", "commit", "-q", "--allow-empty", "-m", "base")
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(out)), "src")
	for _, pkg := range []string{"net/http", "go/types", "encoding/json"} {
		err := filepath.WalkDir(filepath.Join(src, pkg), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || size > 1<<20 {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(src, path)
			if err != nil {
				return err
			}
			size += len(text)
			to := filepath.Join(dir, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, text, 0o644)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	run(b, dir, "git", "add", "-A")
	run(b, dir, "git", "commit", "-q", "-m", "change")
	return size
}
