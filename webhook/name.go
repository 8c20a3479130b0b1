package webhook

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// hallmarks are the keys of payloads by which their event can be told, the more
// special first: the payload of a review holds the pull request too.
var hallmarks = []struct {
	name string
	keys []string
}{
	{"pull_request_review", []string{"review", "pull_request"}},
	{"pull_request", []string{"pull_request", "number"}},
	{"issue_comment", []string{"comment", "issue"}},
	{"issues", []string{"issue"}},
	{"deployment_status", []string{"deployment_status"}},
	{"check_run", []string{"check_run"}},
	{"check_suite", []string{"check_suite"}},
	{"merge_group", []string{"merge_group"}},
	{"push", []string{"ref", "before", "after", "commits"}},
	{"installation_repositories", []string{"repositories_added", "repositories_removed"}},
}

// NameOf tells the event that a payload is of, for payloads that come without
// the header that says so; "" where it cannot be told. What comes from GitHub
// says it itself.
func NameOf(body []byte) string {
	var keys map[string]jsontext.Value
	if json.Unmarshal(body, &keys, decoding) != nil {
		return ""
	}
	for _, h := range hallmarks {
		all := true
		for _, key := range h.keys {
			_, there := keys[key]
			all = all && there
		}
		if all {
			return h.name
		}
	}
	return ""
}
