package ghapp

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/internal/guard"
	"assay/review"
)

// maxReachPages bounds the lists of installations and of an installation's
// repositories: 50,000 of either.
const maxReachPages = 500

// Installation is the app installed on an account.
type Installation struct {
	ID      int64
	Account string
	// Suspended says that somebody has put it to rest: its tokens do not work.
	Suspended bool
}

// Installations lists where the app is installed.
func (a *App) Installations(ctx context.Context) ([]Installation, error) {
	var all []Installation
	err := reachPages(ctx, func(ctx context.Context, page *github.ListOptions) (next int, err error) {
		err = a.asApp(ctx, func(ctx context.Context, gh *github.Client) error {
			list, resp, err := gh.Apps.ListInstallations(ctx, page)
			if err != nil {
				return err
			}
			got, err := installationsOf(list)
			if err == nil {
				all, next = append(all, got...), resp.NextPage
			}
			return err
		})
		return next, err
	})
	if err != nil {
		return nil, fmt.Errorf("list installations of app %d: %w", a.id, err)
	}
	return all, nil
}

func installationsOf(list []*github.Installation) ([]Installation, error) {
	if list == nil {
		return nil, incomplete("no list")
	}
	got := make([]Installation, len(list))
	for i, in := range list {
		if in.GetID() == 0 {
			return nil, incomplete("an installation without ID")
		}
		got[i] = Installation{ID: in.GetID(), Account: in.GetAccount().GetLogin(), Suspended: in.SuspendedAt != nil}
	}
	return got, nil
}

// InstallationOf finds the installation that reaches a repository, and reads
// the repository. It is fault.Gone when the app is not installed there, or the
// installation is suspended. It takes a token for the repository that is good
// for metadata alone.
func (a *App) InstallationOf(ctx context.Context, owner, name string) (id int64, repo review.Repo, err error) {
	r := a.Repository(0, review.Repo{Owner: owner, Name: name}, 0)
	if err = r.check(); err == nil {
		id, err = a.installationOf(ctx, r)
	}
	if err == nil {
		repo, err = a.Repository(id, r.repo, 0).Repo(ctx)
	}
	if err != nil {
		return 0, review.Repo{}, fmt.Errorf("find the installation of %s/%s: %w", owner, name, err)
	}
	return id, repo, nil
}

func (a *App) installationOf(ctx context.Context, r *Repository) (int64, error) {
	var found *github.Installation
	err := a.asApp(ctx, func(ctx context.Context, gh *github.Client) (err error) {
		found, _, err = gh.Apps.FindRepositoryInstallation(ctx, r.repo.Owner, r.repo.Name)
		if err == nil && found.GetID() == 0 {
			err = incomplete("an installation without ID")
		}
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case found.SuspendedAt != nil:
		return 0, fault.New(fault.Gone, errors.New("the installation is suspended"))
	}
	return found.GetID(), nil
}

// Repositories lists the repositories of an installation, archived ones left
// out: nothing can be written to them. It takes a token for the installation as
// a whole that is good for metadata alone.
func (a *App) Repositories(ctx context.Context, installation int64) ([]review.Repo, error) {
	gh := a.client(&authorized{tokens: a.tokens, key: tokenKey{installation: installation}, next: a.base})
	call := guard.Call{Key: limitKey(installation), Idempotent: true, Deadline: a.callTimeout}
	var all []review.Repo
	err := reachPages(ctx, func(ctx context.Context, page *github.ListOptions) (int, error) {
		return guard.Do(ctx, a.rest, call, func(attempt context.Context) (int, error) {
			list, resp, err := gh.Apps.ListRepos(attempt, page)
			if err := classifyCall(ctx, err); err != nil {
				return 0, err
			}
			got, err := reposOf(list)
			all = append(all, got...)
			return resp.NextPage, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list repositories of installation %d: %w", installation, err)
	}
	return all, nil
}

func reposOf(list *github.ListRepositories) ([]review.Repo, error) {
	if list == nil || list.Repositories == nil {
		return nil, incomplete("no list")
	}
	var got []review.Repo
	for _, r := range list.Repositories {
		if err := checkRepo(r); err != nil {
			return nil, err
		}
		if r.GetArchived() || r.GetDisabled() {
			continue
		}
		got = append(got, repositoryOf(r))
	}
	return got, nil
}

// reachPages reads a list page by page. read returns the number of the next
// page; 0 after the last.
func reachPages(ctx context.Context, read func(context.Context, *github.ListOptions) (next int, err error)) error {
	page := 1
	for range maxReachPages {
		next, err := read(ctx, &github.ListOptions{Page: page, PerPage: pageSize})
		if err != nil || next == 0 {
			return err
		}
		page = next
	}
	return incomplete(fmt.Sprintf("a list of more than %d pages", maxReachPages))
}
