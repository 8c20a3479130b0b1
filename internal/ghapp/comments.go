package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
)

// comment is what is read of a comment. go-github's own does not know the app.
type comment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	App *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// CreateComment comments on a pull request, once: when GitHub's answer is
// lost, the comment is looked for by its marker before it is made again. The
// marker must be part of the body, and no other comment's.
func (r *Repository) CreateComment(ctx context.Context, number int, marker, body string) (int64, error) {
	var id int64
	err := checkMarker(marker, body)
	if err == nil {
		err = r.create(ctx, true, func(ctx context.Context) (err error) {
			id, err = r.postComment(ctx, number, body)
			return err
		}, func(ctx context.Context) (found bool, err error) {
			id, _, found, err = r.FindComment(ctx, number, marker)
			return found, err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("comment on %s#%d: %w", r.repo, number, err)
	}
	return id, nil
}

func checkMarker(marker, body string) error {
	if marker == "" || !strings.Contains(body, marker) {
		return fault.New(fault.Invalid, errors.New("the comment does not hold the marker it is found again by"))
	}
	return nil
}

func (r *Repository) postComment(ctx context.Context, number int, body string) (int64, error) {
	made, _, err := r.gh.Issues.CreateComment(ctx, r.repo.Owner, r.repo.Name, number, &github.IssueComment{Body: &body})
	if err != nil {
		return 0, err
	}
	if made.GetID() == 0 {
		return 0, incomplete("a comment without an ID")
	}
	return made.GetID(), nil
}

// UpdateComment sets the body of a comment. When there is no such comment any
// more the error is fault.Gone.
func (r *Repository) UpdateComment(ctx context.Context, id int64, body string) error {
	err := r.put(ctx, func(ctx context.Context) error {
		_, _, err := r.gh.Issues.EditComment(ctx, r.repo.Owner, r.repo.Name, id, &github.IssueComment{Body: &body})
		return err
	})
	if err != nil {
		return fmt.Errorf("edit comment %d of %s: %w", id, r.repo, err)
	}
	return nil
}

// DeleteComment deletes a comment; one that is gone already is no error.
func (r *Repository) DeleteComment(ctx context.Context, id int64) error {
	err := r.put(ctx, func(ctx context.Context) error {
		_, err := r.gh.Issues.DeleteComment(ctx, r.repo.Owner, r.repo.Name, id)
		return err
	})
	if err != nil && !hasStatus(err, http.StatusNotFound, http.StatusGone) {
		return fmt.Errorf("delete comment %d of %s: %w", id, r.repo, err)
	}
	return nil
}

// React adds a reaction of the app's to a comment of a pull request: "eyes",
// "+1", "confused" and the like. The same one again changes nothing
// (https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment).
// WritePulls is enough for it. When there is no such comment any more the error
// is fault.Gone.
func (r *Repository) React(ctx context.Context, commentID int64, content string) error {
	err := r.repeat(ctx, true, func(ctx context.Context) error {
		_, _, err := r.gh.Reactions.CreateIssueCommentReaction(ctx, r.repo.Owner, r.repo.Name, commentID, content)
		return err
	})
	if err != nil {
		return fmt.Errorf("react to comment %d of %s: %w", commentID, r.repo, err)
	}
	return nil
}

// FindComment finds the first comment of a pull request that holds marker and
// was made by this app: anybody can write the marker.
func (r *Repository) FindComment(ctx context.Context, number int, marker string) (id int64, body string, found bool, err error) {
	if err := checkMarker(marker, marker); err != nil {
		return 0, "", false, err
	}
	err = pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]comment, *github.Response, error) {
		return r.listComments(ctx, number, page)
	}), func(list []comment) (bool, error) {
		for _, c := range list {
			if !strings.Contains(c.Body, marker) {
				continue
			}
			ours, err := r.app.wrote(ctx, c)
			if err != nil {
				return false, err
			}
			if ours {
				id, body, found = c.ID, c.Body, true
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return 0, "", false, fmt.Errorf("find our comment on %s#%d: %w", r.repo, number, err)
	}
	return id, body, found, nil
}

func (r *Repository) listComments(ctx context.Context, number int, page github.ListOptions) ([]comment, *github.Response, error) {
	req, err := r.gh.NewRequest(http.MethodGet, r.path("issues/%d/comments?per_page=%d&page=%d", number, page.PerPage, page.Page), nil)
	if err != nil {
		return nil, nil, err
	}
	var list []comment
	resp, err := r.gh.Do(ctx, req, &list)
	return list, resp, err
}

// wrote reports whether the app wrote a comment. What a person writes with the
// app's help names the app too, so the author has to be the bot as well; older
// servers do not name the app, but the bot's login is nobody else's.
func (a *App) wrote(ctx context.Context, c comment) (bool, error) {
	switch {
	case c.User.Type != "Bot":
		return false, nil
	case c.App != nil:
		return c.App.ID == a.id, nil
	}
	login, err := a.login(ctx)
	return err == nil && c.User.Login == login, err
}
