package webhook

import (
	"fmt"
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
	case "pull_request":
		if ev.Pull == nil || ev.Pull.Number <= 0 || ev.Pull.HeadSHA == "" {
			return "pull_request with number and head"
		}
	case "check_run", "check_suite":
		if ev.Check == nil || ev.Check.ID <= 0 || ev.Check.HeadSHA == "" {
			return ev.Name + " with id and head_sha"
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
	Installation    object[identified]      `json:"installation"`
	Repository      object[repository]      `json:"repository"`
	Sender          object[account]         `json:"sender"`
	PullRequest     object[pullRequest]     `json:"pull_request"`
	Changes         object[changes]         `json:"changes"`
	CheckRun        object[check]           `json:"check_run"`
	CheckSuite      object[check]           `json:"check_suite"`
	RequestedAction object[requestedAction] `json:"requested_action"`
}

type identified struct {
	ID number `json:"id"`
}

type account struct {
	Login text `json:"login"`
	Type  text `json:"type"`
}

type repository struct {
	ID            number          `json:"id"`
	Name          text            `json:"name"`
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
	Base object[struct{}] `json:"base"`
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
	switch {
	case name == "check_run" && p.CheckRun.present:
		ev.Check = p.CheckRun.value.check()
		ev.Check.RequestedAction = string(p.RequestedAction.value.Identifier)
	case name == "check_suite" && p.CheckSuite.present:
		ev.Check = p.CheckSuite.value.check()
	}
	return ev
}

func (r repository) repo() review.Repo {
	return review.Repo{
		ID: int64(r.ID), Owner: string(r.Owner.value.Login), Name: string(r.Name),
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
		HeadRef: string(head.Ref), HeadSHA: string(head.SHA),
		// A deleted fork is null, and still a fork.
		Fork: !head.Repo.present || head.Repo.value.ID != base.Repo.value.ID,
	}
	for _, l := range p.Labels {
		pull.Labels = append(pull.Labels, string(l.Name))
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
