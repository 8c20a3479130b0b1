package ghfake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestCheckRunThroughClient(t *testing.T) {
	w := newWorld(t)
	c, ctx, head := w.client(), context.Background(), w.pull.HeadSHA()
	made, _, err := c.Checks.CreateCheckRun(ctx, "octo-org", "shop", github.CreateCheckRunOptions{
		Name: "assay / review", HeadSHA: head, ExternalID: github.String("run-1"), Status: github.String("in_progress"),
		DetailsURL: github.String("https://assay.example/runs/1"), StartedAt: &github.Timestamp{Time: w.clock.Now()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if made.GetStatus() != "in_progress" || made.GetApp().GetID() != w.app.ID || len(made.PullRequests) != 1 || made.PullRequests[0].GetNumber() != 1 {
		t.Errorf("made %v", made)
	}
	note := func(from int) []*github.CheckRunAnnotation {
		var out []*github.CheckRunAnnotation
		for i := range 50 {
			out = append(out, &github.CheckRunAnnotation{
				Path: github.String("main.go"), StartLine: github.Int(from + i), EndLine: github.Int(from + i),
				AnnotationLevel: github.String("warning"), Message: github.String("m"),
			})
		}
		return out
	}
	for _, from := range []int{1, 51} {
		_, _, err = c.Checks.UpdateCheckRun(ctx, "octo-org", "shop", made.GetID(), github.UpdateCheckRunOptions{
			Name: "assay / review", Status: github.String("completed"), Conclusion: github.String("failure"),
			Output:  &github.CheckRunOutput{Title: github.String("2 high"), Summary: github.String("…"), Text: github.String("more"), Annotations: note(from)},
			Actions: []*github.CheckRunAction{{Label: "Fix", Description: "Fix it", Identifier: "fix"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	notes, resp, err := c.Checks.ListCheckRunAnnotations(ctx, "octo-org", "shop", made.GetID(), &github.ListOptions{PerPage: 100})
	if err != nil || len(notes) != 100 || resp.NextPage != 0 || notes[50].GetStartLine() != 51 {
		t.Errorf("%d annotations: they are appended, want 100 (%v)", len(notes), err)
	}
	found, _, err := c.Checks.ListCheckRunsForRef(ctx, "octo-org", "shop", "topic", &github.ListCheckRunsOptions{CheckName: github.String("assay / review"), AppID: github.Int64(w.app.ID)})
	if err != nil || found.GetTotal() != 1 || found.CheckRuns[0].GetExternalID() != "run-1" {
		t.Errorf("found %v, %v", found, err)
	}
	got := w.srv.CheckRuns(w.repo, head)[0]
	got.Annotations = got.Annotations[:1]
	want := CheckRun{
		ID: made.GetID(), Name: "assay / review", HeadSHA: head, ExternalID: "run-1", DetailsURL: "https://assay.example/runs/1",
		Status: "completed", Conclusion: "failure", StartedAt: w.clock.Now(), CompletedAt: w.clock.Now(), Title: "2 high", Summary: "…", Text: "more",
		Annotations: []Annotation{{Path: "main.go", StartLine: 1, EndLine: 1, Level: "warning", Message: "m"}},
		Actions:     []Action{{"Fix", "Fix it", "fix"}}, App: w.app.ID, SuiteID: made.GetCheckSuite().GetID(), Updates: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("check run (-want +got):\n%s", diff)
	}
}

func TestCheckRunRefusals(t *testing.T) {
	w := newWorld(t)
	token, head := w.token(""), w.pull.HeadSHA()
	note := func(fields string) string {
		return `"output":{"title":"t","summary":"s","annotations":[{"path":"main.go","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"` + fields + `}]}`
	}
	replace := func(old, now string) string { return strings.Replace(note(""), old, now, 1) }
	many := `"output":{"title":"t","summary":"s","annotations":[` + strings.Repeat(`{"path":"a","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"},`, 50) +
		`{"path":"a","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"}]}`
	action := func(label, description, identifier int) string {
		return fmt.Sprintf(`"actions":[{"label":%q,"description":%q,"identifier":%q}]`, strings.Repeat("l", label), strings.Repeat("d", description), strings.Repeat("i", identifier))
	}
	tests := []struct {
		name, fields, message string
		kind                  ViolationKind
	}{
		{"51 annotations", many, "No more than 50 items are allowed; 51 were supplied.", Malformed},
		{"summary too long", fmt.Sprintf(`"output":{"title":"t","summary":%q}`, strings.Repeat("é", 65_536)), "Only 65535 characters are allowed; 65536 were supplied.", Malformed},
		{"text too long", fmt.Sprintf(`"output":{"title":"t","summary":"s","text":%q}`, strings.Repeat("x", 250_684)), "Only 65535 characters are allowed; 250684 were supplied.", Malformed},
		{"no title", `"output":{"summary":"s"}`, `\"title\" wasn't supplied.`, Malformed},
		{"no summary", `"output":{"title":"t"}`, `\"summary\" wasn't supplied.`, Malformed},
		{"unknown status", `"status":"done"`, "status", Malformed},
		{"unknown conclusion", `"conclusion":"great"`, "conclusion", Malformed},
		{"completed without a conclusion", `"status":"completed"`, `\"conclusion\" wasn't supplied.`, OverLimit},
		{"stale", `"conclusion":"stale"`, "only GitHub can set stale", OverLimit},
		{"bad date", `"started_at":"yesterday"`, "started_at", Malformed},
		{"4 actions", `"actions":[` + strings.Repeat(`{"label":"l","description":"d","identifier":"i"},`, 3) + `{"label":"l","description":"d","identifier":"i"}]`, "No more than 3 items", Malformed},
		{"label too long", action(21, 1, 1), "Only 20 characters", Malformed},
		{"description too long", action(1, 41, 1), "Only 40 characters", Malformed},
		{"identifier too long", action(1, 1, 21), "Only 20 characters", Malformed},
		{"line 0", replace(`"start_line":1`, `"start_line":0`), "start_line must be at least 1", OverLimit},
		{"ends before it starts", replace(`"start_line":1`, `"start_line":2`), "end_line must not be before start_line", OverLimit},
		{"columns over lines", strings.Replace(note(`,"start_column":1,"end_column":2`), `"end_line":1`, `"end_line":2`, 1), "columns may be given only", OverLimit},
		{"columns the wrong way", note(`,"start_column":5,"end_column":2`), "end_column must not be before", OverLimit},
		{"empty message", replace(`"message":"m"`, `"message":""`), "message must not be empty", OverLimit},
		{"message too long", replace(`"message":"m"`, fmt.Sprintf(`"message":%q`, strings.Repeat("x", maxAnnotationMessage+1))), "message is too long", OverLimit},
		{"title too long", note(fmt.Sprintf(`,"title":%q`, strings.Repeat("x", 256))), "title is too long", OverLimit},
		{"details too long", note(fmt.Sprintf(`,"raw_details":%q`, strings.Repeat("x", maxAnnotationDetails+1))), "raw_details is too long", OverLimit},
		{"absolute path", replace(`"path":"main.go"`, `"path":"/main.go"`), "path must be relative", OverLimit},
		{"unknown level", replace(`"notice"`, `"error"`), "annotation_level", Malformed},
	}
	made := w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"whole","head_sha":%q}`, head))
	made.want(t, 201)
	path := fmt.Sprintf("/repos/octo-org/shop/check-runs/%.0f", made.field("id"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"name":"review","head_sha":%q,%s}`, head, tt.fields)
			r := w.do(post, "/repos/octo-org/shop/check-runs", token, body)
			r.want(t, 422, tt.message)
			w.violated(tt.kind)
			if tt.name == "no title" || tt.name == "completed without a conclusion" {
				return // an update may leave the title out; and see below
			}
			w.do(edit, path, token, "{"+tt.fields+"}").want(t, 422, tt.message)
			w.violated(tt.kind)
		})
	}
	w.do(edit, path, token, `{"status":"completed"}`).want(t, 422)
	w.violated(Malformed) // the description itself says so for updates
	w.do(edit, path, token, `{"status":"pending"}`).want(t, 422)
	w.violated(Malformed)
	w.do(post, "/repos/octo-org/shop/check-runs", token, `{"head_sha":"`+head+`"}`).want(t, 422, `\"name\" wasn't supplied.`)
	w.violated(Malformed)
	w.do(post, "/repos/octo-org/shop/check-runs", token, `{"name":"x","head_sha":"`+zeroSHA+`"}`).want(t, 422, "No commit found for SHA")
	if runs := w.srv.CheckRuns(w.repo, head); len(runs) != 1 || runs[0].Updates != 0 {
		t.Errorf("a refused request took effect: %+v", runs)
	}
}

func TestCheckRunOfAnotherApp(t *testing.T) {
	w := newWorld(t)
	other := w.srv.AddApp(App{Slug: "other", Key: testKey()})
	w.srv.Install(other, "octo-org")
	made := w.do(post, "/repos/octo-org/shop/check-runs", w.token(""), fmt.Sprintf(`{"name":"review","head_sha":%q}`, w.pull.HeadSHA()))
	made.want(t, 201)
	first := w.inst
	w.app = other
	for _, inst := range w.srv.installs {
		if inst.App == other {
			w.inst = inst
		}
	}
	w.do(edit, fmt.Sprintf("/repos/octo-org/shop/check-runs/%.0f", made.field("id")), w.token(""), `{"status":"in_progress"}`).want(t, 403, "can only be modified by the GitHub App that created it")
	w.do(get, fmt.Sprintf("/app/installations/%d", first.ID), w.jwt(), "").want(t, 404)
}

func TestCheckRunStates(t *testing.T) {
	w := newWorld(t)
	token, head := w.token(""), w.pull.HeadSHA()
	create := func(name, fields string) string {
		r := w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":%q,"head_sha":%q%s}`, name, head, fields))
		r.want(t, 201)
		return fmt.Sprintf("/repos/octo-org/shop/check-runs/%.0f", r.field("id"))
	}
	suite := func() (status, conclusion any) {
		var list struct {
			Suites []struct{ Status, Conclusion any } `json:"check_suites"`
		}
		if err := json.Unmarshal(w.do(get, "/repos/octo-org/shop/commits/topic/check-suites", token, "").body, &list); err != nil || len(list.Suites) != 1 {
			t.Fatalf("suites %v, %v", list, err)
		}
		return list.Suites[0].Status, list.Suites[0].Conclusion
	}
	expect := func(status string, conclusion any) {
		t.Helper()
		if s, c := suite(); s != status || c != conclusion {
			t.Errorf("suite %v %v, want %s %v", s, c, status, conclusion)
		}
	}
	expect("queued", nil)
	one := create("one", "")
	expect("queued", nil)
	w.do(edit, one, token, `{"status":"in_progress"}`).want(t, 200)
	expect("in_progress", nil)
	// A conclusion completes the run whatever else is said.
	w.do(edit, one, token, `{"conclusion":"success"}`).want(t, 200, `"status":"completed"`, `"completed_at":"2026-03-01T12:00:00Z"`)
	expect("completed", "success")
	two := create("two", `,"conclusion":"neutral"`)
	expect("completed", "neutral")
	w.do(edit, two, token, `{"status":"in_progress"}`).want(t, 200, `"conclusion":null`, `"completed_at":null`)
	expect("in_progress", nil)
	w.do(edit, two, token, `{"status":"completed","conclusion":"failure"}`).want(t, 200)
	expect("completed", "failure")
	// The newest run of a name counts.
	create("two", `,"conclusion":"skipped"`)
	expect("completed", "skipped")

	count := func(query string) float64 {
		r := w.do(get, "/repos/octo-org/shop/commits/"+head+"/check-runs"+query, token, "")
		r.want(t, 200)
		return r.field("total_count").(float64)
	}
	for query, want := range map[string]float64{
		"": 2, "?filter=latest": 2, "?filter=all": 3, "?check_name=two": 1, "?check_name=two&filter=all": 2, "?check_name=none": 0,
		"?status=queued": 0, "?app_id=1": 0, fmt.Sprintf("?app_id=%d", w.app.ID): 2,
	} {
		if got := count(query); got != want {
			t.Errorf("%q finds %v check runs, want %v", query, got, want)
		}
	}
	w.do(get, "/repos/octo-org/shop/commits/topic/check-runs?filter=some", token, "").want(t, 422)
	w.violated(Malformed)
	w.do(get, "/repos/octo-org/shop/commits/topic/check-runs?app_id=x", token, "").want(t, 422)
	w.violated(Malformed)
}

func TestCheckEvents(t *testing.T) {
	hook := newHook(t)
	w := newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	head := w.srv.Push(w.pull, Files{"more.txt": Text("m\n")}, "More")
	token := w.token("")
	made := w.do(post, "/repos/octo-org/shop/check-runs", token, fmt.Sprintf(`{"name":"review","head_sha":%q,"actions":[{"label":"l","description":"d","identifier":"again"}]}`, head))
	made.want(t, 201)
	id := int64(made.field("id").(float64))
	w.do(edit, fmt.Sprintf("/repos/octo-org/shop/check-runs/%d", id), token, `{"conclusion":"success"}`).want(t, 200)
	// What is completed already does not complete again.
	w.do(edit, fmt.Sprintf("/repos/octo-org/shop/check-runs/%d", id), token, `{"output":{"title":"t","summary":"s"}}`).want(t, 200)
	w.srv.RerequestCheckRun(id, "alice")
	w.srv.RerequestCheckSuite(w.app, w.repo, head, "alice")
	w.srv.PressAction(id, "again", "alice")
	w.do(post, fmt.Sprintf("/repos/octo-org/shop/check-runs/%d/rerequest", id), token, "").want(t, 201)
	w.do(post, fmt.Sprintf("/repos/octo-org/shop/check-suites/%d/rerequest", w.srv.CheckRuns(w.repo, head)[0].SuiteID), token, "").want(t, 201)
	flush(t, w.srv)
	got := hook.names()
	want := []string{
		"check_run.completed", "check_run.created", "check_run.requested_action", "check_run.rerequested", "check_run.rerequested",
		"check_suite.completed", "check_suite.requested", "check_suite.rerequested", "check_suite.rerequested", "pull_request.synchronize", "push.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	// GitHub does not touch the run: that is the app's work.
	if run := w.srv.CheckRuns(w.repo, head)[0]; run.Status != "completed" || run.Conclusion != "success" {
		t.Errorf("a re-run changed the check run: %+v", run)
	}
}

func TestCheckSuiteThroughAPI(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	base := w.repo.branches["main"]
	w.do(post, "/repos/octo-org/shop/check-suites", token, fmt.Sprintf(`{"head_sha":%q}`, base)).want(t, 201)
	w.do(post, "/repos/octo-org/shop/check-suites", token, fmt.Sprintf(`{"head_sha":%q}`, base)).want(t, 200)
	w.do(post, "/repos/octo-org/shop/check-suites", token, fmt.Sprintf(`{"head_sha":%q}`, zeroSHA)).want(t, 422)
	w.do(get, "/repos/octo-org/shop/check-suites/1", token, "").want(t, 404)
}

func TestAnnotationTitleIsCountedInCharacters(t *testing.T) {
	if why := (Annotation{Path: "a", StartLine: 1, EndLine: 1, Message: "m", Title: strings.Repeat("é", 255)}).problem(); why != "" {
		t.Error(why)
	}
}

func TestLatestRuns(t *testing.T) {
	run := func(id, app int64, name string) *checkRun {
		return &checkRun{CheckRun: CheckRun{ID: id, App: app, Name: name}}
	}
	var ids []int64
	for _, r := range latestRuns([]*checkRun{run(1, 1, "a"), run(2, 1, "b"), run(3, 1, "a"), run(4, 2, "a")}) {
		ids = append(ids, r.ID)
	}
	if want := []int64{2, 3, 4}; !slices.Equal(ids, want) {
		t.Errorf("latest %v, want %v", ids, want)
	}
}
