package webhook

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"assay/internal/fault"
	"assay/review"
)

// decoding takes JSON as real services send it. Invalid UTF-8 becomes U+FFFD;
// of duplicate names the last one counts.
var decoding = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Parse reads the body of a delivery of the named event (X-GitHub-Event) into
// the facts that Assay acts on. Only those are decoded, and of them anything
// that has an unexpected type counts as missing: a date in another format must
// not cost a review. It is an error, fault.Invalid, when the body is not a JSON
// object or lacks what the event is about.
//
// Delivery is left empty: the GUID is not in the body.
func Parse(name string, body []byte) (review.Event, error) {
	var p object[payload]
	if err := json.Unmarshal(body, &p, decoding); err != nil {
		return review.Event{}, fault.New(fault.Invalid, fmt.Errorf("parse payload of %s: %w", name, err))
	}
	if !p.present {
		return review.Event{}, fault.New(fault.Invalid, fmt.Errorf("parse payload of %s: it is not a JSON object", name))
	}
	ev := p.value.event(name)
	if missing := missingFact(ev); missing != "" {
		return review.Event{}, fault.New(fault.Invalid, fmt.Errorf("payload of %s has no %s", name, missing))
	}
	return ev, nil
}

// missingFact names what the event cannot do without. It also catches the body
// of one event sent under the name of another: the name is not signed.
func missingFact(ev review.Event) string {
	switch ev.Name {
	case "pull_request", "pull_request_review":
		if ev.Pull == nil || ev.Pull.Number <= 0 || ev.Pull.HeadSHA == "" {
			return "pull_request with number and head"
		}
	case "check_run", "check_suite":
		if ev.Check == nil || ev.Check.ID <= 0 || ev.Check.HeadSHA == "" {
			return ev.Name + " with id and head_sha"
		}
	case "issue_comment":
		if ev.Comment == nil || ev.Comment.ID <= 0 || ev.Comment.Number <= 0 {
			return "comment with id, on an issue with number"
		}
	case "issues":
		if ev.Issue == nil || ev.Issue.Number <= 0 {
			return "issue with number"
		}
	case "push", "merge_group":
		if ev.Commits == nil || ev.Commits.Ref == "" || ev.Commits.HeadSHA == "" {
			return "commits with ref and head"
		}
	case "installation", "installation_repositories":
		if ev.Installation <= 0 {
			return "installation with id"
		}
		return ""
	case "repository":
		if ev.Repo.ID <= 0 {
			return "repository with id"
		}
	case "schedule", "manual":
		if ev.Repo.ID <= 0 || ev.Action == "" {
			return "repository with id, and action"
		}
	default:
		return ""
	}
	if ev.Repo.Owner == "" || ev.Repo.Name == "" {
		return "repository with owner and name"
	}
	return ""
}

// payload is what is read of GitHub's payloads, in GitHub's words
// (https://docs.github.com/webhooks/webhook-events-and-payloads).
type payload struct {
	Action          text                    `json:"action"`
	Installation    object[installation]    `json:"installation"`
	Repository      object[repository]      `json:"repository"`
	Sender          object[account]         `json:"sender"`
	PullRequest     object[pullRequest]     `json:"pull_request"`
	Changes         object[changes]         `json:"changes"`
	CheckRun        object[check]           `json:"check_run"`
	CheckSuite      object[check]           `json:"check_suite"`
	RequestedAction object[requestedAction] `json:"requested_action"`
	Label           object[label]           `json:"label"`
	Issue           object[issue]           `json:"issue"`
	Comment         object[comment]         `json:"comment"`
	MergeGroup      object[mergeGroup]      `json:"merge_group"`
	Ref             text                    `json:"ref"`
	Before          text                    `json:"before"`
	After           text                    `json:"after"`
	Repositories    list[repository]        `json:"repositories"`
	Added           list[repository]        `json:"repositories_added"`
	Removed         list[repository]        `json:"repositories_removed"`
	// Asked is never of GitHub's: only deliveries that the service makes itself
	// have it, and Handler accepts none of their events.
	Asked object[asked] `json:"asked"`
}

type identified struct {
	ID number `json:"id"`
}

type account struct {
	Login text `json:"login"`
	Type  text `json:"type"`
}

type installation struct {
	ID          number          `json:"id"`
	Account     object[account] `json:"account"`
	Selection   text            `json:"repository_selection"`
	UpdatedAt   date            `json:"updated_at"`
	SuspendedAt date            `json:"suspended_at"`
}

type repository struct {
	ID            number          `json:"id"`
	Name          text            `json:"name"`
	FullName      text            `json:"full_name"`
	Owner         object[account] `json:"owner"`
	DefaultBranch text            `json:"default_branch"`
	Private       flag            `json:"private"`
}

type pullRequest struct {
	Number    number          `json:"number"`
	Title     text            `json:"title"`
	Body      text            `json:"body"`
	State     text            `json:"state"`
	Draft     flag            `json:"draft"`
	User      object[account] `json:"user"`
	Labels    list[label]     `json:"labels"`
	Base      object[branch]  `json:"base"`
	Head      object[branch]  `json:"head"`
	UpdatedAt date            `json:"updated_at"`
}

type changes struct {
	Title object[struct{}] `json:"title"`
	Body  object[struct{}] `json:"body"`
	Base  object[struct{}] `json:"base"`
}

type issue struct {
	Number number          `json:"number"`
	Title  text            `json:"title"`
	Body   text            `json:"body"`
	User   object[account] `json:"user"`
	Labels list[label]     `json:"labels"`
	// Pull is there when the issue is a pull request.
	Pull object[struct{}] `json:"pull_request"`
}

type comment struct {
	ID   number          `json:"id"`
	Body text            `json:"body"`
	User object[account] `json:"user"`
}

type mergeGroup struct {
	HeadRef text `json:"head_ref"`
	HeadSHA text `json:"head_sha"`
	BaseRef text `json:"base_ref"`
	BaseSHA text `json:"base_sha"`
}

type label struct {
	Name text `json:"name"`
}

type branch struct {
	Ref  text               `json:"ref"`
	SHA  text               `json:"sha"`
	Repo object[identified] `json:"repo"`
}

type check struct {
	ID         number             `json:"id"`
	Name       text               `json:"name"`
	ExternalID text               `json:"external_id"`
	HeadSHA    text               `json:"head_sha"`
	App        object[identified] `json:"app"`
	Pulls      list[numbered]     `json:"pull_requests"`
}

type numbered struct {
	Number number `json:"number"`
}

type asked struct {
	Number   number `json:"pull"`
	Ref      text   `json:"ref"`
	Pipeline text   `json:"pipeline"`
}

type requestedAction struct {
	Identifier text `json:"identifier"`
}

func (p payload) event(name string) review.Event {
	ev := review.Event{
		Name:         name,
		Action:       string(p.Action),
		Installation: int64(p.Installation.value.ID),
		Repo:         p.Repository.value.repo(),
		Sender:       p.Sender.value.actor(),
		Retargeted:   p.Changes.value.Base.present,
	}
	if p.PullRequest.present {
		pull := p.PullRequest.value.pull()
		ev.Pull, ev.PullUpdatedAt = &pull, time.Time(p.PullRequest.value.UpdatedAt)
	}
	p.about(&ev)
	return ev
}

// about fills in what the event of the name is about, and nothing that is there
// by chance.
func (p payload) about(ev *review.Event) {
	switch name := ev.Name; {
	case name == "pull_request":
		ev.Edited, ev.Label = p.Changes.value.fields(), string(p.Label.value.Name)
	case name == "check_run" && p.CheckRun.present:
		ev.Check = p.CheckRun.value.check()
		ev.Check.RequestedAction = string(p.RequestedAction.value.Identifier)
	case name == "check_suite" && p.CheckSuite.present:
		ev.Check = p.CheckSuite.value.check()
	case name == "issues" && p.Issue.present:
		ev.Issue = p.Issue.value.issue()
	case name == "issue_comment" && p.Comment.present:
		ev.Comment = p.Comment.value.on(p.Issue.value)
	case name == "push":
		ev.Commits = &review.Commits{Ref: string(p.Ref), BaseSHA: string(p.Before), HeadSHA: string(p.After)}
	case name == "merge_group" && p.MergeGroup.present:
		g := p.MergeGroup.value
		ev.Commits = &review.Commits{Ref: string(g.HeadRef), BaseRef: string(g.BaseRef), BaseSHA: string(g.BaseSHA), HeadSHA: string(g.HeadSHA)}
	case name == "installation" || name == "installation_repositories":
		ev.Installed = p.installed()
	case name == "schedule":
		ev.Schedule = ev.Action
	case ev.String() == "manual.run" || ev.String() == "repository.health_check":
		a := p.Asked.value
		ev.Asked = &review.Asked{Number: int(a.Number), Ref: string(a.Ref), Pipeline: string(a.Pipeline)}
	}
}

func (p payload) installed() *review.Installed {
	in := p.Installation.value
	return &review.Installed{
		Account: in.Account.value.actor(), All: in.Selection == "all", UpdatedAt: time.Time(in.UpdatedAt),
		Suspended: !time.Time(in.SuspendedAt).IsZero(),
		Added:     append(repos(p.Repositories), repos(p.Added)...), Removed: repos(p.Removed),
	}
}

// repos leaves out what has no ID or no name: it could not be worked on.
func repos(list []repository) (out []review.Repo) {
	for _, r := range list {
		if repo := r.repo(); repo.ID > 0 && repo.Owner != "" && repo.Name != "" {
			out = append(out, repo)
		}
	}
	return out
}

func (c changes) fields() (edited []string) {
	for _, f := range []struct {
		name    string
		changed bool
	}{{"title", c.Title.present}, {"body", c.Body.present}, {"base", c.Base.present}} {
		if f.changed {
			edited = append(edited, f.name)
		}
	}
	return edited
}

func (i issue) issue() *review.Issue {
	return &review.Issue{
		Number: int(i.Number), Title: string(i.Title), Body: string(i.Body), Author: i.User.value.actor(), Labels: names(i.Labels),
	}
}

func (c comment) on(i issue) *review.PullComment {
	return &review.PullComment{
		ID: int64(c.ID), Body: string(c.Body), Author: c.User.value.actor(), Number: int(i.Number), OnPull: i.Pull.present,
	}
}

func names(labels []label) (out []string) {
	for _, l := range labels {
		out = append(out, string(l.Name))
	}
	return out
}

// repo reads a repository; where its owner is not given, from its full name.
func (r repository) repo() review.Repo {
	owner := string(r.Owner.value.Login)
	if owner == "" {
		owner, _, _ = strings.Cut(string(r.FullName), "/")
	}
	return review.Repo{
		ID: int64(r.ID), Owner: owner, Name: string(r.Name),
		DefaultBranch: string(r.DefaultBranch), Private: bool(r.Private),
	}
}

func (a account) actor() review.Actor {
	return review.Actor{Login: string(a.Login), Bot: a.Type == "Bot"}
}

func (p pullRequest) pull() review.Pull {
	base, head := p.Base.value, p.Head.value
	pull := review.Pull{
		Number: int(p.Number), Title: string(p.Title), Body: string(p.Body),
		Author: p.User.value.actor(), Draft: bool(p.Draft), Closed: p.State == "closed",
		BaseRef: string(base.Ref), BaseSHA: string(base.SHA),
		HeadRef: string(head.Ref), HeadSHA: string(head.SHA), Labels: names(p.Labels),
		// A deleted fork is null, and still a fork.
		Fork: !head.Repo.present || head.Repo.value.ID != base.Repo.value.ID,
	}
	return pull
}

func (c check) check() *review.Check {
	out := &review.Check{
		ID: int64(c.ID), Name: string(c.Name), ExternalID: string(c.ExternalID),
		HeadSHA: string(c.HeadSHA), AppID: int64(c.App.value.ID),
	}
	for _, p := range c.Pulls {
		if p.Number > 0 {
			out.Pulls = append(out.Pulls, int(p.Number))
		}
	}
	return out
}
