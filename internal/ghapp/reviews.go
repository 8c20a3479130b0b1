package ghapp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-github/v62/github"

	"assay/internal/fault"
	"assay/review"
)

// InlineReview is a review that comments, and neither approves nor refuses.
type InlineReview struct {
	// HeadSHA is the commit whose diff the comments stand in.
	HeadSHA string
	// Body holds the marker that the review is found again by.
	Body     string
	Comments []InlineComment
}

// InlineComment is a comment on lines of the diff. GitHub refuses a whole
// review for one comment outside it.
type InlineComment struct {
	Path string
	// Line is the last line, 1-based, StartLine the first of several or 0; both
	// on Side.
	Line, StartLine int
	Side            review.Side
	Body            string
}

// CreateReview reviews a pull request with all the comments or none, once: when
// GitHub's answer is lost, the review is looked for by its marker before it is
// made again. It is fault.Invalid when a comment stands outside the diff
// (https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request).
func (r *Repository) CreateReview(ctx context.Context, number int, marker string, in InlineReview) (int64, error) {
	id, err := r.createReview(ctx, number, marker, in)
	if err != nil {
		return 0, fmt.Errorf("review %s#%d: %w", r.repo, number, err)
	}
	return id, nil
}

func (r *Repository) createReview(ctx context.Context, number int, marker string, in InlineReview) (id int64, err error) {
	if err := checkMarker(marker, in.Body); err != nil {
		return 0, err
	}
	if err := checkSHA(in.HeadSHA); err != nil {
		return 0, err
	}
	for _, c := range in.Comments {
		if c.Path == "" || c.Body == "" || c.Line < 1 || c.StartLine < 0 || c.StartLine >= c.Line && c.StartLine != 0 {
			return 0, fault.New(fault.Invalid, fmt.Errorf("a comment on %s:%d-%d lacks a path, a body or lines in order", c.Path, c.StartLine, c.Line))
		}
	}
	err = r.create(ctx, true, func(ctx context.Context) (err error) {
		id, err = r.postReview(ctx, number, in)
		return err
	}, func(ctx context.Context) (found bool, err error) {
		id, found, err = r.FindReview(ctx, number, marker)
		return found, err
	})
	return id, err
}

func (r *Repository) postReview(ctx context.Context, number int, in InlineReview) (int64, error) {
	request := &github.PullRequestReviewRequest{CommitID: &in.HeadSHA, Body: &in.Body, Event: github.String("COMMENT")}
	for _, c := range in.Comments {
		side := "RIGHT"
		if c.Side == review.Base {
			side = "LEFT"
		}
		draft := &github.DraftReviewComment{Path: &c.Path, Body: &c.Body, Line: &c.Line, Side: &side}
		if c.StartLine != 0 {
			draft.StartLine, draft.StartSide = &c.StartLine, &side
		}
		request.Comments = append(request.Comments, draft)
	}
	made, _, err := r.gh.PullRequests.CreateReview(ctx, r.repo.Owner, r.repo.Name, number, request)
	if err != nil {
		return 0, err
	}
	if made.GetID() == 0 {
		return 0, incomplete("a review without an ID")
	}
	return made.GetID(), nil
}

// FindReview finds the first review of a pull request that holds marker and was
// made by this app: anybody can write the marker.
func (r *Repository) FindReview(ctx context.Context, number int, marker string) (id int64, found bool, err error) {
	login, err := r.app.login(ctx)
	if err == nil && marker == "" {
		err = fault.New(fault.Invalid, errors.New("no marker to look for"))
	}
	if err == nil {
		err = pages(ctx, paged(r, func(ctx context.Context, page github.ListOptions) ([]*github.PullRequestReview, *github.Response, error) {
			return r.gh.PullRequests.ListReviews(ctx, r.repo.Owner, r.repo.Name, number, &page)
		}), func(list []*github.PullRequestReview) (bool, error) {
			for _, one := range list {
				if one.GetUser().GetLogin() == login && one.GetUser().GetType() == "Bot" && strings.Contains(one.GetBody(), marker) {
					id, found = one.GetID(), true
				}
			}
			return !found, nil
		})
	}
	if err != nil {
		return 0, false, fmt.Errorf("find our review of %s#%d: %w", r.repo, number, err)
	}
	return id, found, nil
}
