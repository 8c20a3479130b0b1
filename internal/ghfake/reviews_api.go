package ghfake

import (
	"net/http"
	"slices"
)

// reviewCommentInput is a comment on lines as reviews, and the operation for a
// single one, take it.
type reviewCommentInput struct {
	Path        string `json:"path"`
	Body        string `json:"body"`
	Position    int    `json:"position"`
	Line        int    `json:"line"`
	Side        string `json:"side"`
	StartLine   int    `json:"start_line"`
	StartSide   string `json:"start_side"`
	CommitID    string `json:"commit_id"`
	InReplyTo   int64  `json:"in_reply_to"`
	SubjectType string `json:"subject_type"`
}

// placed puts a comment on the diff of a commit.
func (in *reviewCommentInput) placed(p *PullRequest, commit string) (*reviewComment, error) {
	at := lineSpan{path: in.Path, line: in.Line, side: in.Side, startLine: in.StartLine, startSide: in.StartSide, position: in.Position}
	setDefault(&at.side, "RIGHT")
	if at.startLine > 0 {
		setDefault(&at.startSide, at.side)
	}
	files := p.diff(commit)
	m := &reviewComment{pull: p, original: commit, ReviewComment: ReviewComment{Path: in.Path, Body: in.Body, CommitID: commit}}
	if in.SubjectType == "file" {
		m.wholly = true
		if !slices.ContainsFunc(files, func(f fileDiff) bool { return f.path == in.Path }) {
			return nil, errPath
		}
		return m, nil
	}
	var err error
	if m.place, err = locate(files, &at); err != nil {
		return nil, err
	}
	m.Line, m.Side, m.StartLine, m.StartSide = at.line, at.side, at.startLine, at.startSide
	return m, nil
}

// commitOf checks that a commit belongs to the pull request; none is its head.
func (p *PullRequest) commitOf(sha string) (string, bool) {
	if sha == "" || sha == p.headSHA {
		return p.headSHA, true
	}
	part := slices.ContainsFunc(p.Repo.objects.since(p.baseSHA, p.headSHA), func(m *commit) bool { return m.sha == sha })
	return sha, part
}

// createReview makes a review with its comments: all of them or none
// (https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request).
func (s *Server) createReview(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		CommitID string               `json:"commit_id"`
		Body     string               `json:"body"`
		Event    string               `json:"event"`
		Comments []reviewCommentInput `json:"comments"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	commit, known := p.commitOf(in.CommitID)
	if !known {
		// The client may have lost a race with a push: no rule is broken.
		return answer{}, unprocessable("The commit_id is not part of the pull request")
	}
	if err := c.checkReviewBody(in.Event, in.Body, len(in.Comments)); err != nil {
		return answer{}, err
	}
	r := &pullReview{pull: p, Review: Review{Author: c.caller.app.BotLogin(), Body: in.Body, State: stateAfter(in.Event), CommitID: commit}}
	for i := range in.Comments {
		if err := c.checkBody(in.Comments[i].Body, unprocessable); err != nil {
			return answer{}, err
		}
		m, err := in.Comments[i].placed(p, commit)
		if err != nil {
			return answer{}, c.broken(unprocessable(err.Error()))
		}
		r.comments = append(r.comments, m)
	}
	s.addReview(r)
	return ok(s.reviewJSON(r)), nil
}

func unprocessable(reason string) *apiError {
	e := problem(http.StatusUnprocessableEntity, "Unprocessable Entity")
	e.errors = []any{reason}
	return e
}

// checkReviewBody holds a review to what prose says of its body. A comment
// without one is taken as long as it carries comments, which is what reviewdog
// and others send.
func (c *call) checkReviewBody(event, body string, comments int) error {
	if err := c.checkBody(body, unprocessable); err != nil {
		return err
	}
	if body != "" {
		return nil
	}
	if event == "REQUEST_CHANGES" || event == "COMMENT" && comments == 0 {
		return c.broken(unprocessable("Review body is required for " + event))
	}
	return nil
}

func stateAfter(event string) string {
	switch event {
	case "APPROVE":
		return "APPROVED"
	case "REQUEST_CHANGES":
		return "CHANGES_REQUESTED"
	case "COMMENT":
		return "COMMENTED"
	default:
		return "PENDING"
	}
}

// reviewed is the review the path names.
func (c *call) review() (*pullReview, error) {
	p, err := c.pull()
	if err != nil {
		return nil, err
	}
	id, err := c.id("review_id")
	if err != nil {
		return nil, err
	}
	for _, r := range p.reviews {
		if r.ID == id {
			return r, nil
		}
	}
	return nil, notFound()
}

func (s *Server) listReviews(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	bot := c.caller.app.BotLogin()
	visible := slices.DeleteFunc(slices.Clone(p.reviews), func(r *pullReview) bool { return r.State == "PENDING" && r.Author != bot })
	return paged(c, visible, s.reviewJSON), nil
}

func (s *Server) getReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	return ok(s.reviewJSON(r)), nil
}

func (s *Server) updateReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	body, err := c.bodyOf(unprocessable)
	if err != nil {
		return answer{}, err
	}
	r.Body = body
	s.emit(Event{Name: "pull_request_review", Action: "edited", Repo: r.pull.Repo, Pull: r.pull, review: r, Sender: c.caller.app.BotLogin(), extra: object{"changes": object{}}})
	return ok(s.reviewJSON(r)), nil
}

// deleteReview deletes a pending review; others stay for good.
func (s *Server) deleteReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	if r.State != "PENDING" {
		return answer{}, unprocessable("Can not delete a non-pending pull request review")
	}
	for _, m := range r.comments {
		delete(s.reviewed, m.ID)
	}
	r.pull.reviews = slices.DeleteFunc(slices.Clone(r.pull.reviews), func(o *pullReview) bool { return o == r })
	return ok(s.reviewJSON(r)), nil
}

func (s *Server) submitReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		Body  string `json:"body"`
		Event string `json:"event"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if r.State != "PENDING" {
		return answer{}, unprocessable("Can not submit a review that is not pending")
	}
	setDefault(&in.Body, r.Body)
	if err := c.checkReviewBody(in.Event, in.Body, len(r.comments)); err != nil {
		return answer{}, err
	}
	r.State, r.Body, r.SubmittedAt = stateAfter(in.Event), in.Body, s.stamp()
	s.announce(r)
	return ok(s.reviewJSON(r)), nil
}

func (s *Server) dismissReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	if r.State != "APPROVED" && r.State != "CHANGES_REQUESTED" {
		return answer{}, unprocessable("Can not dismiss a commented pull request review")
	}
	r.State = "DISMISSED"
	s.emit(Event{Name: "pull_request_review", Action: "dismissed", Repo: r.pull.Repo, Pull: r.pull, review: r, Sender: c.caller.app.BotLogin()})
	return ok(s.reviewJSON(r)), nil
}

func (s *Server) listCommentsOfReview(c *call) (answer, error) {
	r, err := c.review()
	if err != nil {
		return answer{}, err
	}
	return paged(c, r.comments, func(m *reviewComment) object {
		o := s.reviewCommentJSON(m)
		// This list alone wants the position, and takes null for it.
		if _, known := o["position"]; !known {
			o["position"] = nil
		}
		return o
	}), nil
}
