package ghfake

import (
	"encoding/base64"
	"net/http"
	"path"
	"slices"
	"strings"
)

// getContents answers a file or a directory
// (https://docs.github.com/rest/repos/contents#get-repository-content).
func (s *Server) getContents(c *call) (answer, error) {
	ref := c.query("ref")
	setDefault(&ref, c.repo.DefaultBranch)
	sha := c.repo.resolve(ref)
	if sha == "" {
		return answer{}, problem(http.StatusNotFound, "No commit found for the ref %s", ref)
	}
	name := strings.Trim(c.params["path"], "/")
	files := c.repo.objects.files(c.repo.objects.treeOf(sha))
	if l, isFile := files[name]; isFile {
		return s.fileAnswer(c, name, ref, l)
	}
	entries := s.directory(c.repo, name, ref, files)
	if len(entries) == 0 && name != "" {
		return answer{}, notFound()
	}
	if c.accepts("object") {
		refusal := problem(http.StatusUnsupportedMediaType, "The fake does not write application/vnd.github.object")
		s.violate(c, Undescribed, refusal.status, refusal)
		return answer{}, refusal
	}
	return ok(entries), nil
}

func (s *Server) fileAnswer(c *call, name, ref string, l leaf) (answer, error) {
	data := c.repo.objects.blobs[l.sha]
	if len(data) > maxRawFile {
		return answer{}, problem(http.StatusForbidden, "This API returns blobs up to 100 MB in size.")
	}
	if c.accepts("raw") {
		return rawAnswer("application/vnd.github.raw+json; charset=utf-8", []byte(data)), nil
	}
	o := s.entryJSON(c.repo, name, ref, l)
	switch l.mode {
	case ModeSymlink:
		o["target"] = data
	case ModeSubmodule:
		o["submodule_git_url"] = "https://example.com/" + path.Base(name) + ".git"
	default:
		o["encoding"], o["content"] = "base64", lineWrapped(data)
		if len(data) > maxContentsFile {
			// Between 1 and 100 MB the API answers an empty content.
			o["encoding"], o["content"] = "none", ""
		}
	}
	return ok(o), nil
}

// lineWrapped is base64 in lines of 60 characters, as GitHub writes it.
func lineWrapped(data string) string {
	text := base64.StdEncoding.EncodeToString([]byte(data))
	var b strings.Builder
	for ; len(text) > 60; text = text[60:] {
		b.WriteString(text[:60])
		b.WriteByte('\n')
	}
	if text != "" {
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// directory lists what stands directly in a directory.
func (s *Server) directory(r *Repo, dir, ref string, files map[string]leaf) []object {
	prefix := dir + "/"
	if dir == "" {
		prefix = ""
	}
	entries := map[string]leaf{}
	for p, l := range files {
		rest, inside := strings.CutPrefix(p, prefix)
		if !inside {
			continue
		}
		name, _, nested := strings.Cut(rest, "/")
		if nested {
			l = leaf{mode: modeTree, sha: r.objects.subtree(files, prefix+name)}
		}
		entries[prefix+name] = l
	}
	out := make([]object, 0, len(entries))
	for _, p := range sortedKeys(entries) {
		out = append(out, s.entryJSON(r, p, ref, entries[p]))
	}
	return out
}

// subtree is the ID of the tree of a directory.
func (o *objects) subtree(files map[string]leaf, dir string) string {
	below := map[string]leaf{}
	for p, l := range files {
		if rest, inside := strings.CutPrefix(p, dir+"/"); inside {
			below[rest] = l
		}
	}
	return o.tree(below)
}

func (s *Server) entryJSON(r *Repo, name, ref string, l leaf) object {
	kind, gitKind, htmlKind, size := "file", "blobs", "blob", len(r.objects.blobs[l.sha])
	switch l.mode {
	case modeTree:
		kind, gitKind, htmlKind, size = "dir", "trees", "tree", 0
	case ModeSymlink:
		kind = "symlink"
	case ModeSubmodule:
		kind, gitKind = "submodule", "trees"
	}
	self := s.api("repos", r.Owner, r.Name, "contents", name) + "?ref=" + ref
	git := s.api("repos", r.Owner, r.Name, "git", gitKind, l.sha)
	html := s.web(r.Owner, r.Name, htmlKind, ref, name)
	o := object{
		"type": kind, "name": path.Base(name), "path": name, "sha": l.sha, "size": size, "url": self, "git_url": git, "html_url": html,
		"download_url": nil, "_links": object{"self": self, "git": git, "html": html},
	}
	if kind == "file" || kind == "symlink" {
		o["download_url"] = s.web(r.Owner, r.Name, "raw", ref, name)
	}
	return o
}

// resolve finds the commit of a branch, a full ref or a commit ID, abbreviated
// or not; empty when there is none.
func (r *Repo) resolve(ref string) string {
	if sha, isBranch := r.branches[strings.TrimPrefix(strings.TrimPrefix(ref, "refs/"), "heads/")]; isBranch {
		return sha
	}
	if ref == "HEAD" {
		return r.branches[r.DefaultBranch]
	}
	if number, isPull := strings.CutPrefix(strings.TrimPrefix(ref, "refs/"), "pull/"); isPull {
		number, _ = strings.CutSuffix(number, "/head")
		if p := r.pull(positive(number, 0)); p != nil {
			return p.headSHA
		}
	}
	if r.objects.commits[ref] != nil {
		return ref
	}
	const shortest = 7
	if len(ref) >= shortest && len(ref) < 40 {
		for sha := range r.objects.commits {
			if strings.HasPrefix(sha, ref) {
				return sha
			}
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
