package ghapp

import (
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"

	"assay/review"
)

// host tells what GitHub knows of one change. It asks once, and remembers for
// as long as the change lives: an event makes a new one.
type host struct {
	repo *Repository
	pull review.Pull

	readiness memo[review.Readiness]
	setup     memo[review.Setup]
	commits   memo[[]review.Commit]
}

func newHost(r *Repository, pull review.Pull) *host {
	return &host{
		repo: r, pull: pull,
		readiness: newMemo[review.Readiness](), setup: newMemo[review.Setup](), commits: newMemo[[]review.Commit](),
	}
}

// Readiness says how near the pull request is to being merged. Of commits that
// are no pull request it knows nothing, and says so in Unknown. The answer is
// shared by all who ask, and is not to be changed.
func (h *host) Readiness(ctx context.Context) (review.Readiness, error) {
	if h.pull.Number == 0 {
		return review.Readiness{Mergeable: mergeableUnknown, Behind: -1, Unknown: []string{"whether it can be merged: this is no pull request"}}, nil
	}
	got, err := h.readiness.get(ctx, h.readReadiness)
	if err != nil {
		return review.Readiness{}, fmt.Errorf("read whether %s is ready: %w", subject(h.repo.repo, h.pull), err)
	}
	return got, nil
}

// Setup says how the repository is set up, as far as an app may know that is
// not its administrator. The answer is shared by all who ask, and is not to be
// changed.
func (h *host) Setup(ctx context.Context) (review.Setup, error) {
	got, err := h.setup.get(ctx, h.repo.readSetup)
	if err != nil {
		return review.Setup{}, fmt.Errorf("read how %s is set up: %w", h.repo.repo, err)
	}
	return got, nil
}

// Commits are the commits of the change, oldest first; none where there is no
// base. They are shared by all who ask, and not to be changed.
func (h *host) Commits(ctx context.Context) ([]review.Commit, error) {
	got, err := h.commits.get(ctx, h.readCommits)
	if err != nil {
		return nil, fmt.Errorf("list the commits of %s: %w", subject(h.repo.repo, h.pull), err)
	}
	return got, nil
}

func (h *host) readCommits(ctx context.Context) ([]review.Commit, error) {
	var listed []*github.RepositoryCommit
	var err error
	switch {
	case h.pull.Number != 0:
		listed, err = h.repo.pullCommits(ctx, h.pull.Number)
	case !noCommit(h.pull.BaseSHA):
		listed, err = h.repo.commitsBetween(ctx, h.pull.BaseSHA, h.pull.HeadSHA)
		if unrelated(err) {
			return nil, nil // they share no history, so neither is ahead
		}
	}
	if err != nil {
		return nil, err
	}
	commits := make([]review.Commit, len(listed))
	for i, c := range listed {
		if checkSHA(c.GetSHA()) != nil {
			return nil, incomplete("a commit without SHA")
		}
		commits[i] = review.Commit{SHA: c.GetSHA(), Message: c.GetCommit().GetMessage()}
		if c.GetAuthor().GetLogin() != "" {
			commits[i].Author = actorOf(c.GetAuthor())
		}
	}
	return commits, nil
}

func (r *Repository) pullCommits(ctx context.Context, number int) ([]*github.RepositoryCommit, error) {
	var all []*github.RepositoryCommit
	err := pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]*github.RepositoryCommit, *github.Response, error) {
		return r.gh.PullRequests.ListCommits(ctx, r.repo.Owner, r.repo.Name, number, &page)
	}), func(list []*github.RepositoryCommit) (bool, error) {
		all = append(all, list...)
		return len(all) < maxCommits, nil
	})
	return all[:min(len(all), maxCommits)], err
}

// memo remembers what was read once. Those who ask meanwhile wait; a failure is
// remembered by nobody.
type memo[V any] struct {
	slot  chan struct{} // held while value is looked at or read
	known *V
}

func newMemo[V any]() memo[V] { return memo[V]{slot: make(chan struct{}, 1)} }

func (m *memo[V]) get(ctx context.Context, read func(context.Context) (V, error)) (V, error) {
	var none V
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case m.slot <- struct{}{}:
		defer func() { <-m.slot }()
	}
	if m.known != nil {
		return *m.known, nil
	}
	value, err := read(ctx)
	if err != nil {
		return none, err
	}
	m.known = &value
	return value, nil
}
