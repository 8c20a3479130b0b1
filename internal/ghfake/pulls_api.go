package ghfake

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// id reads a number of the path.
func (c *call) id(name string) (int64, error) {
	n, err := strconv.ParseInt(c.params[name], 10, 64)
	if err != nil {
		return 0, notFound()
	}
	return n, nil
}

// pull is the pull request the path names; issues are not modelled apart.
func (c *call) pull() (*PullRequest, error) {
	name := "pull_number"
	if _, isIssue := c.params["issue_number"]; isIssue {
		name = "issue_number"
	}
	n, err := c.id(name)
	if err != nil {
		return nil, err
	}
	if p := c.repo.pull(int(n)); p != nil {
		return p, nil
	}
	return nil, notFound()
}

func (s *Server) getPull(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	if c.accepts("diff") {
		return diffAnswer(p.diff(p.headSHA))
	}
	return ok(s.pullJSON(p)), nil
}

func (s *Server) listPulls(c *call) (answer, error) {
	state := c.query("state")
	setDefault(&state, "open")
	var out []*PullRequest
	for _, p := range c.repo.pulls {
		fits := (state == "all" || p.state == state) &&
			(c.query("base") == "" || c.query("base") == p.BaseRef) &&
			(c.query("head") == "" || strings.EqualFold(c.query("head"), p.Head.Owner+":"+p.HeadRef))
		if fits {
			out = append(out, p)
		}
	}
	byUpdate := c.query("sort") == "updated"
	if byUpdate {
		slices.SortStableFunc(out, func(a, b *PullRequest) int { return a.updated.Compare(b.updated) })
	}
	// Newest first, unless the client sorts otherwise.
	if direction := c.query("direction"); direction == "desc" || direction == "" && (!c.req.URL.Query().Has("sort") || !byUpdate) {
		slices.Reverse(out)
	}
	return paged(c, out, s.pullSimpleJSON), nil
}

func (s *Server) updatePull(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	in := struct {
		Title *string `json:"title"`
		Body  *string `json:"body"`
		State *string `json:"state"`
	}{}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	title, body, bot := p.title, p.body, c.caller.app.BotLogin()
	if in.Title != nil {
		title = *in.Title
	}
	if in.Body != nil {
		if err := c.checkBody(*in.Body, refuseData("PullRequest")); err != nil {
			return answer{}, err
		}
		body = *in.Body
	}
	if title == "" {
		return answer{}, invalid("PullRequest", "title", "missing_field", "")
	}
	if title != p.title || body != p.body {
		s.editPull(p, title, body, bot)
	}
	if in.State != nil && *in.State != p.state {
		p.state = *in.State
		p.closed = s.stamp()
		s.touch(p, map[string]string{"open": "reopened", "closed": "closed"}[p.state], bot, nil)
	}
	return ok(s.pullJSON(p)), nil
}

func (s *Server) listPullFiles(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	files := p.diff(p.headSHA)
	page, header := pageOf(c, files[:min(len(files), maxPullFiles)])
	return answer{status: http.StatusOK, body: s.filesJSON(p.Head, p.headSHA, page), header: header}, nil
}

func (s *Server) listPullCommits(c *call) (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	commits := p.Repo.objects.since(p.baseSHA, p.headSHA)
	return paged(c, commits[:min(len(commits), maxPullCommits)], func(m *commit) object { return s.commitJSON(p.Repo, m) }), nil
}

// listCommitPulls lists the pull requests a commit belongs to: the merged one
// that brought it to the default branch, or the open ones that have it.
func (s *Server) listCommitPulls(c *call) (answer, error) {
	sha := c.repo.resolve(c.params["commit_sha"])
	if sha == "" {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", c.params["commit_sha"])
	}
	var out []*PullRequest
	for _, p := range c.repo.pulls {
		has := slices.ContainsFunc(c.repo.objects.since(p.baseSHA, p.headSHA), func(m *commit) bool { return m.sha == sha })
		if has || p.mergeCommit == sha {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *PullRequest) int { return cmp.Compare(b.Number, a.Number) })
	return paged(c, out, s.pullSimpleJSON), nil
}

// pullSimpleJSON is a pull request as lists have it.
func (s *Server) pullSimpleJSON(p *PullRequest) object {
	api, issue, html := s.pullAPI(p), s.api("repos", p.Repo.Owner, p.Repo.Name, "issues", p.Number), s.pullPage(p)
	statuses := s.api("repos", p.Repo.Owner, p.Repo.Name, "statuses", p.headSHA)
	reviewComment := s.api("repos", p.Repo.Owner, p.Repo.Name) + "/pulls/comments{/number}"
	link := func(href string) object { return object{"href": href} }
	return object{
		"url": api, "id": p.ID, "node_id": nodeID("PR", p.ID), "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"issue_url": issue, "commits_url": api + "/commits", "review_comments_url": api + "/comments", "review_comment_url": reviewComment,
		"comments_url": issue + "/comments", "statuses_url": statuses, "number": p.Number, "state": p.state, "locked": false,
		"title": p.title, "user": s.userJSON(s.user(p.Author)), "body": orNull(p.body), "draft": p.draft,
		"labels": mapped(p.labels, s.labelJSON(p.Repo)), "milestone": nil, "active_lock_reason": nil,
		"created_at": p.created, "updated_at": p.updated, "closed_at": orNull(p.closed), "merged_at": orNull(p.merged),
		"merge_commit_sha": orNull(p.mergeCommit), "assignee": nil, "assignees": []object{}, "requested_reviewers": []object{}, "requested_teams": []object{},
		"head": s.branchJSON(p.Head, p.HeadRef, p.headSHA), "base": s.branchJSON(p.Repo, p.BaseRef, p.baseSHA),
		"_links": object{
			"self": link(api), "html": link(html), "issue": link(issue), "comments": link(issue + "/comments"), "commits": link(api + "/commits"),
			"statuses": link(statuses), "review_comments": link(api + "/comments"), "review_comment": link(reviewComment),
		},
		"author_association": p.Repo.association(p.Author), "auto_merge": nil,
	}
}

// pullJSON is a pull request on its own, and in events.
func (s *Server) pullJSON(p *PullRequest) object {
	o := s.pullSimpleJSON(p)
	files := p.diff(p.headSHA)
	additions, deletions := totals(files)
	o["additions"], o["deletions"], o["changed_files"] = additions, deletions, len(files)
	o["commits"] = len(p.Repo.objects.since(p.baseSHA, p.headSHA))
	o["comments"], o["review_comments"] = len(p.comments), len(s.reviewCommentsOf(p))
	o["merged"], o["merged_by"] = !p.merged.IsZero(), nil
	if p.mergedBy != "" {
		o["merged_by"] = s.userJSON(s.user(p.mergedBy))
	}
	o["mergeable"], o["rebaseable"], o["mergeable_state"] = true, true, "clean"
	o["maintainer_can_modify"] = p.fork()
	return o
}

func (s *Server) pullAPI(p *PullRequest) string {
	return s.api("repos", p.Repo.Owner, p.Repo.Name, "pulls", p.Number)
}

func (s *Server) branchJSON(r *Repo, ref, sha string) object {
	return object{"label": r.Owner + ":" + ref, "ref": ref, "sha": sha, "user": s.userJSON(s.user(r.Owner)), "repo": s.repoJSON(r)}
}

// pullMinimalJSON is a pull request as check runs and suites have it.
func (s *Server) pullMinimalJSON(p *PullRequest) object {
	side := func(r *Repo, ref, sha string) object {
		return object{"ref": ref, "sha": sha, "repo": object{"id": r.ID, "name": r.Name, "url": s.api("repos", r.Owner, r.Name)}}
	}
	return object{
		"id": p.ID, "number": p.Number, "url": s.pullAPI(p),
		"head": side(p.Head, p.HeadRef, p.headSHA), "base": side(p.Repo, p.BaseRef, p.baseSHA),
	}
}
