package ghfake

import (
	"fmt"
	"slices"
)

// SubmitReview is a person reviewing a pull request. Of in, Author, State
// ("APPROVED", "CHANGES_REQUESTED" or "COMMENTED"), Body and the Body, Path,
// Line, StartLine and Side of the Comments count. It returns the review's ID,
// and sends pull_request_review.submitted and an event for each comment.
func (s *Server) SubmitReview(p *PullRequest, in Review) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains([]string{"APPROVED", "CHANGES_REQUESTED", "COMMENTED"}, in.State) {
		panic(fmt.Sprintf("ghfake: a review cannot be submitted as %q", in.State))
	}
	s.user(in.Author)
	r := &pullReview{pull: p, Review: Review{Author: in.Author, Body: in.Body, State: in.State, CommitID: p.headSHA}}
	for _, m := range in.Comments {
		at := reviewCommentInput{Path: m.Path, Body: m.Body, Line: m.Line, Side: m.Side, StartLine: m.StartLine}
		placed, err := at.placed(p, p.headSHA)
		if err != nil {
			panic(fmt.Sprintf("ghfake: comment on %s:%d: %v", m.Path, m.Line, err))
		}
		r.comments = append(r.comments, placed)
	}
	s.addReview(r)
	return r.ID
}

// ResolveThread is a person resolving the conversation that a review comment
// began. It sends pull_request_review_thread.resolved.
func (s *Server) ResolveThread(root int64, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resolve(s.mustRoot(root), by, by)
}

// ResolvedBy is the login of who resolved the conversation that a review
// comment began; empty while it is open.
func (s *Server) ResolvedBy(root int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustRoot(root).resolvedBy
}

func (s *Server) mustRoot(id int64) *reviewComment {
	m := s.reviewed[id]
	if m == nil || m.InReplyTo != 0 {
		panic(fmt.Sprintf("ghfake: no conversation begins with %d", id))
	}
	return m
}

// resolve sets who resolved a conversation; empty opens it again.
func (s *Server) resolve(root *reviewComment, resolvedBy, sender string) {
	if (root.resolvedBy == "") == (resolvedBy == "") {
		return
	}
	root.resolvedBy = resolvedBy
	action := "resolved"
	if resolvedBy == "" {
		action = "unresolved"
	}
	thread := object{"node_id": nodeID("PRRT", root.ID), "comments": []object{s.reviewCommentJSON(root)}}
	s.emit(Event{
		Name: "pull_request_review_thread", Action: action, Repo: root.pull.Repo, Pull: root.pull, Sender: sender,
		extra: object{"thread": thread, "pull_request": s.pullSimpleJSON(root.pull)},
	})
}

// threadsOf are the comments that begin the conversations of a pull request,
// oldest first.
func (s *Server) threadsOf(p *PullRequest) []*reviewComment {
	return slices.DeleteFunc(s.reviewCommentsOf(p), func(m *reviewComment) bool { return m.InReplyTo != 0 })
}
