// Package eval measures agents on the history of git repositories: each commit
// is reviewed as if it were a pull request, and what the agents say of it is
// counted by rule, with a sample for people to judge. How an agent works, and
// how its findings are shown on a pull request, it leaves to others.
package eval

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"assay/agents"
	"assay/internal/checkout"
	"assay/review"
)

// Config says what is measured. Agents and Runner are required.
type Config struct {
	Agents []agents.Agent
	Runner *agents.Runner
	// Policy is given to every agent.
	Policy review.Policy
	// MaxCommits is how many commits of each repository are looked at, the
	// newest first; MaxFiles and MaxLines leave out commits that change more files,
	// or add more lines, than an ordinary pull request does. 0 is no bound.
	MaxCommits, MaxFiles, MaxLines int
	// SamplePerRule is how many findings of each rule are kept to be judged.
	SamplePerRule int
	// Seed makes the sample; the same seed and history give the same sample.
	Seed uint64
	// Progress, if set, is told after each commit.
	Progress func(done int, dir string)
}

// agentTimeout bounds an agent on one commit.
const agentTimeout = time.Minute

// everything is the most commits of a repository that are listed.
const everything = 1 << 20

// Analysers reviews the history of the repositories in dirs. When it is stopped
// it returns what it has beside the error: a long measurement is not lost.
func Analysers(ctx context.Context, cfg Config, dirs []string) (*Result, error) {
	if len(cfg.Agents) == 0 || cfg.Runner == nil {
		return nil, errors.New("evaluate: Agents and Runner are required")
	}
	m := newMeasure(cfg)
	for _, dir := range dirs {
		if err := m.repository(ctx, dir); err != nil {
			return m.result(), fmt.Errorf("evaluate %s: %w", dir, err)
		}
	}
	return m.result(), nil
}

func (m *measure) repository(ctx context.Context, dir string) (err error) {
	repo, err := checkout.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	limit := m.cfg.MaxCommits
	if limit == 0 {
		limit = everything
	}
	commits, err := repo.History(ctx, "HEAD", limit)
	if err != nil {
		return err
	}
	m.out.Repositories++
	name := filepath.Base(dir)
	if abs, err := filepath.Abs(dir); err == nil {
		name = filepath.Base(abs)
	}
	for _, c := range commits {
		if err := m.commit(ctx, repo, name, c); err != nil {
			return err
		}
		if m.cfg.Progress != nil {
			m.cfg.Progress(m.out.Commits+m.out.Skipped, dir)
		}
	}
	return nil
}

func (m *measure) commit(ctx context.Context, repo *checkout.Repo, name string, c checkout.Commit) error {
	change, err := repo.Change(ctx, checkout.Options{Base: c.Parent, Head: c.SHA})
	if errors.Is(err, checkout.ErrNoChange) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read commit %s: %w", c.SHA, err)
	}
	added, _ := change.Size()
	if m.cfg.MaxFiles > 0 && len(change.Files) > m.cfg.MaxFiles || m.cfg.MaxLines > 0 && added > m.cfg.MaxLines {
		m.out.Skipped++
		return nil
	}
	// As the title and text of a pull request that holds this one commit.
	change.Pull.Title = c.Subject
	plan := agents.Parallel(m.cfg.Agents...)
	plan.AgentTimeout = agentTimeout
	plan.Policies = m.policies
	out := m.cfg.Runner.Run(ctx, plan, change, nil)
	if err := ctx.Err(); err != nil {
		return err
	}
	m.add(name, c, change, out)
	return nil
}
