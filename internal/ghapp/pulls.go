package ghapp

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"

	"assay/review"
)

// Pull reads a pull request. GitHub may not know a pull request yet that it
// has just sent an event about: not found is retried twice.
func (r *Repository) Pull(ctx context.Context, number int) (review.Pull, error) {
	p, err := r.pull(ctx, number)
	if err != nil {
		return review.Pull{}, fmt.Errorf("read pull request %s#%d: %w", r.repo, number, err)
	}
	return pullOf(p, r.repo), nil
}

// settling is how long GitHub is given to catch up with itself before it is
// asked the same again, at first; a look at once would see nothing new.
const (
	settling   = 500 * time.Millisecond
	maxLookups = 3
)

// pull reads a pull request, which is shared and not to be changed.
func (r *Repository) pull(ctx context.Context, number int) (p *github.PullRequest, err error) {
	err = r.lookUp(ctx, func() error {
		got, err := r.current(ctx, r.app.caches.answers, r.path("pulls/%d", number), "", decodePull)
		p, _ = got.value.(*github.PullRequest)
		return err
	})
	return p, err
}

// lookUp looks for what should be there, again when it is not.
func (r *Repository) lookUp(ctx context.Context, look func() error) error {
	for attempt := 1; ; attempt++ {
		err := look()
		if !hasStatus(err, http.StatusNotFound) || attempt == maxLookups || sleep(ctx, r.app.settling<<(attempt-1)) != nil {
			return err
		}
	}
}

func decodePull(resp *github.Response) (any, int, error) { return decodeJSON(resp, checkPull) }

// PullsForCommit lists the pull requests that GitHub relates to a commit, in
// any state: those whose head it is, and those that contain it. It is for
// check events, which do not name the pull requests of forks. None is no error.
func (r *Repository) PullsForCommit(ctx context.Context, sha string) ([]review.Pull, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	var pulls []review.Pull
	err := pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		return r.gh.PullRequests.ListPullRequestsWithCommit(ctx, r.repo.Owner, r.repo.Name, sha, &page)
	}), func(list []*github.PullRequest) (bool, error) {
		for _, p := range list {
			if err := checkPull(p); err != nil {
				return false, err
			}
			pulls = append(pulls, pullOf(p, r.repo))
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list pull requests of %s with commit %s: %w", r.repo, sha, err)
	}
	return pulls, nil
}

func checkPull(p *github.PullRequest) error {
	if p.GetNumber() == 0 || p.GetBase().GetSHA() == "" || p.GetHead().GetSHA() == "" {
		return incomplete("a pull request without number, base or head")
	}
	return nil
}

func pullOf(p *github.PullRequest, repo review.Repo) review.Pull {
	base, head := p.GetBase(), p.GetHead()
	pull := review.Pull{
		Number:  p.GetNumber(),
		Title:   p.GetTitle(),
		Body:    p.GetBody(),
		Author:  actorOf(p.GetUser()),
		Draft:   p.GetDraft(),
		Closed:  p.GetState() == "closed",
		BaseRef: base.GetRef(),
		BaseSHA: base.GetSHA(),
		HeadRef: head.GetRef(),
		HeadSHA: head.GetSHA(),
		Fork:    forked(head, base, repo),
	}
	for _, l := range p.Labels {
		pull.Labels = append(pull.Labels, l.GetName())
	}
	return pull
}

// forked reports whether the head lives elsewhere; it does when its repository
// was deleted.
func forked(head, base *github.PullRequestBranch, repo review.Repo) bool {
	home := repo.ID
	if id := base.GetRepo().GetID(); id != 0 {
		home = id
	}
	from := head.GetRepo().GetID()
	return from == 0 || from != home
}

// actorOf reads a user; GitHub shows what a deleted one left behind as ghost's.
func actorOf(u *github.User) review.Actor {
	if u.GetLogin() == "" {
		return review.Actor{Login: "ghost"}
	}
	return review.Actor{Login: u.GetLogin(), Bot: u.GetType() == "Bot"}
}
