package webhook

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"assay/internal/fault"
	"assay/review"
)

// example is a payload of @octokit/webhooks-examples; see testdata/NOTICE.
type example struct {
	host, name, action string
	body               []byte
}

func examples(t testing.TB) []example {
	t.Helper()
	all, err := readExamples()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var readExamples = sync.OnceValues(func() ([]example, error) {
	compressed, err := os.ReadFile("testdata/webhooks-examples.json.zst")
	if err != nil {
		return nil, err
	}
	r, err := zstd.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var events []struct {
		Host, Name string
		Examples   []json.RawMessage
	}
	if err := json.NewDecoder(r).Decode(&events); err != nil {
		return nil, err
	}
	var out []example
	for _, e := range events {
		for _, body := range e.Examples {
			var action struct{ Action any }
			if err := json.Unmarshal(body, &action); err != nil {
				return nil, err
			}
			name, _ := action.Action.(string)
			out = append(out, example{host: e.Host, name: e.Name, action: name, body: body})
		}
	}
	return out, nil
})

func pick(t testing.TB, name, action string) []byte {
	t.Helper()
	for _, e := range examples(t) {
		if e.name == name && e.action == action {
			return e.body
		}
	}
	t.Fatalf("no example of %s.%s", name, action)
	return nil
}

func TestParseExamples(t *testing.T) {
	all := examples(t)
	// 329 of api.github.com and 397 of five versions of GitHub Enterprise.
	if len(all) != 726 {
		t.Fatalf("%d examples, want 726", len(all))
	}
	for _, e := range all {
		ev, err := Parse(e.name, e.body)
		if err != nil {
			t.Errorf("%s %s.%s: %v", e.host, e.name, e.action, err)
			continue
		}
		if ev.Name != e.name || ev.Action != e.action {
			t.Errorf("%s %s.%s: read as %s", e.host, e.name, e.action, ev)
		}
		checkAgainst(t, e, ev)
	}
}

// checkAgainst compares an event with the payload read by the standard library
// in the plainest way.
func checkAgainst(t *testing.T, e example, ev review.Event) {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(e.body, &tree); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		var v any = tree
		for _, name := range strings.Split(path, ".") {
			m, _ := v.(map[string]any)
			v = m[name]
		}
		return v
	}
	str := func(path string) string { s, _ := at(path).(string); return s }
	num := func(path string) int64 { n, _ := at(path).(float64); return int64(n) }
	want := map[string][2]any{
		"repository":   {str("repository.owner.login") + "/" + str("repository.name"), ev.Repo.String()},
		"repo id":      {num("repository.id"), ev.Repo.ID},
		"installation": {num("installation.id"), ev.Installation},
		"sender":       {str("sender.login"), ev.Sender.Login},
		"has pull":     {at("pull_request") != nil, ev.Pull != nil},
	}
	if ev.Pull != nil {
		want["number"] = [2]any{num("pull_request.number"), int64(ev.Pull.Number)}
		want["head"] = [2]any{str("pull_request.head.sha"), ev.Pull.HeadSHA}
		want["base"] = [2]any{str("pull_request.base.ref"), ev.Pull.BaseRef}
		want["title"] = [2]any{str("pull_request.title"), ev.Pull.Title}
		want["draft"] = [2]any{at("pull_request.draft") == true, ev.Pull.Draft}
		want["closed"] = [2]any{str("pull_request.state") == "closed", ev.Pull.Closed}
		want["fork"] = [2]any{num("pull_request.head.repo.id") != num("pull_request.base.repo.id"), ev.Pull.Fork}
		want["updated"] = [2]any{str("pull_request.updated_at"), ev.PullUpdatedAt.Format(time.RFC3339)}
	}
	if e.name == "check_run" || e.name == "check_suite" {
		want["check"] = [2]any{num(e.name + ".id"), ev.Check.ID}
		want["check head"] = [2]any{str(e.name + ".head_sha"), ev.Check.HeadSHA}
		want["check app"] = [2]any{num(e.name + ".app.id"), ev.Check.AppID}
		want["button"] = [2]any{str("requested_action.identifier"), ev.Check.RequestedAction}
	}
	for what, pair := range want {
		if pair[0] != pair[1] {
			t.Errorf("%s %s.%s: %s: payload %v, event %v", e.host, e.name, e.action, what, pair[0], pair[1])
		}
	}
}

func TestParse(t *testing.T) {
	const pull = `"repository":{"id":3,"name":"r","owner":{"login":"o"}},"pull_request":{"number":7,"head":{"sha":"h"}`
	const minimal = `{"action":"opened",` + pull + `}}`
	base := review.Event{
		Name: "pull_request", Action: "opened", Repo: review.Repo{ID: 3, Owner: "o", Name: "r"},
		Pull: &review.Pull{Number: 7, HeadSHA: "h", Fork: true},
	}
	with := func(change func(*review.Event)) review.Event {
		ev := base
		p := *base.Pull
		ev.Pull = &p
		change(&ev)
		return ev
	}
	tests := []struct {
		name, body string
		want       review.Event
	}{
		{"minimal", minimal, base},
		{"null objects", `{"installation":null,"sender":null,"check_run":null,` + pull + `,"user":null,"labels":null,"base":null},"action":"opened"}`, base},
		{"objects of other types", `{"installation":5,"sender":"x","check_run":[],` + pull + `,"user":true,"labels":{"a":[]},"base":[1]},"action":"opened"}`, base},
		{"scalars of other types", `{"action":"opened",` + pull + `,"title":5,"body":{"a":1},"draft":"yes","state":[],"updated_at":{}}}`, base},
		{"date in seconds", `{"action":"opened",` + pull + `,"updated_at":1700000000}}`, with(func(e *review.Event) {
			e.PullUpdatedAt = time.Unix(1_700_000_000, 0).UTC()
		})},
		{"date with an offset", `{"action":"opened",` + pull + `,"updated_at":"2020-01-01T01:00:00+01:00"}}`, with(func(e *review.Event) {
			e.PullUpdatedAt = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		})},
		{"dates of no sense", `{"action":"opened","created_at":"yesterday",` + pull + `,"updated_at":"2020-01-01 00:00:00"}}`, base},
		{"date out of range", `{"action":"opened",` + pull + `,"updated_at":9e99}}`, base},
		{"huge numbers", `{"action":"opened","x":1e999999,"installation":{"id":99999999999999999999},"y":-0.1E-9,` + pull + `}}`, base},
		{"duplicate names, the last counts", `{"action":"closed",` + pull + `,"number":8,"number":7},"action":"opened"}`, base},
		{"names differ by case", `{"Action":"closed","ACTION":"closed",` + pull + `},"action":"opened"}`, base},
		{"unknown fields, nested", `{"action":"opened","z":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,` + pull + `}}`, base},
		{"invalid UTF-8", `{"action":"opened",` + pull + ",\"title\":\"a\xffb\"}}", with(func(e *review.Event) { e.Pull.Title = "a\ufffdb" })},
		{"escapes", `{"action":"opened",` + pull + `,"title":"\u0041\ud83d\ude00\u0000\ud800"}}`, with(func(e *review.Event) { e.Pull.Title = "A😀\x00\ufffd" })},
		{"labels", `{"action":"opened",` + pull + `,"labels":[{"name":"a"},null,5,{"name":null},{"name":"b"}]}}`, with(func(e *review.Event) {
			e.Pull.Labels = []string{"a", "", "b"}
		})},
		{"same repository", `{"action":"opened",` + pull + `,"head":{"sha":"h","repo":{"id":3}},"base":{"ref":"main","sha":"b","repo":{"id":3}}}}`, with(func(e *review.Event) {
			e.Pull.Fork, e.Pull.BaseRef, e.Pull.BaseSHA = false, "main", "b"
		})},
		{"fork", `{"action":"opened",` + pull + `,"head":{"sha":"h","repo":{"id":4}},"base":{"repo":{"id":3}}}}`, base},
		{"bot", `{"action":"opened","sender":{"login":"d[bot]","type":"Bot"},` + pull + `,"user":{"login":"d[bot]","type":"Bot"},"state":"closed","draft":true}}`, with(func(e *review.Event) {
			e.Sender = review.Actor{Login: "d[bot]", Bot: true}
			e.Pull.Author, e.Pull.Closed, e.Pull.Draft = e.Sender, true, true
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("pull_request", []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseCheck(t *testing.T) {
	body := `{"action":"rerequested","check_run":{"id":4,"name":"assay / review","external_id":"run-1","head_sha":"h","started_at":"2018-05-04 01:14:52 UTC",
		"app":{"id":9},"pull_requests":[{"number":2},{"number":null},{}],"check_suite":{"id":5,"head_sha":"other"}},
		"repository":{"name":"r","owner":{"login":"o"}}}`
	ev, err := Parse("check_run", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := &review.Check{ID: 4, Name: "assay / review", ExternalID: "run-1", HeadSHA: "h", AppID: 9, Pulls: []int{2}}
	if d := cmp.Diff(want, ev.Check); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	const repo = `"repository":{"name":"r","owner":{"login":"o"}}`
	tests := []struct{ name, event, body string }{
		{"empty", "push", ""},
		{"not JSON", "push", "payload=%7B%7D"},
		{"array", "push", "[]"},
		{"null", "push", "null"},
		{"string", "push", `"x"`},
		{"cut off", "push", `{"a":1`},
		{"more after it", "push", `{} {}`},
		{"NUL after it", "push", "{}\x00"},
		{"nested too deep", "push", `{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}"},
		{"deep and cut off", "push", strings.Repeat(`{"a":`, 1_000_000)},
		{"comment", "push", `{"a":1 /* x */}`},
		{"pull request missing", "pull_request", `{"action":"opened",` + repo + `}`},
		{"pull request null", "pull_request", `{"pull_request":null,` + repo + `}`},
		{"pull request without number", "pull_request", `{"pull_request":{"head":{"sha":"h"}},` + repo + `}`},
		{"pull request without head", "pull_request", `{"pull_request":{"number":1},` + repo + `}`},
		{"repository missing", "pull_request", `{"pull_request":{"number":1,"head":{"sha":"h"}}}`},
		{"check of another kind", "check_run", `{"check_suite":{"id":1,"head_sha":"h"},` + repo + `}`},
		{"check without head", "check_suite", `{"check_suite":{"id":1},` + repo + `}`},
		{"an issue comment's body under another name", "pull_request", string(pick(t, "issue_comment", "created"))},
		{"a pull request's body under another name", "check_run", string(pick(t, "pull_request", "opened"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev, err := Parse(tt.event, []byte(tt.body))
			if err == nil || fault.KindOf(err) != fault.Invalid {
				t.Errorf("event %+v, error %v", ev, err)
			}
		})
	}
}

// FuzzParse holds that whatever the standard library takes for an object is
// read without an error, unless a needed fact is missing, and with what the
// standard library reads.
func FuzzParse(f *testing.F) {
	f.Add("push", []byte(`{"action":"x","repository":{"id":1e400,"name":null}}`))
	f.Add("pull_request", []byte(`{"action":"opened","pull_request":{"number":1,"labels":[{"name":"\ud800"}],"updated_at":-5}}`))
	for _, name := range []string{"pull_request", "check_run", "check_suite", "installation"} {
		for _, e := range examples(f) {
			if e.name == name {
				f.Add(name, e.body)
				break
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		ev, err := Parse(name, body)
		var std map[string]json.RawMessage
		if json.Unmarshal(body, &std) != nil || std == nil {
			return
		}
		if err != nil {
			if missingFact(review.Event{Name: name}) == "" {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var action string
		if json.Unmarshal(std["action"], &action) == nil && ev.Action != action {
			t.Fatalf("%q: action %q, the standard library reads %q", body, ev.Action, action)
		}
	})
}

// The product decodes with encoding/json's second version, because the first
// takes two to three times as long; BenchmarkParseStandard keeps that honest.
func BenchmarkParse(b *testing.B) {
	body := pick(b, "pull_request", "synchronize")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("pull_request", body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseStandard(b *testing.B) {
	type account struct{ Login, Type string }
	type branch struct {
		Ref, SHA string
		Repo     struct{ ID int64 }
	}
	body := pick(b, "pull_request", "synchronize")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var p struct {
			Action       string
			Installation struct{ ID int64 }
			Repository   struct {
				ID      int64
				Name    string
				Owner   account
				Private bool
			}
			Sender      account
			PullRequest struct {
				Number             int
				Title, Body, State string
				Draft              bool
				User               account
				Labels             []struct{ Name string }
				Base, Head         branch
			} `json:"pull_request"`
		}
		if err := json.Unmarshal(body, &p); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseFamilies holds, for each event beyond pull requests' heads, what is
// read of it.
func TestParseFamilies(t *testing.T) {
	const head = `"repository":{"id":3,"name":"r","default_branch":"main","owner":{"login":"o"}},"installation":{"id":5,"account":{"login":"o"}}`
	repo := review.Repo{ID: 3, Owner: "o", Name: "r", DefaultBranch: "main"}
	pull := &review.Pull{Number: 7, HeadSHA: "h", Fork: true}
	updated := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, body string
		want       review.Event
	}{
		{"pull_request", `{"action":"edited","changes":{"base":{},"title":{},"other":{}},"pull_request":{"number":7,"head":{"sha":"h"}}`, review.Event{
			Action: "edited", Pull: pull, Retargeted: true, Edited: []string{"title", "base"},
		}},
		{"pull_request", `{"action":"labeled","label":{"name":"x"},"pull_request":{"number":7,"head":{"sha":"h"}}`, review.Event{Action: "labeled", Pull: pull, Label: "x"}},
		{"pull_request_review", `{"action":"submitted","label":{"name":"x"},"pull_request":{"number":7,"head":{"sha":"h"}}`, review.Event{Action: "submitted", Pull: pull}},
		{"push", `{"ref":"refs/heads/main","before":"a","after":"b"`, review.Event{Commits: &review.Commits{Ref: "refs/heads/main", BaseSHA: "a", HeadSHA: "b"}}},
		{"merge_group", `{"action":"checks_requested","merge_group":{"head_sha":"h","head_ref":"refs/heads/q","base_sha":"b","base_ref":"refs/heads/main"}`, review.Event{
			Action: "checks_requested", Commits: &review.Commits{Ref: "refs/heads/q", BaseRef: "refs/heads/main", BaseSHA: "b", HeadSHA: "h"},
		}},
		{"issues", `{"action":"opened","issue":{"number":4,"title":"T","body":null,"user":{"login":"u"},"labels":[{"name":"bug"}]}`, review.Event{
			Action: "opened", Issue: &review.Issue{Number: 4, Title: "T", Author: review.Actor{Login: "u"}, Labels: []string{"bug"}},
		}},
		{"issue_comment", `{"action":"created","issue":{"number":4,"pull_request":{}},"comment":{"id":9,"body":"B","user":{"login":"u","type":"Bot"}}`, review.Event{
			Action: "created", Comment: &review.PullComment{ID: 9, Body: "B", Author: review.Actor{Login: "u", Bot: true}, Number: 4, OnPull: true},
		}},
		{"issue_comment", `{"action":"created","issue":{"number":4},"comment":{"id":9}`, review.Event{
			Action: "created", Comment: &review.PullComment{ID: 9, Number: 4},
		}},
	}
	for _, tt := range tests {
		got, err := Parse(tt.name, []byte(tt.body+","+head+"}"))
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		tt.want.Name, tt.want.Repo, tt.want.Installation = tt.name, repo, 5
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.body, d)
		}
	}

	for body, want := range map[string]review.Installed{
		`{"action":"created","installation":{"id":5,"account":{"login":"o"},"repository_selection":"all","updated_at":1577836800},"repositories":[
			{"id":1,"name":"a","full_name":"o/a","private":true},{"id":0,"name":"b","full_name":"o/b"},{"id":2,"name":"c"},null]}`: {
			Account: review.Actor{Login: "o"}, All: true, UpdatedAt: updated, Added: []review.Repo{{ID: 1, Owner: "o", Name: "a", Private: true}},
		},
		`{"action":"suspend","installation":{"id":5,"suspended_at":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z"}}`: {UpdatedAt: updated, Suspended: true},
		`{"action":"removed","installation":{"id":5},"repositories_added":[],"repositories_removed":[{"id":1,"name":"a","full_name":"o/a"}]}`: {
			Removed: []review.Repo{{ID: 1, Owner: "o", Name: "a"}},
		},
	} {
		got, err := Parse("installation", []byte(body))
		if err != nil || got.Installation != 5 {
			t.Errorf("%s: installation %d, %v", body, got.Installation, err)
			continue
		}
		if d := cmp.Diff(&want, got.Installed); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}
