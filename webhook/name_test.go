package webhook

import "testing"

// TestNameOf holds that the event of each recorded payload is told, or that it
// is said that it cannot be, and never taken for another.
func TestNameOf(t *testing.T) {
	told := make(map[string]int)
	for i, e := range examples(t) {
		got := NameOf(e.body)
		if got != "" && got != e.name {
			t.Errorf("example %d, of %s, is told as %q", i, e.name, got)
		}
		told[got]++
	}
	for _, h := range hallmarks {
		if told[h.name] == 0 {
			t.Errorf("no example is told as %s", h.name)
		}
	}
	for _, body := range []string{"", "[]", "null", `{"a": 1}`, `{"pull_request": 1}`} {
		if got := NameOf([]byte(body)); got != "" {
			t.Errorf("%s is told as %q", body, got)
		}
	}
}

// TestOwnEvents holds that the service's own events are read like GitHub's, and
// that nobody can send them.
func TestOwnEvents(t *testing.T) {
	const repo = `"repository": {"id": 5, "name": "n", "owner": {"login": "o"}, "default_branch": "main"}`
	ev, err := Parse("manual", []byte(`{"action": "run", `+repo+`, "asked": {"pull": 3, "ref": "r", "pipeline": "p"}}`))
	if err != nil || ev.Asked == nil || ev.Asked.Number != 3 || ev.Asked.Ref != "r" || ev.Asked.Pipeline != "p" {
		t.Errorf("%+v, %v", ev, err)
	}
	if ev, err := Parse("schedule", []byte(`{"action": "daily", `+repo+`}`)); err != nil || ev.Schedule != "daily" || ev.Asked != nil {
		t.Errorf("%+v, %v", ev, err)
	}
	if ev, err := Parse("repository", []byte(`{"action": "renamed", `+repo+`, "asked": {"pull": 3}}`)); err != nil || ev.Asked != nil {
		t.Errorf("an event of GitHub's asks for something: %+v, %v", ev, err)
	}
	for _, bad := range []string{`{"action": "daily"}`, `{` + repo + `}`} {
		if _, err := Parse("schedule", []byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
	for _, own := range [][2]string{{"schedule", "daily"}, {"manual", "run"}, {"repository", "health_check"}} {
		if Subscribed(own[0], own[1]) {
			t.Errorf("%v is accepted", own)
		}
	}
}
