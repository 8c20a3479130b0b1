package ghfake

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Event is something that happened, as webhooks tell it. The fields that the
// named event is about must be set, as Pull for "pull_request".
type Event struct {
	// Name and Action are GitHub's, as "pull_request" and "opened".
	Name, Action string
	Repo         *Repo
	Pull         *PullRequest
	// CheckRunID, CommentID and ReviewCommentID name what check_run,
	// issue_comment and pull_request_review_comment are about; CheckSuiteID
	// what check_suite is about.
	CheckRunID, CheckSuiteID, CommentID, ReviewCommentID int64
	// Sender is the login of who did it; "octocat" when empty.
	Sender string

	installation  *Installation
	run           *checkRun
	suite         *checkSuite
	comment       *comment
	review        *pullReview
	reviewComment *reviewComment
	push          object
	extra         object // further fields of the payload
	// only is the one app that gets the event, whether it subscribed or not:
	// requests for checks go to the app concerned
	// (https://docs.github.com/webhooks/webhook-events-and-payloads#check_run).
	only *App
}

// emit sends an event to every app that is to have it.
func (s *Server) emit(e Event) {
	if e.installation != nil {
		s.send(e, e.installation)
		return
	}
	for _, inst := range s.installationsOn(e.Repo) {
		if e.only != nil && e.only != inst.App || e.only == nil && !slices.Contains(inst.App.Events, e.Name) {
			continue
		}
		s.send(e, inst)
	}
}

// send queues the delivery of an event to an installation's app.
func (s *Server) send(e Event, inst *Installation) {
	app := inst.App
	if app.HookURL == "" {
		return
	}
	body, err := s.payload(e, inst)
	if err != nil {
		panic(fmt.Sprintf("ghfake: payload of %s.%s: %v", e.Name, e.Action, err))
	}
	d := &delivery{
		id: s.nextID(), guid: guid(), app: app.ID, event: e.Name, action: e.Action, installation: inst.ID,
		body: body, url: app.HookURL, secret: app.WebhookSecret, hook: app.hookID,
	}
	if e.Repo != nil {
		d.repo = e.Repo.ID
	}
	s.hooks.enqueue(d)
}

// Payload is what an app would be sent for an event, without sending it: for
// load tests, which send for themselves (see [HookRequest]).
func (s *Server) Payload(app *App, e Event) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Repo == nil && e.Pull != nil {
		e.Repo = e.Pull.Repo
	}
	if e.Repo == nil {
		return nil, errors.New("ghfake: the event has no repository")
	}
	if err := s.resolveEvent(&e); err != nil {
		return nil, err
	}
	for _, inst := range s.installationsOn(e.Repo) {
		if inst.App == app {
			return s.payload(e, inst)
		}
	}
	return nil, fmt.Errorf("ghfake: app %d is not installed on %s", app.ID, e.Repo.FullName())
}

// resolveEvent finds what an event's IDs name.
func (s *Server) resolveEvent(e *Event) error {
	e.run, e.suite, e.comment, e.reviewComment = s.runs[e.CheckRunID], s.suites[e.CheckSuiteID], s.comments[e.CommentID], s.reviewed[e.ReviewCommentID]
	missing := map[string]bool{
		"check_run": e.run == nil, "check_suite": e.suite == nil, "issue_comment": e.comment == nil,
		"pull_request_review_comment": e.reviewComment == nil, "pull_request": e.Pull == nil,
	}
	if missing[e.Name] {
		return fmt.Errorf("ghfake: the event %s.%s does not say what it is about", e.Name, e.Action)
	}
	switch {
	case e.comment != nil:
		e.Pull = e.comment.pull
	case e.reviewComment != nil:
		e.Pull = e.reviewComment.pull
	}
	return nil
}

// payload writes an event as GitHub sends it.
func (s *Server) payload(e Event, inst *Installation) ([]byte, error) {
	setDefault(&e.Sender, "octocat")
	o := object{"sender": s.userJSON(s.user(e.Sender)), "installation": object{"id": inst.ID, "node_id": nodeID("I", inst.ID)}}
	if e.Action != "" {
		o["action"] = e.Action
	}
	if e.Repo != nil {
		o["repository"] = s.repoJSON(e.Repo)
		if owner := s.user(e.Repo.Owner); owner.kind == "Organization" {
			o["organization"] = object{"login": owner.login, "id": owner.id, "node_id": nodeID("O", owner.id), "url": s.api("orgs", owner.login)}
		}
	}
	switch e.Name {
	case "installation":
		o["installation"], o["repositories"] = s.installationJSON(inst), s.installedRepos(inst)
	case "pull_request":
		o["number"], o["pull_request"] = e.Pull.Number, s.pullJSON(e.Pull)
	case "check_run":
		run := s.runJSON(e.run)
		run["check_suite"] = s.suiteJSON(e.run.suite)
		o["check_run"] = run
	case "check_suite":
		o["check_suite"] = s.suiteJSON(e.suite)
	case "issue_comment":
		o["issue"], o["comment"] = s.issueJSON(e.Pull), s.commentJSON(e.comment)
	case "pull_request_review":
		review := s.reviewJSON(e.review)
		// Events write the state in lower case, the API in upper case.
		review["state"] = lowerState(e.review.State)
		o["pull_request"], o["review"] = s.pullSimpleJSON(e.Pull), review
	case "pull_request_review_comment":
		o["pull_request"], o["comment"] = s.pullSimpleJSON(e.Pull), s.reviewCommentJSON(e.reviewComment)
	}
	maps.Copy(o, e.push)
	maps.Copy(o, e.extra)
	return json.Marshal(o)
}

func lowerState(state string) string {
	return map[string]string{
		"APPROVED": "approved", "CHANGES_REQUESTED": "changes_requested", "COMMENTED": "commented", "DISMISSED": "dismissed", "PENDING": "pending",
	}[state]
}

func (s *Server) installedRepos(inst *Installation) []object {
	out := []object{}
	for _, name := range sortedKeys(s.repos) {
		if r := s.repos[name]; inst.has(r) {
			out = append(out, repoInEvent(r))
		}
	}
	return out
}

// repoInEvent is a repository as events of installations have it.
func repoInEvent(r *Repo) object {
	return object{"id": r.ID, "node_id": nodeID("R", r.ID), "name": r.Name, "full_name": r.FullName(), "private": r.Private}
}

// zeroSHA stands for a branch that was not there.
const zeroSHA = "0000000000000000000000000000000000000000"

// emitPush sends the push event of a commit.
func (s *Server) emitPush(repo *Repo, branch, before, after, by string) {
	fresh := before == ""
	if fresh {
		before = zeroSHA
	}
	head := simpleCommitJSON(repo.objects.commits[after])
	s.emit(Event{Name: "push", Repo: repo, Sender: by, push: object{
		"ref": "refs/heads/" + branch, "before": before, "after": after, "created": fresh, "deleted": false, "forced": false,
		"base_ref": nil, "compare": s.web(repo.Owner, repo.Name, "compare", before+"..."+after),
		"commits": []object{head}, "head_commit": head, "pusher": object{"name": by, "email": emailOf(by)},
	}})
}
