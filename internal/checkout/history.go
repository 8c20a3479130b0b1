package checkout

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"assay/internal/fault"
)

// Commit is one commit of a branch's history.
type Commit struct {
	SHA string
	// Parent is the commit it is compared with: the first parent.
	Parent  string
	Subject string
}

// History lists at most limit commits that rev leads to, newest first, along
// first parents: what a branch took in, step by step. The root is left out,
// having nothing to be compared with.
func (r *Repo) History(ctx context.Context, rev string, limit int) ([]Commit, error) {
	out, err := r.git.output(ctx, "log", "--first-parent", "--max-count="+strconv.Itoa(limit), "--min-parents=1",
		"--format=%H%x00%P%x00%s", "--end-of-options", rev, "--")
	if err != nil {
		return nil, fault.New(fault.Invalid, fmt.Errorf("read history of %q: %w", rev, err))
	}
	var commits []Commit
	for line := range strings.Lines(out) {
		sha, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\x00")
		parents, subject, _ := strings.Cut(rest, "\x00")
		first, _, _ := strings.Cut(parents, " ")
		commits = append(commits, Commit{SHA: sha, Parent: first, Subject: subject})
	}
	return commits, nil
}
