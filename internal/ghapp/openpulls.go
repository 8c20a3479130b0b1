package ghapp

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-github/v62/github"

	"assay/review"
)

// OpenPull is an open pull request as GitHub lists it.
type OpenPull struct {
	review.Pull
	// UpdatedAt is when anything about it changed last, a comment too.
	UpdatedAt time.Time
}

// OpenPulls lists the open pull requests that were updated at or after since,
// the latest first. GitHub's list may be seconds behind.
func (r *Repository) OpenPulls(ctx context.Context, since time.Time) ([]OpenPull, error) {
	var open []OpenPull
	err := pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		return r.gh.PullRequests.List(ctx, r.repo.Owner, r.repo.Name, &github.PullRequestListOptions{
			State: "open", Sort: "updated", Direction: "desc", ListOptions: page,
		})
	}), func(list []*github.PullRequest) (bool, error) {
		for _, p := range list {
			if err := checkPull(p); err != nil {
				return false, err
			}
			if p.GetUpdatedAt().IsZero() {
				return false, incomplete("a pull request without date")
			}
			if p.GetUpdatedAt().Before(since) {
				return false, nil
			}
			open = append(open, OpenPull{Pull: pullOf(p, r.repo), UpdatedAt: p.GetUpdatedAt().Time})
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list open pull requests of %s: %w", r.repo, err)
	}
	return open, nil
}
