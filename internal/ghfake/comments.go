package ghfake

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Comment is a comment on a pull request as it stands.
type Comment struct {
	ID        int64
	Author    string // a login; "<slug>[bot]" for apps
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
	// Edits is how often the body was changed.
	Edits int
	// Reactions are the reactions to it, oldest first.
	Reactions []Reaction
	// Minimized is why it was folded away, as "OUTDATED"; empty while it is
	// shown.
	Minimized string
}

// Reaction is a reaction to a comment.
type Reaction struct {
	ID        int64
	Author    string
	Content   string // "+1", "eyes", …
	CreatedAt time.Time
}

type comment struct {
	Comment
	pull *PullRequest
	app  *App // that wrote it; nil for people
}

// Comments returns the comments on a pull request, oldest first. Review
// comments are not among them.
func (s *Server) Comments(p *PullRequest) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Comment, 0, len(p.comments))
	for _, m := range p.comments {
		one := m.Comment
		one.Reactions = slices.Clone(one.Reactions)
		out = append(out, one)
	}
	return out
}

// Comment is a person commenting on a pull request; it returns the comment's
// ID. It sends issue_comment.created.
func (s *Server) Comment(p *PullRequest, author, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addComment(p, author, body, nil).ID
}

func (s *Server) addComment(p *PullRequest, author, body string, app *App) *comment {
	m := &comment{pull: p, app: app, Comment: Comment{ID: s.nextID(), Author: author, Body: body, CreatedAt: s.stamp(), UpdatedAt: s.stamp()}}
	p.comments = append(p.comments, m)
	p.updated = s.stamp()
	s.comments[m.ID] = m
	s.emit(Event{Name: "issue_comment", Action: "created", Repo: p.Repo, Pull: p, comment: m, Sender: author})
	return m
}

// EditComment is a person changing a comment, their own or the app's.
func (s *Server) EditComment(id int64, by, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.editComment(s.mustComment(id), by, body)
}

func (s *Server) editComment(m *comment, by, body string) {
	changes := object{"body": object{"from": m.Body}}
	m.Body, m.UpdatedAt = body, s.stamp()
	m.Edits++
	s.emit(Event{
		Name: "issue_comment", Action: "edited", Repo: m.pull.Repo, Pull: m.pull, comment: m, Sender: by,
		extra: object{"changes": changes},
	})
}

// DeleteComment is a person deleting a comment.
func (s *Server) DeleteComment(id int64, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropComment(s.mustComment(id), by)
}

func (s *Server) dropComment(m *comment, by string) {
	delete(s.comments, m.ID)
	m.pull.comments = slices.DeleteFunc(slices.Clone(m.pull.comments), func(o *comment) bool { return o == m })
	s.emit(Event{Name: "issue_comment", Action: "deleted", Repo: m.pull.Repo, Pull: m.pull, comment: m, Sender: by})
}

func (s *Server) mustComment(id int64) *comment {
	m := s.comments[id]
	if m == nil {
		panic(fmt.Sprintf("ghfake: no comment %d", id))
	}
	return m
}

func (s *Server) commentJSON(m *comment) object {
	r := m.pull.Repo
	o := object{
		"id": m.ID, "node_id": nodeID("IC", m.ID), "url": s.api("repos", r.Owner, r.Name, "issues", "comments", m.ID),
		"html_url":  fmt.Sprintf("%s#issuecomment-%d", s.pullPage(m.pull), m.ID),
		"issue_url": s.api("repos", r.Owner, r.Name, "issues", m.pull.Number),
		"user":      s.userJSON(s.user(m.Author)), "body": m.Body, "created_at": m.CreatedAt, "updated_at": m.UpdatedAt,
		"author_association": r.association(m.Author), "performed_via_github_app": nil,
		"reactions": s.rollup(s.api("repos", r.Owner, r.Name, "issues", "comments", m.ID, "reactions"), m.Reactions),
	}
	if m.app != nil {
		o["performed_via_github_app"] = s.appJSON(m.app)
	}
	return o
}

func (s *Server) rollup(url string, reactions []Reaction) object {
	o := object{"url": url, "total_count": len(reactions)}
	for _, content := range []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"} {
		n := 0
		for _, r := range reactions {
			if r.Content == content {
				n++
			}
		}
		o[content] = n
	}
	return o
}

// issueJSON is a pull request seen as an issue, as comment events have it.
func (s *Server) issueJSON(p *PullRequest) object {
	o := s.pullSimpleJSON(p)
	for _, key := range []string{"_links", "head", "base", "diff_url", "patch_url", "commits_url", "review_comment_url", "review_comments_url", "statuses_url", "merge_commit_sha", "merged_at", "requested_reviewers", "requested_teams", "auto_merge", "issue_url"} {
		delete(o, key)
	}
	api, html := s.pullAPI(p), s.pullPage(p)
	o["pull_request"] = object{"url": api, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "merged_at": orNull(p.merged)}
	o["url"] = s.api("repos", p.Repo.Owner, p.Repo.Name, "issues", p.Number)
	o["repository_url"] = s.api("repos", p.Repo.Owner, p.Repo.Name)
	o["comments"] = len(p.comments)
	return o
}

func (s *Server) listComments(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	since, _ := time.Parse(time.RFC3339, c.query("since")) // the description wants a date
	recent := slices.DeleteFunc(slices.Clone(p.comments), func(m *comment) bool { return m.UpdatedAt.Before(since) })
	return paged(c, recent, s.commentJSON), nil
}

// bodyOf reads the text of a comment and holds it to its limits.
func (c *call) bodyOf(refuse refuse) (string, error) {
	var in struct {
		Body string `json:"body"`
	}
	if err := c.decode(&in); err != nil {
		return "", err
	}
	if in.Body == "" {
		return "", c.broken(refuse("Body cannot be blank"))
	}
	return in.Body, c.checkBody(in.Body, refuse)
}

func (s *Server) createComment(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	body, err := c.bodyOf(refuseData("IssueComment"))
	if err != nil {
		return answer{}, err
	}
	return created(s.commentJSON(s.addComment(p, c.caller.app.BotLogin(), body, c.caller.app))), nil
}

// comment is the comment the path names.
func (c *call) comment() (*comment, error) {
	id, err := c.id("comment_id")
	if err != nil {
		return nil, err
	}
	if m := c.s.comments[id]; m != nil && m.pull.Repo == c.repo {
		return m, nil
	}
	return nil, notFound()
}

func (s *Server) getComment(c *call) (answer, error) {
	m, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	return ok(s.commentJSON(m)), nil
}

func (s *Server) updateComment(c *call) (answer, error) {
	m, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	body, err := c.bodyOf(refuseData("IssueComment"))
	if err != nil {
		return answer{}, err
	}
	s.editComment(m, c.caller.app.BotLogin(), body)
	return ok(s.commentJSON(m)), nil
}

func (s *Server) deleteComment(c *call) (answer, error) {
	m, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	s.dropComment(m, c.caller.app.BotLogin())
	return noContent(), nil
}

func (s *Server) listReactions(c *call) (answer, error) {
	m, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	fits := slices.DeleteFunc(slices.Clone(m.Reactions), func(r Reaction) bool {
		return c.query("content") != "" && r.Content != c.query("content")
	})
	return paged(c, fits, s.reactionJSON), nil
}

func (s *Server) reactionJSON(r Reaction) object {
	return object{"id": r.ID, "node_id": nodeID("REA", r.ID), "user": s.userJSON(s.user(r.Author)), "content": r.Content, "created_at": r.CreatedAt}
}

// createReaction adds a reaction; the same one twice is answered 200 with the
// first.
func (s *Server) createReaction(c *call) (answer, error) {
	m, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		Content string `json:"content"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	bot := c.caller.app.BotLogin()
	for _, r := range m.Reactions {
		if r.Author == bot && r.Content == in.Content {
			return ok(s.reactionJSON(r)), nil
		}
	}
	r := Reaction{ID: s.nextID(), Author: bot, Content: in.Content, CreatedAt: s.stamp()}
	m.Reactions = append(slices.Clip(m.Reactions), r)
	return answer{status: http.StatusCreated, body: s.reactionJSON(r)}, nil
}
