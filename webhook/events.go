package webhook

import "assay/review"

// subscription is a row of the table of events that are accepted.
type subscription struct {
	name, action string
	// repeatable is true for requests, which people may honestly repeat with
	// the same body, and false for facts, which happen once: the body of a
	// fact under a new GUID is a replay (the GUID is not signed).
	repeatable bool
}

// subscriptions is every event that Assay acts on. A new row is all it takes to
// have another event accepted; what is then done about it is decided by
// strategy and internal/pipeline.
var subscriptions = []subscription{
	{"pull_request", "opened", false},
	{"pull_request", "reopened", false},
	{"pull_request", "synchronize", false},
	{"pull_request", "ready_for_review", false},
	// Only where the base branch was changed; see wanted.
	{"pull_request", "edited", false},
	{"pull_request", "closed", false},
	{"check_run", "rerequested", true},
	{"check_suite", "rerequested", true},
}

// Subscribed reports whether deliveries of the event are accepted; all others
// are answered as ignored.
func Subscribed(name, action string) bool {
	_, ok := find(name, action)
	return ok
}

// Repeatable reports whether an event may honestly come twice with the same
// body: it is a request, and only its GUID tells it from another. Events that
// state a fact are not, nor are unknown ones.
func Repeatable(name, action string) bool {
	s, _ := find(name, action)
	return s.repeatable
}

func find(name, action string) (subscription, bool) {
	for _, s := range subscriptions {
		if s.name == name && s.action == action {
			return s, true
		}
	}
	return subscription{}, false
}

// wanted reports whether a subscribed event is worth accepting. Titles are
// edited all the time; a new base branch makes another change of the head.
func wanted(ev review.Event) bool {
	return ev.String() != "pull_request.edited" || ev.Retargeted
}

// subscribedName reports whether any action of the event is subscribed to, so
// that the bodies of the other events need not be read at all.
func subscribedName(name string) bool {
	for _, s := range subscriptions {
		if s.name == name {
			return true
		}
	}
	return false
}
