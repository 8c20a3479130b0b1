package ghfake

import (
	"fmt"
	"strings"
	"time"
)

// Pull says how a pull request is opened.
type Pull struct {
	Title, Body string
	// Author is a login; "octocat" when empty.
	Author string
	// Head is the branch the change is on, made from Base when it does not
	// exist; "change-<n>" when empty.
	Head string
	// Base is the branch it is to be merged into; the default branch when empty.
	Base string
	// From is the fork that has Head; nil when it is in the repository itself.
	From   *Repo
	Draft  bool
	Labels []string
	// Message is the message of the first commit; the title when empty.
	Message string
}

// PullRequest is a pull request. Its methods tell how it stands now.
type PullRequest struct {
	ID     int64
	Number int
	Repo   *Repo
	// Head is the repository that has the head branch; Repo unless it is a fork.
	Head             *Repo
	HeadRef, BaseRef string
	Author           string

	server           *Server
	title, body      string
	draft            bool
	state            string // "open" or "closed"
	labels           []*label
	headSHA, baseSHA string
	created, updated time.Time
	closed, merged   time.Time
	mergedBy         string
	mergeCommit      string
	mergeable        string // as SetMergeable has it
	comments         []*comment
	reviews          []*pullReview
}

// HeadSHA is the commit at the head.
func (p *PullRequest) HeadSHA() string {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	return p.headSHA
}

// State is "open", "closed" or "merged".
func (p *PullRequest) State() string {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	if !p.merged.IsZero() {
		return "merged"
	}
	return p.state
}

// URL is the page of the pull request.
func (p *PullRequest) URL() string {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	return p.server.pullPage(p)
}

func (p *PullRequest) fork() bool { return p.Head != p.Repo }

// OpenPull commits files to the head branch, if there are any, and opens a pull
// request. It sends push, check_suite.requested and pull_request.opened.
func (s *Server) OpenPull(repo *Repo, in Pull, files Files) *PullRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	setDefault(&in.Author, "octocat")
	setDefault(&in.Base, repo.DefaultBranch)
	setDefault(&in.Head, fmt.Sprintf("change-%d", len(repo.pulls)+1))
	setDefault(&in.Title, in.Head)
	setDefault(&in.Message, in.Title)
	base, known := repo.branches[in.Base]
	if !known {
		panic(fmt.Sprintf("ghfake: %s has no branch %s", repo.FullName(), in.Base))
	}
	from := repo
	if in.From != nil {
		from = in.From
	}
	if from.objects != repo.objects {
		panic(fmt.Sprintf("ghfake: %s is not a fork of %s", from.FullName(), repo.FullName()))
	}
	s.user(in.Author)
	if len(files) > 0 {
		s.commitTo(from, in.Head, base, in.Message, in.Author, files)
	}
	head, known := from.branches[in.Head]
	if !known || head == base {
		panic(fmt.Sprintf("ghfake: no commits between %s and %s", in.Base, in.Head))
	}
	p := &PullRequest{
		ID: s.nextID(), Number: len(repo.pulls) + 1, Repo: repo, Head: from, HeadRef: in.Head, BaseRef: in.Base, Author: in.Author,
		server: s, title: in.Title, body: in.Body, draft: in.Draft, state: "open",
		headSHA: head, baseSHA: base, created: s.stamp(), updated: s.stamp(),
	}
	for _, name := range in.Labels {
		p.labels = append(p.labels, s.label(repo, name))
	}
	repo.pulls = append(repo.pulls, p)
	s.emit(Event{Name: "pull_request", Action: "opened", Repo: repo, Pull: p, Sender: in.Author})
	return p
}

// Push commits files to the head branch of a pull request, and returns the
// commit. It sends push, check_suite.requested and pull_request.synchronize.
func (s *Server) Push(p *PullRequest, files Files, message string) string {
	return s.Commit(p.Head, p.HeadRef, message, p.Author, files)
}

// ForcePush replaces what a pull request has over its base with one commit of
// files.
func (s *Server) ForcePush(p *PullRequest, files Files, message string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Head.branches[p.HeadRef] = p.Repo.objects.mergeBase(p.baseSHA, p.headSHA)
	return s.pushTo(p.Head, p.HeadRef, "", message, p.Author, files)
}

// Commit commits files to a branch, made from the default branch when it does
// not exist, and returns the commit. Pull requests from the branch are
// synchronized.
func (s *Server) Commit(repo *Repo, branch, message, author string, files Files) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushTo(repo, branch, repo.branches[repo.DefaultBranch], message, author, files)
}

// pushTo commits and tells the open pull requests from the branch.
func (s *Server) pushTo(repo *Repo, branch, from, message, author string, files Files) string {
	sha := s.commitTo(repo, branch, from, message, author, files)
	for _, r := range s.repoByID {
		for _, p := range r.pulls {
			if p.Head != repo || p.HeadRef != branch || p.state != "open" {
				continue
			}
			before := p.headSHA
			p.headSHA, p.baseSHA, p.updated = sha, r.branches[p.BaseRef], s.stamp()
			s.emit(Event{
				Name: "pull_request", Action: "synchronize", Repo: r, Pull: p, Sender: author,
				extra: object{"before": before, "after": sha},
			})
		}
	}
	return sha
}

// commitTo commits to a branch, sends push and asks apps for checks.
func (s *Server) commitTo(repo *Repo, branch, from, message, author string, files Files) string {
	before, exists := repo.branches[branch]
	parent := before
	if !exists {
		parent = from
	}
	sha := repo.objects.commit(commit{
		tree: repo.objects.apply(repo.objects.treeOf(parent), files), parents: []string{parent},
		message: message, author: author, when: s.stamp(),
	})
	repo.branches[branch], repo.pushed = sha, s.stamp()
	s.emitPush(repo, branch, before, sha, author)
	s.requestSuites(repo, branch, before, sha, author)
	return sha
}

// ClosePull closes a pull request, merging it first if merge is set. It sends
// pull_request.closed.
func (s *Server) ClosePull(p *PullRequest, merge bool, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if merge {
		s.merge(p, by)
	}
	p.state, p.closed = "closed", s.stamp()
	s.touch(p, "closed", by, nil)
}

func (s *Server) merge(p *PullRequest, by string) {
	tip := p.Repo.branches[p.BaseRef]
	p.merged, p.mergedBy, p.mergeCommit = s.stamp(), by, s.mergeCommitOf(p, by)
	p.Repo.branches[p.BaseRef] = p.mergeCommit
	s.emitPush(p.Repo, p.BaseRef, tip, p.mergeCommit, by)
	s.requestSuites(p.Repo, p.BaseRef, tip, p.mergeCommit, by)
}

// mergeCommitOf is the commit that merging a pull request would make now.
func (s *Server) mergeCommitOf(p *PullRequest, by string) string {
	objects, tip := p.Repo.objects, p.Repo.branches[p.BaseRef]
	files := Files{}
	for _, d := range objects.diff(objects.mergeBase(tip, p.headSHA), p.headSHA) {
		if d.oldPath != "" {
			files[d.oldPath] = Deleted()
		}
		data := objects.blobs[d.after.sha]
		if d.after.mode == ModeSubmodule {
			data = d.after.sha
		}
		files[d.path] = File{Data: data, Mode: d.after.mode, Deleted: d.status == "removed"}
	}
	return objects.commit(commit{
		tree: objects.apply(objects.treeOf(tip), files), parents: []string{tip, p.headSHA},
		message: fmt.Sprintf("Merge pull request #%d from %s/%s", p.Number, p.Head.Owner, p.HeadRef), author: by, when: s.stamp(),
	})
}

// ReopenPull opens a closed pull request again.
func (s *Server) ReopenPull(p *PullRequest, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.state, p.closed = "open", time.Time{}
	s.touch(p, "reopened", by, nil)
}

// EditPull changes the title and the body.
func (s *Server) EditPull(p *PullRequest, title, body, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.editPull(p, title, body, by)
}

func (s *Server) editPull(p *PullRequest, title, body, by string) {
	changes := object{}
	if title != p.title {
		changes["title"] = object{"from": p.title}
	}
	if body != p.body {
		changes["body"] = object{"from": p.body}
	}
	p.title, p.body = title, body
	s.touch(p, "edited", by, object{"changes": changes})
}

// Retarget changes the base branch, which is an edit in GitHub's eyes.
func (s *Server) Retarget(p *PullRequest, base, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sha, known := p.Repo.branches[base]
	if !known {
		panic(fmt.Sprintf("ghfake: %s has no branch %s", p.Repo.FullName(), base))
	}
	changes := object{"base": object{"ref": object{"from": p.BaseRef}, "sha": object{"from": p.baseSHA}}}
	p.BaseRef, p.baseSHA = base, sha
	s.touch(p, "edited", by, object{"changes": changes})
}

// SetDraft makes a pull request a draft, or ready for review.
func (s *Server) SetDraft(p *PullRequest, draft bool, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.draft = draft
	action := "ready_for_review"
	if draft {
		action = "converted_to_draft"
	}
	s.touch(p, action, by, nil)
}

// touch notes that a pull request changed, and sends the event.
func (s *Server) touch(p *PullRequest, action, by string, extra object) {
	p.updated = s.stamp()
	s.emit(Event{Name: "pull_request", Action: action, Repo: p.Repo, Pull: p, Sender: by, extra: extra})
}

// diff is what the pull request changes at a head: from the merge base, as
// GitHub shows it.
func (p *PullRequest) diff(head string) []fileDiff {
	objects := p.Repo.objects
	return objects.diff(objects.mergeBase(p.baseSHA, head), head)
}

// pullsAt are the open pull requests whose head is a commit. As in GitHub's
// check events, those from forks are left out.
func (r *Repo) pullsAt(sha string) []*PullRequest {
	var out []*PullRequest
	for _, p := range r.pulls {
		if p.headSHA == sha && p.state == "open" && !p.fork() {
			out = append(out, p)
		}
	}
	return out
}

func (s *Server) pullPage(p *PullRequest) string {
	return strings.TrimSuffix(s.web(p.Repo.Owner, p.Repo.Name, "pull", p.Number), "/")
}
