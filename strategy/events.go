package strategy

import (
	"regexp"
	"strings"
)

// event is a row of the table of events that a pipeline may name.
type event struct {
	name string
	// note says what this version does in place of starting the pipeline;
	// empty when the event does start it.
	note string
}

const (
	later = "this version does not start pipelines on this event yet"
	rerun = "a re-run starts its pipeline whether or not the event is listed"
)

// events is every event a pipeline may be started by, in the order in which
// messages list them. schedule.<name> is added by knownEvent.
var events = []event{
	{name: "pull_request.opened"},
	{name: "pull_request.reopened"},
	{name: "pull_request.synchronize"},
	{name: "pull_request.ready_for_review"},
	{name: "pull_request.converted_to_draft", note: later},
	{name: "pull_request.edited", note: later},
	{name: "pull_request.labeled", note: later},
	{name: "pull_request.unlabeled", note: later},
	{name: "pull_request.closed", note: later},
	{name: "pull_request_review.submitted", note: later},
	{name: "pull_request_review.dismissed", note: later},
	{name: "check_suite.requested", note: later},
	{name: "check_suite.rerequested", note: rerun},
	{name: "check_suite.completed", note: later},
	{name: "check_run.rerequested", note: rerun},
	{name: "check_run.requested_action", note: later},
	{name: "merge_group.checks_requested", note: later},
	{name: "push", note: later},
	{name: "issues.opened", note: later},
	{name: "issue_comment.created", note: later},
	{name: "installation.created", note: later},
	{name: "installation_repositories.added", note: later},
	{name: "repository.health_check", note: later},
	{name: "schedule.daily", note: later},
	{name: "schedule.weekly", note: later},
	{name: "manual.run", note: later},
}

var scheduleName = regexp.MustCompile(`^schedule\.[a-z0-9][a-z0-9_-]{0,39}$`)

func knownEvent(name string) (event, bool) {
	for _, e := range events {
		if e.name == name {
			return e, true
		}
	}
	if scheduleName.MatchString(name) {
		return event{name: name, note: later}, true
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
