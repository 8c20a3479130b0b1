package ghfake

import (
	"fmt"
	"strings"
	"time"
)

// Repo is a repository.
type Repo struct {
	ID          int64
	Owner, Name string
	Private     bool
	// DefaultBranch is "main" unless DefaultBranch was given to AddRepo.
	DefaultBranch string
	// Parent is the repository this one is a fork of; nil when it is none.
	Parent *Repo

	objects    *objects          // shared by all forks of one repository
	branches   map[string]string // branch → commit
	roles      map[string]string // lower-case login → role
	labels     map[string]*label // by lower-case name
	pulls      []*PullRequest    // number n is at n-1
	about      About
	rules      map[string]ruled   // by branch
	protection map[string]Demands // by branch
	created    time.Time
	pushed     time.Time
}

// FullName is "owner/name".
func (r *Repo) FullName() string { return r.Owner + "/" + r.Name }

// RepoOption changes what AddRepo makes.
type RepoOption func(*Repo)

// Private makes the repository private.
func Private() RepoOption { return func(r *Repo) { r.Private = true } }

// DefaultBranch names the default branch.
func DefaultBranch(name string) RepoOption { return func(r *Repo) { r.DefaultBranch = name } }

// AddRepo makes a repository of the name "owner/name" with one commit of files
// on its default branch.
func (s *Server) AddRepo(fullName string, files Files, options ...RepoOption) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.newRepo(fullName)
	r.objects = newObjects()
	for _, option := range options {
		option(r)
	}
	r.branches[r.DefaultBranch] = r.objects.commit(commit{
		tree: r.objects.apply("", files), message: "Initial commit", author: r.Owner, when: s.stamp(),
	})
	return r
}

// Fork makes a fork of a repository under another owner.
func (s *Server) Fork(of *Repo, owner string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(owner)
	r := s.newRepo(owner + "/" + of.Name)
	r.Parent, r.Private, r.DefaultBranch, r.objects = of, of.Private, of.DefaultBranch, of.objects
	for branch, sha := range of.branches {
		r.branches[branch] = sha
	}
	return r
}

func (s *Server) newRepo(fullName string) *Repo {
	owner, name, found := strings.Cut(fullName, "/")
	if !found || owner == "" || name == "" || strings.Contains(name, "/") {
		panic(fmt.Sprintf("ghfake: repository %q is not named owner/name", fullName))
	}
	if s.repos[strings.ToLower(fullName)] != nil {
		panic(fmt.Sprintf("ghfake: repository %s exists already", fullName))
	}
	s.organisation(owner)
	r := &Repo{
		ID: s.nextID(), Owner: owner, Name: name, DefaultBranch: "main",
		branches: map[string]string{}, roles: map[string]string{}, labels: map[string]*label{},
		rules: map[string]ruled{}, protection: map[string]Demands{},
		created: s.stamp(), pushed: s.stamp(),
	}
	s.repos[strings.ToLower(fullName)], s.repoByID[r.ID] = r, r
	return r
}

// DeleteRepo removes a repository: it is not found any more.
func (s *Server) DeleteRepo(r *Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repos, strings.ToLower(r.FullName()))
	delete(s.repoByID, r.ID)
}

func (s *Server) mustRepo(fullName string) *Repo {
	r := s.repos[strings.ToLower(fullName)]
	if r == nil {
		panic(fmt.Sprintf("ghfake: no repository %s", fullName))
	}
	return r
}

// repoLinks are the links of a repository, by the path below its own.
var repoLinks = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}",
}

func (s *Server) repoJSON(r *Repo) object {
	api, html := s.api("repos", r.Owner, r.Name), s.web(r.Owner, r.Name)
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	o := object{
		"id": r.ID, "node_id": nodeID("R", r.ID), "name": r.Name, "full_name": r.FullName(), "owner": s.userJSON(s.user(r.Owner)),
		"private": r.Private, "visibility": visibility, "description": nil, "fork": r.Parent != nil, "url": api, "html_url": html,
		"git_url": "git://" + hostOf(html) + ".git", "ssh_url": "git@" + hostOf(html) + ".git", "clone_url": html + ".git", "svn_url": html,
		"mirror_url": nil, "homepage": nil, "language": nil, "license": nil, "size": 0, "default_branch": r.DefaultBranch,
		"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
		"open_issues": r.openPulls(), "open_issues_count": r.openPulls(), "is_template": false, "topics": []string{},
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"archived": false, "disabled": false, "web_commit_signoff_required": false, "allow_forking": true,
		"created_at": r.created, "updated_at": r.pushed, "pushed_at": r.pushed,
	}
	r.describe(o)
	for name, path := range repoLinks {
		o[name] = api + path
	}
	return o
}

// hostOf is a URL without its scheme.
func hostOf(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	return rest
}

// pull is the pull request of a number; nil when there is none.
func (r *Repo) pull(number int) *PullRequest {
	if number < 1 || number > len(r.pulls) {
		return nil
	}
	return r.pulls[number-1]
}

func (r *Repo) openPulls() int {
	n := 0
	for _, p := range r.pulls {
		if p.state == "open" {
			n++
		}
	}
	return n
}

func (s *Server) getRepo(c *call) (answer, error) {
	o := s.repoJSON(c.repo)
	o["network_count"], o["subscribers_count"] = 0, 0
	if p := c.repo.Parent; p != nil {
		o["parent"], o["source"] = s.repoJSON(p), s.repoJSON(p)
	}
	return ok(o), nil
}
