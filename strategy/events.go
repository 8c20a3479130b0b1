package strategy

import (
	"regexp"
	"slices"
	"strings"

	"assay/review"
)

// event is a row of the table of events that a pipeline may name.
type event struct {
	name string
	// what says when it comes.
	what string
	// note says what is done in place of starting the pipeline; empty when the
	// event does start it.
	note string
}

const (
	rerun    = "a re-run starts its pipeline whether or not the event is listed"
	commands = "a comment starts pipelines through commands, as /assay review"
	noReview = "nothing is reviewed on this event"
)

// events is every event a pipeline may be started by, in the order in which
// messages list them. schedule.<name> is added by knownEvent.
var events = []event{
	{name: "pull_request.opened", what: "a pull request is opened"},
	{name: "pull_request.reopened", what: "a closed one is opened again"},
	{name: "pull_request.synchronize", what: "commits are pushed to it"},
	{name: "pull_request.ready_for_review", what: "a draft is marked ready"},
	{name: "pull_request.converted_to_draft", what: "it is made a draft; needs `drafts: true`"},
	{name: "pull_request.edited", what: "its title or its base branch is changed; a change of the description alone starts nothing"},
	{name: "pull_request.labeled", what: "a label is put on"},
	{name: "pull_request.unlabeled", what: "a label is taken off"},
	{name: "pull_request.closed", what: "it is closed or merged"},
	{name: "pull_request_review.submitted", what: "somebody reviews it"},
	{name: "pull_request_review.dismissed", what: "a review is dismissed"},
	{name: "check_suite.requested", what: "GitHub asks for checks of pushed commits"},
	{name: "check_suite.rerequested", note: rerun},
	{name: "check_suite.completed", what: "the checks of another app are all done"},
	{name: "check_run.rerequested", note: rerun},
	{name: "check_run.requested_action", note: "a button starts what it says"},
	{name: "merge_group.checks_requested", what: "a merge queue asks for checks"},
	{name: "push", what: "commits are pushed to the default branch"},
	{name: "issues.opened", what: "an issue is opened"},
	{name: "issue_comment.created", note: commands},
	{name: "installation.created", note: noReview},
	{name: "installation_repositories.added", note: noReview},
	{name: "repository.health_check", what: "the operator asks how the repository is"},
	{name: "schedule.daily", what: "once a day"},
	{name: "schedule.weekly", what: "once a week"},
	{name: "manual.run", what: "somebody starts it by hand"},
}

var scheduleName = regexp.MustCompile(`^schedule\.[a-z0-9][a-z0-9_-]{0,39}$`)

func knownEvent(name string) (event, bool) {
	for _, e := range events {
		if e.name == name {
			return e, true
		}
	}
	if scheduleName.MatchString(name) {
		return event{name: name}, true
	}
	return event{}, false
}

func eventNames() []string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = e.name
	}
	return names
}

// eventActions are the events whose name, without the action, is name.
func eventActions(name string) []string {
	var full []string
	for _, e := range events {
		if strings.HasPrefix(e.name, name+".") {
			full = append(full, e.name)
		}
	}
	return full
}

// asked is what an event asks for.
type asked struct {
	review.Event
	// name is the event's, as "name.action".
	name string
	// only is the one pipeline that is to run again, when rerun is set.
	only  string
	rerun bool
}

func askedBy(ev review.Event) asked {
	a := asked{Event: ev, name: ev.String()}
	if a.name == "check_run.rerequested" && ev.Check != nil {
		a.only, a.rerun = review.PipelineOf(ev.Check.Name)
	}
	return a
}

// starts reports whether the pipeline is asked by the event.
func (a *asked) starts(p *Pipeline) bool {
	switch {
	case a.rerun:
		return p.Name == a.only
	case a.name == "check_run.rerequested":
		return false
	case a.name == "check_suite.rerequested" && a.Pull != nil && a.Pull.Number == 0:
		return listens(p, "push", "merge_group.")
	case a.name == "check_suite.rerequested", a.Retargeted:
		return listens(p, "pull_request.")
	case a.name == "pull_request.edited" && !editsMatter(a.Event):
		// No check either: a skipped one would stand in for the review.
		return false
	case a.inQueue():
		// The checks of pull requests are required in the queue too.
		return listens(p, "pull_request.", a.name)
	default:
		return slices.Contains(p.On, a.name)
	}
}

// idle says why the event does not ask a pipeline that it does not start.
func (a *asked) idle() string {
	switch {
	case a.rerun:
		return "another check is to run again"
	case a.name == "check_run.rerequested":
		return "the check is none of a pipeline"
	case a.name == "pull_request.edited" && !a.Retargeted && !editsMatter(a.Event):
		return "neither the title nor the base branch was edited"
	default:
		return "it does not listen to " + oneLine(a.name)
	}
}

// inQueue reports whether the event asks for the checks of a merge queue.
func (a *asked) inQueue() bool { return a.name == "merge_group.checks_requested" }

// listens reports whether the pipeline listens to an event that begins so.
func listens(p *Pipeline, prefixes ...string) bool {
	for _, on := range p.On {
		for _, prefix := range prefixes {
			if strings.HasPrefix(on, prefix) {
				return true
			}
		}
	}
	return false
}

// editsMatter reports whether the edit is of more than the description. One
// that does not say what it edited counts.
func editsMatter(ev review.Event) bool {
	return len(ev.Edited) == 0 || slices.Contains(ev.Edited, "title") || slices.Contains(ev.Edited, "base")
}
