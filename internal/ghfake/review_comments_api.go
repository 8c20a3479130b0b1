package ghfake

import (
	"net/http"
	"slices"
	"time"
)

func (s *Server) listReviewComments(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	since, _ := time.Parse(time.RFC3339, c.query("since")) // the description wants a date
	out := slices.DeleteFunc(s.reviewCommentsOf(p), func(m *reviewComment) bool { return m.UpdatedAt.Before(since) })
	if c.query("sort") != "" && c.query("direction") == "desc" { // direction alone is ignored
		slices.Reverse(out)
	}
	return paged(c, out, s.reviewCommentJSON), nil
}

// createReviewComment makes one comment on lines, in a review of its own
// (https://docs.github.com/rest/pulls/comments#create-a-review-comment-for-a-pull-request).
func (s *Server) createReviewComment(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	var in reviewCommentInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := c.checkBody(in.Body, refuseData("PullRequestReviewComment")); err != nil {
		return answer{}, err
	}
	if in.InReplyTo != 0 {
		return s.replyTo(c, p, in.InReplyTo, in.Body)
	}
	commit, known := p.commitOf(in.CommitID)
	if !known {
		return answer{}, invalid("PullRequestReviewComment", "commit_id", "custom", "commit_id is not part of the pull request")
	}
	m, err := in.placed(p, commit)
	if err != nil {
		field := "pull_request_review_thread.line"
		if err == errPath { //nolint:errorlint // a sentinel of this package, never wrapped
			field = "pull_request_review_thread.path"
		}
		return answer{}, c.broken(invalid("PullRequestReviewComment", field, "custom", field+" must be part of the diff: "+err.Error()))
	}
	r := &pullReview{pull: p, Review: Review{Author: c.caller.app.BotLogin(), State: "COMMENTED", CommitID: commit}, comments: []*reviewComment{m}}
	s.addReview(r)
	return s.createdComment(m), nil
}

func (s *Server) createdComment(m *reviewComment) answer {
	o := s.reviewCommentJSON(m)
	a := created(o)
	a.set("Location", o["url"].(string))
	return a
}

func (s *Server) replyReviewComment(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	id, err := c.id("comment_id")
	if err != nil {
		return answer{}, err
	}
	body, err := c.bodyOf(refuseData("PullRequestReviewComment"))
	if err != nil {
		return answer{}, err
	}
	return s.replyTo(c, p, id, body)
}

func (s *Server) replyTo(c *call, p *PullRequest, id int64, body string) (answer, error) {
	to := s.reviewed[id]
	if to == nil || to.pull != p {
		return answer{}, problem(http.StatusNotFound, "Parent comment not found")
	}
	return s.createdComment(s.reply(to, c.caller.app.BotLogin(), body)), nil
}

// reviewComment is the comment the path names.
func (c *call) reviewComment() (*reviewComment, error) {
	id, err := c.id("comment_id")
	if err != nil {
		return nil, err
	}
	if m := c.s.reviewed[id]; m != nil && m.pull.Repo == c.repo {
		return m, nil
	}
	return nil, notFound()
}

func (s *Server) getReviewComment(c *call) (answer, error) {
	m, err := c.reviewComment()
	if err != nil {
		return answer{}, err
	}
	return ok(s.reviewCommentJSON(m)), nil
}

func (s *Server) updateReviewComment(c *call) (answer, error) {
	m, err := c.reviewComment()
	if err != nil {
		return answer{}, err
	}
	body, err := c.bodyOf(refuseData("PullRequestReviewComment"))
	if err != nil {
		return answer{}, err
	}
	changes := object{"changes": object{"body": object{"from": m.Body}}}
	m.Body, m.UpdatedAt = body, s.stamp()
	s.emit(Event{Name: "pull_request_review_comment", Action: "edited", Repo: m.pull.Repo, Pull: m.pull, reviewComment: m, Sender: c.caller.app.BotLogin(), extra: changes})
	return ok(s.reviewCommentJSON(m)), nil
}

func (s *Server) deleteReviewComment(c *call) (answer, error) {
	m, err := c.reviewComment()
	if err != nil {
		return answer{}, err
	}
	delete(s.reviewed, m.ID)
	for _, r := range m.pull.reviews {
		r.comments = slices.DeleteFunc(slices.Clone(r.comments), func(o *reviewComment) bool { return o == m })
	}
	s.emit(Event{Name: "pull_request_review_comment", Action: "deleted", Repo: m.pull.Repo, Pull: m.pull, reviewComment: m, Sender: c.caller.app.BotLogin()})
	return noContent(), nil
}
