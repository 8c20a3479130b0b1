package ghapp

import (
	"context"
	"errors"
	"fmt"

	"assay/internal/fault"
	"assay/review"
)

// ReviewThread is a conversation on lines of a pull request's diff.
type ReviewThread struct {
	// ID is GraphQL's, for ResolveThread.
	ID       string
	Resolved bool
	// ResolvedBy is the login of who resolved it; empty where that is not known.
	ResolvedBy string
	// Outdated says that its lines are not in the diff of the head any more.
	Outdated bool
	Path     string
	// Line and StartLine are 1-based; 0 where it is outdated or on a whole file.
	Line, StartLine int
	// Comments are the first 50, oldest first; More says that there are others.
	Comments []ThreadComment
	More     bool
}

// ThreadComment is a comment of a ReviewThread.
type ThreadComment struct {
	// ID is the REST API's, NodeID is GraphQL's, for MinimizeComment.
	ID        int64
	NodeID    string
	Author    review.Actor
	Body      string
	Minimized bool
}

// Classifiers say why a comment is minimised; the words are GitHub's
// (https://docs.github.com/graphql/reference/enums#reportedcontentclassifiers).
const (
	Outdated  = "OUTDATED"
	Resolved  = "RESOLVED"
	Duplicate = "DUPLICATE"
)

const (
	threadsQuery = `query Threads($owner: String!, $name: String!, $number: Int!, $threads: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $threads) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated path line startLine
          resolvedBy { login }
          comments(first: 50) {
            pageInfo { hasNextPage }
            nodes { id databaseId body isMinimized author { __typename login } }
          }
        }
      }
    }
  }
}`
	resolveMutation = `mutation Resolve($thread: ID!) {
  resolveReviewThread(input: {threadId: $thread}) { thread { id isResolved } }
}`
	minimizeMutation = `mutation Minimize($comment: ID!, $classifier: ReportedContentClassifiers!) {
  minimizeComment(input: {subjectId: $comment, classifier: $classifier}) { minimizedComment { isMinimized } }
}`
)

type threadNode struct {
	ID                     string
	IsResolved, IsOutdated bool
	Path                   string
	Line, StartLine        int
	ResolvedBy             *graphActor
	Comments               struct {
		PageInfo pageInfo
		Nodes    []*struct {
			ID          string
			DatabaseID  int64
			Body        string
			IsMinimized bool
			Author      *graphActor
		}
	}
}

// ReviewThreads lists the conversations on lines of a pull request, up to 2,500.
func (r *Repository) ReviewThreads(ctx context.Context, number int) ([]ReviewThread, error) {
	threads, err := r.reviewThreads(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("list the review threads of %s#%d: %w", r.repo, number, err)
	}
	return threads, nil
}

func (r *Repository) reviewThreads(ctx context.Context, number int) ([]ReviewThread, error) {
	variables := map[string]any{"owner": r.repo.Owner, "name": r.repo.Name, "number": number}
	var all []ReviewThread
	for range maxPages {
		var answer struct {
			Repository *struct {
				PullRequest *struct {
					ReviewThreads *struct {
						PageInfo pageInfo
						Nodes    []*threadNode
					}
				}
			}
		}
		left, err := r.query(ctx, threadsQuery, variables, &answer)
		if err != nil {
			return nil, err
		}
		if answer.Repository == nil || answer.Repository.PullRequest == nil || answer.Repository.PullRequest.ReviewThreads == nil {
			return nil, left.failure("review threads")
		}
		page := answer.Repository.PullRequest.ReviewThreads
		for _, n := range page.Nodes {
			if n == nil || n.ID == "" {
				return nil, left.failure("review thread")
			}
			all = append(all, n.thread())
		}
		if !page.PageInfo.next(variables, "threads") {
			return all, nil
		}
	}
	return nil, incomplete(fmt.Sprintf("a list of more than %d pages", maxPages))
}

func (n *threadNode) thread() ReviewThread {
	t := ReviewThread{
		ID: n.ID, Resolved: n.IsResolved, Outdated: n.IsOutdated, Path: n.Path, Line: n.Line, StartLine: n.StartLine,
		More: n.Comments.PageInfo.HasNextPage,
	}
	if n.ResolvedBy != nil {
		t.ResolvedBy = n.ResolvedBy.Login
	}
	for _, c := range n.Comments.Nodes {
		if c != nil {
			t.Comments = append(t.Comments, ThreadComment{ID: c.DatabaseID, NodeID: c.ID, Author: c.Author.actor(), Body: c.Body, Minimized: c.IsMinimized})
		}
	}
	return t
}

// ResolveThread resolves a conversation; one that is resolved already stays so.
// GitHub wants contents: write for it
// (https://github.com/orgs/community/discussions/44650), which Assay does not
// ask for: it is fault.Unauthorized where that is not granted by other means,
// and the comment can be minimised instead.
func (r *Repository) ResolveThread(ctx context.Context, threadID string) error {
	var answer struct {
		ResolveReviewThread *struct{ Thread *struct{ IsResolved bool } }
	}
	left, err := r.mutate(ctx, resolveMutation, map[string]any{"thread": threadID}, &answer)
	if err == nil {
		switch done := answer.ResolveReviewThread; {
		case done == nil || done.Thread == nil:
			err = left.failure("thread")
		case !done.Thread.IsResolved:
			err = fault.New(fault.Internal, errors.New("GitHub says that it is still open"))
		}
	}
	if err != nil {
		return fmt.Errorf("resolve review thread %s of %s: %w", threadID, r.repo, err)
	}
	return nil
}

// MinimizeComment folds a comment away, for the reason that the classifier
// names. nodeID is GraphQL's name of the comment. WritePulls is enough for
// comments of the app's own.
func (r *Repository) MinimizeComment(ctx context.Context, nodeID, classifier string) error {
	var answer struct {
		MinimizeComment *struct{ MinimizedComment *struct{ IsMinimized bool } }
	}
	left, err := r.mutate(ctx, minimizeMutation, map[string]any{"comment": nodeID, "classifier": classifier}, &answer)
	if err == nil {
		switch done := answer.MinimizeComment; {
		case done == nil || done.MinimizedComment == nil:
			err = left.failure("comment")
		case !done.MinimizedComment.IsMinimized:
			err = fault.New(fault.Internal, errors.New("GitHub says that it is still shown"))
		}
	}
	if err != nil {
		return fmt.Errorf("minimize comment %s of %s: %w", nodeID, r.repo, err)
	}
	return nil
}
