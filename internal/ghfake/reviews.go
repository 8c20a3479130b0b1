package ghfake

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Review is a review of a pull request as it stands, with its comments.
type Review struct {
	ID     int64
	Author string
	Body   string
	// State is "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED" or
	// "PENDING".
	State       string
	CommitID    string
	SubmittedAt time.Time // zero while pending
	Comments    []ReviewComment
}

// ReviewComment is a comment on lines of the diff.
type ReviewComment struct {
	ID       int64
	ReviewID int64 // 0 for a reply outside any review
	Author   string
	Body     string
	Path     string
	// Line is the last line it is on, StartLine the first of several or 0, both
	// on their side: "LEFT" or "RIGHT". For a whole file all are zero.
	Line, StartLine int
	Side, StartSide string
	CommitID        string
	// InReplyTo is the ID of the comment that began the thread; 0 for itself.
	InReplyTo int64
	CreatedAt time.Time
	UpdatedAt time.Time
	// Outdated says that the line is not in the diff of the head any more.
	Outdated bool
	// Minimized is why it was folded away, as "OUTDATED"; empty while it is
	// shown.
	Minimized string
}

type pullReview struct {
	Review
	pull     *PullRequest
	comments []*reviewComment
}

type reviewComment struct {
	ReviewComment
	pull     *PullRequest
	place    place
	wholly   bool // on a whole file
	original string
	// resolvedBy is who resolved the conversation that it began.
	resolvedBy string
}

// Reviews returns the reviews of a pull request with their comments, oldest
// first. Comments made or answered outside a review are in [Server.ReviewComments].
func (s *Server) Reviews(p *PullRequest) []Review {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Review, 0, len(p.reviews))
	for _, r := range p.reviews {
		one := r.Review
		for _, m := range r.comments {
			one.Comments = append(one.Comments, s.current(m))
		}
		out = append(out, one)
	}
	return out
}

// ReviewComments returns all comments on lines of a pull request, oldest first,
// but for those of pending reviews.
func (s *Server) ReviewComments(p *PullRequest) []ReviewComment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ReviewComment
	for _, m := range s.reviewCommentsOf(p) {
		out = append(out, s.current(m))
	}
	return out
}

// current is a comment with what depends on the head.
func (s *Server) current(m *reviewComment) ReviewComment {
	one := m.ReviewComment
	_, fits := m.now()
	one.Outdated = !fits
	return one
}

// reviewCommentsOf are the visible comments on lines, oldest first.
func (s *Server) reviewCommentsOf(p *PullRequest) []*reviewComment {
	var out []*reviewComment
	for _, r := range p.reviews {
		if r.State != "PENDING" {
			out = append(out, r.comments...)
		}
	}
	slices.SortFunc(out, func(a, b *reviewComment) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// ReplyReview is a person answering in a thread on a line; it returns the
// comment's ID. It sends pull_request_review_comment.created.
func (s *Server) ReplyReview(to int64, author, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	parent := s.reviewed[to]
	if parent == nil {
		panic(fmt.Sprintf("ghfake: no review comment %d", to))
	}
	return s.reply(parent, author, body).ID
}

// reply adds to a thread. As on GitHub, every reply is a review of its own.
func (s *Server) reply(to *reviewComment, author, body string) *reviewComment {
	m := *to
	m.Author, m.Body, m.InReplyTo, m.resolvedBy, m.Minimized = author, body, to.ID, "", ""
	if to.InReplyTo != 0 {
		m.InReplyTo = to.InReplyTo
	}
	r := &pullReview{pull: to.pull, Review: Review{Author: author, State: "COMMENTED", CommitID: to.pull.headSHA}}
	r.comments = []*reviewComment{&m}
	s.addReview(r)
	return &m
}

// addReview gives a review and its comments their IDs and stores them.
func (s *Server) addReview(r *pullReview) {
	now := s.stamp()
	r.ID = s.nextID()
	if r.State != "PENDING" {
		r.SubmittedAt = now
	}
	for _, m := range r.comments {
		m.ID, m.ReviewID, m.Author, m.CreatedAt, m.UpdatedAt = s.nextID(), r.ID, r.Author, now, now
		s.reviewed[m.ID] = m
	}
	r.pull.reviews = append(r.pull.reviews, r)
	if r.State != "PENDING" {
		s.announce(r)
	}
}

// announce sends the events of a review that was submitted.
func (s *Server) announce(r *pullReview) {
	p := r.pull
	p.updated = s.stamp()
	s.emit(Event{Name: "pull_request_review", Action: "submitted", Repo: p.Repo, Pull: p, review: r, Sender: r.Author})
	for _, m := range r.comments {
		s.emit(Event{Name: "pull_request_review_comment", Action: "created", Repo: p.Repo, Pull: p, reviewComment: m, Sender: r.Author})
	}
}

func (s *Server) reviewJSON(r *pullReview) object {
	html, api := fmt.Sprintf("%s#pullrequestreview-%d", s.pullPage(r.pull), r.ID), s.pullAPI(r.pull)
	o := object{
		"id": r.ID, "node_id": nodeID("PRR", r.ID), "user": s.userJSON(s.user(r.Author)), "body": r.Body, "state": r.State,
		"html_url": html, "pull_request_url": api, "commit_id": r.CommitID, "author_association": r.pull.Repo.association(r.Author),
		"_links": object{"html": object{"href": html}, "pull_request": object{"href": api}},
	}
	if !r.SubmittedAt.IsZero() {
		o["submitted_at"] = r.SubmittedAt
	}
	return o
}

// reviewCommentJSON leaves out line and position once the comment is outdated.
// GitHub writes null there, against its own description; clients read both
// alike.
func (s *Server) reviewCommentJSON(m *reviewComment) object {
	p := m.pull
	self := s.api("repos", p.Repo.Owner, p.Repo.Name, "pulls", "comments", m.ID)
	html, api := fmt.Sprintf("%s#discussion_r%d", s.pullPage(p), m.ID), s.pullAPI(p)
	o := object{
		"id": m.ID, "node_id": nodeID("PRRC", m.ID), "url": self, "html_url": html, "pull_request_url": api,
		"pull_request_review_id": orNull(m.ReviewID), "diff_hunk": m.place.hunk, "path": m.Path, "commit_id": m.CommitID,
		"original_commit_id": m.original, "user": s.userJSON(s.user(m.Author)), "body": m.Body,
		"created_at": m.CreatedAt, "updated_at": m.UpdatedAt, "author_association": p.Repo.association(m.Author),
		"_links":       object{"self": object{"href": self}, "html": object{"href": html}, "pull_request": object{"href": api}},
		"subject_type": "line", "reactions": s.rollup(self+"/reactions", nil),
	}
	if m.InReplyTo != 0 {
		o["in_reply_to_id"] = m.InReplyTo
	}
	if m.wholly {
		o["subject_type"] = "file"
		o["position"], o["original_position"] = 1, 1
		return o
	}
	o["side"], o["original_line"], o["original_position"] = m.Side, m.Line, m.place.position
	o["start_line"], o["original_start_line"], o["start_side"] = orNull(m.StartLine), orNull(m.StartLine), orNull(m.StartSide)
	if place, fits := m.now(); fits {
		o["line"], o["position"] = m.Line, place.position
	} else {
		o["start_line"] = nil
	}
	return o
}
