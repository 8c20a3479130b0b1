package ghfake

import (
	"net/http"
	"strings"
)

// getCommit answers a commit, or its diff
// (https://docs.github.com/rest/commits/commits#get-a-commit).
func (s *Server) getCommit(c *call) (answer, error) {
	found := c.repo.objects.commits[c.repo.resolve(c.params["ref"])]
	if found == nil {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", c.params["ref"])
	}
	if c.accepts("sha") {
		return rawAnswer("application/vnd.github.sha; charset=utf-8", []byte(found.sha)), nil
	}
	files := c.repo.objects.diff(found.firstParent(), found.sha)
	if c.accepts("diff") {
		return diffAnswer(files)
	}
	o := s.commitJSON(c.repo, found)
	additions, deletions := totals(files)
	o["stats"] = object{"additions": additions, "deletions": deletions, "total": additions + deletions}
	page, header := pageOf(c, files)
	o["files"] = s.filesJSON(c.repo, found.sha, page)
	return answer{status: http.StatusOK, body: o, header: header}, nil
}

func (c *commit) firstParent() string {
	if len(c.parents) == 0 {
		return ""
	}
	return c.parents[0]
}

func (s *Server) commitJSON(r *Repo, c *commit) object {
	api := s.api("repos", r.Owner, r.Name, "commits", c.sha)
	who, account := gitUser(c), s.userJSON(s.user(c.author))
	parents := make([]object, 0, len(c.parents))
	for _, p := range c.parents {
		parents = append(parents, object{"sha": p, "url": s.api("repos", r.Owner, r.Name, "commits", p), "html_url": s.web(r.Owner, r.Name, "commit", p)})
	}
	return object{
		"sha": c.sha, "node_id": "C_" + c.sha, "url": api, "html_url": s.web(r.Owner, r.Name, "commit", c.sha), "comments_url": api + "/comments",
		"author": account, "committer": account, "parents": parents,
		"commit": object{
			"url": s.gitURL(r, "commits", c.sha), "author": who, "committer": who, "message": c.message, "comment_count": 0,
			"tree": object{"sha": c.tree, "url": s.gitURL(r, "trees", c.tree)}, "verification": unsigned(),
		},
	}
}

// simpleCommitJSON is a commit as check suites and push events have it.
func simpleCommitJSON(c *commit) object {
	who := object{"name": c.author, "email": emailOf(c.author)}
	return object{"id": c.sha, "tree_id": c.tree, "message": c.message, "timestamp": c.when, "author": who, "committer": who}
}

// compare answers what one commit has over another, from their merge base
// (https://docs.github.com/rest/commits/commits#compare-two-commits).
func (s *Server) compare(c *call) (answer, error) {
	baseRef, headRef, found := strings.Cut(c.params["basehead"], "...")
	base, head := s.resolveAcross(c.repo, baseRef), s.resolveAcross(c.repo, headRef)
	objects := c.repo.objects
	if !found || base == "" || head == "" {
		return answer{}, notFound()
	}
	mergeBase := objects.mergeBase(base, head)
	if mergeBase == "" {
		return answer{}, problem(http.StatusNotFound, "No common ancestor between %s and %s.", baseRef, headRef)
	}
	files := objects.diff(mergeBase, head)
	if c.accepts("diff") {
		return diffAnswer(files)
	}
	ahead, behind := objects.since(base, head), objects.since(head, base)
	commits, header := pageOf(c, ahead)
	if positive(c.query("page"), 1) > 1 {
		files = nil // they are on the first page only
	}
	web := s.web(c.repo.Owner, c.repo.Name, "compare", baseRef+"..."+headRef)
	return answer{status: http.StatusOK, header: header, body: object{
		"url":      s.api("repos", c.repo.Owner, c.repo.Name, "compare", c.params["basehead"]),
		"html_url": web, "permalink_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
		"base_commit":       s.commitJSON(c.repo, objects.commits[base]),
		"merge_base_commit": s.commitJSON(c.repo, objects.commits[mergeBase]),
		"status":            comparison(len(ahead), len(behind)), "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
		"commits": mapped(commits, func(m *commit) object { return s.commitJSON(c.repo, m) }),
		"files":   s.filesJSON(c.repo, head, files[:min(len(files), maxDiffFiles)]),
	}}, nil
}

func comparison(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	default:
		return "identical"
	}
}

// resolveAcross finds a commit by a ref that may name the owner of a fork, as
// "octocat:topic".
func (s *Server) resolveAcross(r *Repo, ref string) string {
	owner, branch, other := strings.Cut(ref, ":")
	if !other {
		return r.resolve(ref)
	}
	for _, fork := range s.repoByID {
		if fork.objects == r.objects && strings.EqualFold(fork.Owner, owner) {
			return fork.resolve(branch)
		}
	}
	return ""
}

// diffAnswer is a diff as text, or the refusal of one that is too large.
func diffAnswer(files []fileDiff) (answer, error) {
	if why := tooLarge(files); why != "" {
		e := problem(http.StatusNotAcceptable, "%s", why)
		e.errors = []any{object{"resource": "PullRequest", "field": "diff", "code": "too_large"}}
		return answer{}, e
	}
	return rawAnswer("application/vnd.github.v3.diff; charset=utf-8", []byte(gitDiff(files))), nil
}

func totals(files []fileDiff) (additions, deletions int) {
	for _, f := range files {
		additions, deletions = additions+f.additions, deletions+f.deletions
	}
	return additions, deletions
}

// filesJSON is a list of changed files. Past maxDiffLines lines in one answer
// GitHub silently leaves out patches and counts
// (https://github.com/orgs/community/discussions/213491): a reader must not
// take that for an unchanged file.
func (s *Server) filesJSON(r *Repo, head string, files []fileDiff) []object {
	out := make([]object, 0, len(files))
	lines := 0
	for i := range files {
		f := &files[i]
		lines += f.lines
		o := object{
			"sha": f.sha(), "filename": f.path, "status": f.status,
			"additions": f.additions, "deletions": f.deletions, "changes": f.additions + f.deletions,
			"blob_url": s.web(r.Owner, r.Name, "blob", head, f.path), "raw_url": s.web(r.Owner, r.Name, "raw", head, f.path),
			"contents_url": s.api("repos", r.Owner, r.Name, "contents", f.path) + "?ref=" + head,
		}
		if f.oldPath != "" {
			o["previous_filename"] = f.oldPath
		}
		switch {
		case lines > maxDiffLines:
			o["additions"], o["deletions"], o["changes"] = 0, 0, 0
		case f.patch != "":
			o["patch"] = f.patch
		}
		out = append(out, o)
	}
	return out
}
