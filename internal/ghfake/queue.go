package ghfake

import (
	"fmt"
)

// MergeGroup is a pull request on its way through a merge queue.
type MergeGroup struct {
	Pull *PullRequest
	// HeadRef is the branch that GitHub made for the group, without
	// "refs/heads/"; HeadSHA its commit, on top of BaseSHA of BaseRef.
	HeadRef, HeadSHA string
	BaseRef, BaseSHA string
}

// QueueMerge puts a pull request into the merge queue. It sends
// check_suite.requested and merge_group.checks_requested.
func (s *Server) QueueMerge(p *PullRequest, by string) MergeGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	base := p.Repo.branches[p.BaseRef]
	g := MergeGroup{Pull: p, BaseRef: p.BaseRef, BaseSHA: base}
	g.HeadRef = fmt.Sprintf("gh-readonly-queue/%s/pr-%d-%s", p.BaseRef, p.Number, base)
	g.HeadSHA = s.mergeCommitOf(p, by)
	p.Repo.branches[g.HeadRef] = g.HeadSHA
	s.requestSuites(p.Repo, g.HeadRef, "", g.HeadSHA, by)
	s.emitGroup(g, "checks_requested", by, nil)
	return g
}

// LeaveQueue takes a merge group apart: reason is "merged", "invalidated" or
// "dequeued". It sends merge_group.destroyed.
func (s *Server) LeaveQueue(g MergeGroup, reason, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(g.Pull.Repo.branches, g.HeadRef)
	s.emitGroup(g, "destroyed", by, object{"reason": reason})
}

func (s *Server) emitGroup(g MergeGroup, action, by string, extra object) {
	payload := object{"merge_group": object{
		"head_sha": g.HeadSHA, "head_ref": "refs/heads/" + g.HeadRef, "base_sha": g.BaseSHA, "base_ref": "refs/heads/" + g.BaseRef,
		"head_commit": simpleCommitJSON(g.Pull.Repo.objects.commits[g.HeadSHA]),
	}}
	s.emit(Event{Name: "merge_group", Action: action, Repo: g.Pull.Repo, Sender: by, push: payload, extra: extra})
}

// RunCheck is another app (or this one) reporting a check run that is over, on
// a commit. It returns the run's ID, and sends check_run.created and .completed,
// and check_suite.completed with the last run of the app's suite.
func (s *Server) RunCheck(app *App, repo *Repo, sha, name, conclusion string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repo.objects.commits[sha] == nil {
		panic(fmt.Sprintf("ghfake: %s has no commit %s", repo.FullName(), sha))
	}
	r := s.addRun(app, repo, checkRunInput{Name: &name, HeadSHA: sha, Conclusion: conclusion})
	return r.ID
}

// Status is a commit status.
type Status struct {
	Context string
	// State is "success", "failure", "error" or "pending".
	State string
	URL   string
}

// SetStatus sets a commit status, as services that are no apps do.
func (s *Server) SetStatus(repo *Repo, sha string, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepStatus(commitKey{repo.ID, sha}, status)
}

// keepStatus keeps the latest status of each context.
func (s *Server) keepStatus(at commitKey, status Status) {
	for i, kept := range s.statuses[at] {
		if kept.Context == status.Context {
			s.statuses[at][i] = status
			return
		}
	}
	s.statuses[at] = append(s.statuses[at], status)
}
