package ghfake

import (
	"net/http"
	"strings"
)

// getRef answers one ref (https://docs.github.com/rest/git/refs#get-a-reference).
func (s *Server) getRef(c *call) (answer, error) {
	ref := strings.TrimPrefix(c.params["ref"], "refs/")
	if !strings.HasPrefix(ref, "heads/") && !strings.HasPrefix(ref, "pull/") {
		return answer{}, notFound()
	}
	sha := c.repo.resolve(ref)
	if sha == "" {
		return answer{}, notFound()
	}
	return ok(object{
		"ref": "refs/" + ref, "node_id": "REF_" + sha, "url": s.api("repos", c.repo.Owner, c.repo.Name, "git", "refs", ref),
		"object": object{"type": "commit", "sha": sha, "url": s.gitURL(c.repo, "commits", sha)},
	}), nil
}

func (s *Server) gitURL(r *Repo, kind, sha string) string {
	return s.api("repos", r.Owner, r.Name, "git", kind, sha)
}

func (s *Server) getGitCommit(c *call) (answer, error) {
	found := c.repo.objects.commits[c.params["commit_sha"]]
	if found == nil {
		return answer{}, notFound()
	}
	who := gitUser(found)
	parents := make([]object, 0, len(found.parents))
	for _, p := range found.parents {
		parents = append(parents, object{"sha": p, "url": s.gitURL(c.repo, "commits", p), "html_url": s.web(c.repo.Owner, c.repo.Name, "commit", p)})
	}
	return ok(object{
		"sha": found.sha, "node_id": "C_" + found.sha, "url": s.gitURL(c.repo, "commits", found.sha),
		"html_url": s.web(c.repo.Owner, c.repo.Name, "commit", found.sha), "author": who, "committer": who, "message": found.message,
		"tree": object{"sha": found.tree, "url": s.gitURL(c.repo, "trees", found.tree)}, "parents": parents, "verification": unsigned(),
	}), nil
}

func gitUser(c *commit) object {
	return object{"name": c.author, "email": emailOf(c.author), "date": c.when}
}

func unsigned() object {
	return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

// getTree answers a tree, by its own ID or that of a commit or branch
// (https://docs.github.com/rest/git/trees#get-a-tree).
func (s *Server) getTree(c *call) (answer, error) {
	objects, id := c.repo.objects, c.params["tree_sha"]
	if sha := c.repo.resolve(id); sha != "" {
		id = objects.treeOf(sha)
	}
	if _, known := objects.trees[id]; !known {
		return answer{}, notFound()
	}
	entries := []object{}
	s.walkTree(c, id, "", &entries)
	truncated := len(entries) > maxTreeEntries
	if truncated {
		entries = entries[:maxTreeEntries]
	}
	return ok(object{"sha": id, "url": s.gitURL(c.repo, "trees", id), "tree": entries, "truncated": truncated}), nil
}

func (s *Server) walkTree(c *call, id, prefix string, out *[]object) {
	for _, e := range c.repo.objects.trees[id] {
		o := object{"path": prefix + e.name, "mode": e.mode, "type": e.kind(), "sha": e.sha}
		if e.kind() == "blob" {
			o["size"] = len(c.repo.objects.blobs[e.sha])
		}
		if e.kind() != "commit" {
			o["url"] = s.gitURL(c.repo, e.kind()+"s", e.sha)
		}
		*out = append(*out, o)
		// Any value asks for recursion, "0" and "false" too.
		if e.mode == modeTree && c.req.URL.Query().Has("recursive") {
			s.walkTree(c, e.sha, prefix+e.name+"/", out)
		}
	}
}

func (s *Server) getBlob(c *call) (answer, error) {
	id := c.params["file_sha"]
	data, known := c.repo.objects.blobs[id]
	switch {
	case !known:
		return answer{}, notFound()
	case len(data) > maxBlob:
		return answer{}, problem(http.StatusForbidden, "This API returns blobs up to 100 MB in size.")
	case c.accepts("raw"):
		return rawAnswer("application/vnd.github.raw+json; charset=utf-8", []byte(data)), nil
	}
	return ok(object{
		"sha": id, "node_id": "B_" + id, "size": len(data), "url": s.gitURL(c.repo, "blobs", id),
		"content": lineWrapped(data), "encoding": "base64",
	}), nil
}
