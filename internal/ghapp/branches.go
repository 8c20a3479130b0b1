package ghapp

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

// BranchHead is the commit that a branch stands at now. It is fault.Gone when
// there is no such branch.
func (r *Repository) BranchHead(ctx context.Context, branch string) (sha string, err error) {
	if err = checkRef(branch); err == nil {
		var got reading
		got, err = r.current(ctx, r.app.caches.answers, r.path("git/ref/heads/%s", escapeRef(branch)), "", decodeRef)
		sha, _ = got.value.(string)
	}
	if err != nil {
		return "", fmt.Errorf("read the head of branch %s of %s: %w", branch, r.repo, err)
	}
	return sha, nil
}

func decodeRef(resp *github.Response) (any, int, error) {
	value, bytes, err := decodeJSON(resp, func(ref *github.Reference) error {
		if checkSHA(ref.GetObject().GetSHA()) != nil {
			return incomplete("a branch without commit")
		}
		return nil
	})
	ref, _ := value.(*github.Reference)
	return ref.GetObject().GetSHA(), bytes, err
}

// checkRef refuses names that would lead a request's path astray.
func checkRef(branch string) error {
	for part := range strings.SplitSeq(branch, "/") {
		if part == "" || part == "." || part == ".." {
			return fault.New(fault.Invalid, fmt.Errorf("%q is not a branch", branch))
		}
	}
	return nil
}

// escapeRef makes a branch's name part of a URL.
func escapeRef(branch string) string {
	return strings.ReplaceAll(url.PathEscape(branch), "%2F", "/")
}

// Repo reads what GitHub says of the repository itself.
func (r *Repository) Repo(ctx context.Context) (review.Repo, error) {
	repo, err := r.about(ctx)
	if err != nil {
		return review.Repo{}, fmt.Errorf("read %s: %w", r.repo, err)
	}
	return repositoryOf(repo), nil
}

// about reads the repository, which is shared and not to be changed.
func (r *Repository) about(ctx context.Context) (*github.Repository, error) {
	got, err := r.current(ctx, r.app.caches.answers, strings.TrimSuffix(r.path(""), "/"), "", decodeRepo)
	repo, _ := got.value.(*github.Repository)
	return repo, err
}

func decodeRepo(resp *github.Response) (any, int, error) { return decodeJSON(resp, checkRepo) }

func checkRepo(r *github.Repository) error {
	if r.GetID() == 0 || r.GetName() == "" || r.GetOwner().GetLogin() == "" {
		return incomplete("a repository without ID, owner or name")
	}
	return nil
}

func repositoryOf(r *github.Repository) review.Repo {
	return review.Repo{
		ID: r.GetID(), Owner: r.GetOwner().GetLogin(), Name: r.GetName(), DefaultBranch: r.GetDefaultBranch(), Private: r.GetPrivate(),
	}
}
