package ghfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

// hook is an app's end of the webhooks.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	received []received
	answer   func(w http.ResponseWriter, r *http.Request)
}

type received struct {
	header http.Header
	body   []byte
}

func newHook(t *testing.T) *hook {
	h := &hook{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.received = append(h.received, received{r.Header, body})
		answer := h.answer
		h.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) all() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.received)
}

func (h *hook) set(answer func(w http.ResponseWriter, r *http.Request)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

// names are the events received, sorted: they arrive in any order.
func (h *hook) names() []string {
	var out []string
	for _, r := range h.all() {
		var body struct{ Action string }
		_ = json.Unmarshal(r.body, &body)
		out = append(out, r.header.Get("X-GitHub-Event")+"."+body.Action)
	}
	slices.Sort(out)
	return out
}

func TestDeliveryIsSignedAndReadable(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	w.srv.EditPull(w.pull, "New title", "Body", "alice")
	flush(t, w.srv)
	got := hook.all()
	if len(got) != 1 {
		t.Fatalf("%d deliveries, want 1", len(got))
	}
	h := got[0].header
	if err := github.ValidateSignature(h.Get("X-Hub-Signature-256"), got[0].body, []byte("s3cret")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"X-GitHub-Delivery", "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-ID", "X-GitHub-Hook-Installation-Target-Type"} {
		if h.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
	if h.Get("Content-Type") != "application/json" || !strings.HasPrefix(h.Get("User-Agent"), "GitHub-Hookshot/") {
		t.Errorf("headers %v", h)
	}
	parsed, err := github.ParseWebHook(h.Get("X-GitHub-Event"), got[0].body)
	if err != nil {
		t.Fatal(err)
	}
	e := parsed.(*github.PullRequestEvent)
	facts := []any{
		e.GetAction(), e.GetNumber(), e.GetPullRequest().GetTitle(), e.GetPullRequest().GetHead().GetSHA(), e.GetPullRequest().GetHead().GetRepo().GetFullName(),
		e.GetRepo().GetFullName(), e.GetRepo().GetOwner().GetLogin(), e.GetInstallation().GetID(), e.GetSender().GetLogin(), e.GetChanges().GetTitle().GetFrom(), e.GetOrganization().GetLogin(),
	}
	want := []any{"edited", 1, "New title", w.pull.HeadSHA(), "octo-org/shop", "octo-org/shop", "octo-org", w.inst.ID, "alice", "Add a line", "octo-org"}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}

// The test vector is GitHub's own.
func TestSign(t *testing.T) {
	want := "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if got := Sign("It's a Secret to Everybody", []byte("Hello, World!")); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestEveryActionSendsItsEvent(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	p, by := w.pull, "alice"
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"open", func() { w.srv.OpenPull(w.repo, Pull{Title: "Two"}, Files{"two": Text("2")}) }, []string{"check_suite.requested", "pull_request.opened", "push."}},
		{"push", func() { w.srv.Push(p, Files{"x": Text("x")}, "x") }, []string{"check_suite.requested", "pull_request.synchronize", "push."}},
		{"close", func() { w.srv.ClosePull(p, false, by) }, []string{"pull_request.closed"}},
		{"reopen", func() { w.srv.ReopenPull(p, by) }, []string{"pull_request.reopened"}},
		{"retarget", func() { w.srv.Retarget(p, "topic", by) }, []string{"pull_request.edited"}},
		{"label", func() { w.srv.Label(p, "bug", by) }, []string{"pull_request.labeled"}},
		{"label again", func() { w.srv.Label(p, "bug", by) }, nil},
		{"unlabel", func() { w.srv.Unlabel(p, "bug", by) }, []string{"pull_request.unlabeled"}},
		{"draft", func() { w.srv.SetDraft(p, true, by) }, []string{"pull_request.converted_to_draft"}},
		{"ready", func() { w.srv.SetDraft(p, false, by) }, []string{"pull_request.ready_for_review"}},
		{"comment", func() {
			id := w.srv.Comment(p, by, "/assay rerun")
			w.srv.EditComment(id, by, "never mind")
			w.srv.DeleteComment(id, by)
		}, []string{"issue_comment.created", "issue_comment.deleted", "issue_comment.edited"}},
		{"suspend", func() { w.srv.Suspend(w.inst, by); w.srv.Comment(p, by, "unheard"); w.srv.Unsuspend(w.inst, by) }, []string{"installation.suspend", "installation.unsuspend"}},
		{"fork push", func() {
			fork := w.srv.Fork(w.repo, "mallory")
			w.srv.OpenPull(w.repo, Pull{Title: "Fork", From: fork, Author: "mallory"}, Files{"f": Text("f")})
		}, []string{"pull_request.opened"}},
		{"uninstall", func() { w.srv.Uninstall(w.inst, by); w.srv.Comment(p, by, "unheard") }, []string{"installation.deleted"}},
	}
	seen := 0
	for _, step := range steps {
		step.do()
		flush(t, w.srv)
		var got []string
		for _, r := range hook.all()[seen:] {
			var body struct{ Action string }
			if err := json.Unmarshal(r.body, &body); err != nil {
				t.Fatal(err)
			}
			name := r.header.Get("X-GitHub-Event")
			if _, err := github.ParseWebHook(name, r.body); err != nil {
				t.Errorf("%s: %s cannot be read: %v", step.name, name, err)
			}
			got = append(got, name+"."+body.Action)
		}
		slices.Sort(got)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		seen = len(hook.all())
	}
}

func TestSubscriptions(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	quiet := w.srv.AddApp(App{Slug: "quiet", Key: testKey(), HookURL: hook.URL, Events: []string{}, Permissions: map[string]string{"checks": "write"}})
	w.srv.Install(quiet, "octo-org")
	w.srv.Push(w.pull, Files{"x": Text("x")}, "x")
	flush(t, w.srv)
	// An app that writes checks is asked for them without subscribing.
	if diff := cmp.Diff([]string{"check_suite.requested", "installation.created"}, hook.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if h := hook.all()[0].header.Get("X-Hub-Signature-256"); h != "" {
		t.Errorf("signature %q without a secret", h)
	}
}

func TestFailedDeliveriesAreRedelivered(t *testing.T) {
	hook, w := newHook(t), newWorld(t, func(c *Config) { c.HookConcurrency = 1 })
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	hook.set(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "later", http.StatusServiceUnavailable) })
	w.srv.Comment(w.pull, "alice", "one")
	flush(t, w.srv)
	hook.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	w.srv.Comment(w.pull, "alice", "two")
	flush(t, w.srv)

	failed := w.do(get, "/app/hook/deliveries?status=failure", w.jwt(), "").list(t)
	if len(failed) != 1 || failed[0]["status"] != "Invalid HTTP Response: 503" || failed[0]["status_code"] != 503.0 || failed[0]["event"] != "issue_comment" {
		t.Fatalf("failed deliveries %v", failed)
	}
	if ok := w.do(get, "/app/hook/deliveries?status=success", w.jwt(), "").list(t); len(ok) != 1 || ok[0]["status"] != "OK" || ok[0]["status_code"] != 202.0 {
		t.Fatalf("deliveries that came through %v", ok)
	}
	path := fmt.Sprintf("/app/hook/deliveries/%.0f", failed[0]["id"])
	w.do(get, path, w.jwt(), "").want(t, 200, `"X-Hub-Signature-256":"sha256=`, `"payload":{"action":"created"`, `"payload":"later\n"`)
	w.do(post, path+"/attempts", w.jwt(), "").want(t, 202)
	flush(t, w.srv)
	all := w.srv.Deliveries()
	if len(all) != 3 || !all[2].Redelivery || all[2].GUID != all[0].GUID || all[2].ID == all[0].ID || all[2].Status != "OK" || !bytes.Equal(all[2].Payload, all[0].Payload) {
		t.Errorf("deliveries %+v", all)
	}
	if got := hook.all(); len(got) != 3 || got[2].header.Get("X-GitHub-Delivery") != got[0].header.Get("X-GitHub-Delivery") {
		t.Error("the redelivery has another GUID")
	}
	w.do(get, "/app/hook/deliveries/1", w.jwt(), "").want(t, 404)
	w.do(post, "/app/hook/deliveries/1/attempts", w.jwt(), "").want(t, 404)
	w.do(get, "/app/hook/deliveries?status=odd", w.jwt(), "").want(t, 422)
	w.violated(Malformed)
}

func TestDeliveriesArePaged(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	for i := range 7 {
		w.srv.Comment(w.pull, "alice", fmt.Sprint(i))
	}
	flush(t, w.srv)
	client, _ := github.NewClient(nil).WithAuthToken(w.jwt()).WithEnterpriseURLs(w.http.URL, w.http.URL)
	opts, seen := &github.ListCursorOptions{PerPage: 3}, map[int64]bool{}
	pages := 0
	for {
		list, resp, err := client.Apps.ListHookDeliveries(context.Background(), opts)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, d := range list {
			seen[d.GetID()] = true
		}
		if resp.Cursor == "" {
			break
		}
		opts.Cursor = resp.Cursor
	}
	if len(seen) != 7 || pages != 3 {
		t.Errorf("%d deliveries on %d pages, want 7 on 3", len(seen), pages)
	}
	w.do(get, "/app/hook/deliveries?cursor=7", w.jwt(), "").want(t, 422, "cursor is invalid")
}

func TestDeliveryFailures(t *testing.T) {
	hook := newHook(t)
	release := make(chan struct{})
	defer close(release)
	hook.set(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	w := newWorld(t, func(c *Config) { c.HookTimeout = 50 * time.Millisecond })
	w.srv.SetHook(w.app, hook.URL, "")
	w.srv.Comment(w.pull, "alice", "slow")
	flush(t, w.srv)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	w.srv.SetHook(w.app, nobody.URL, "")
	w.srv.Comment(w.pull, "alice", "unheard")
	flush(t, w.srv)
	hook.set(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	w.srv.SetHook(w.app, hook.URL, "")
	w.srv.Comment(w.pull, "alice", "moved")
	flush(t, w.srv)
	var got []string
	for _, d := range w.srv.Deliveries() {
		got = append(got, fmt.Sprintf("%s %d", d.Status, d.StatusCode))
	}
	want := []string{"timed out 504", "failed to connect to host 502", "Invalid HTTP Response: 302 302"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func TestDeliverAnything(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	id := w.srv.Deliver(w.app, "star", []byte(`[not even an object`))
	flush(t, w.srv)
	got := hook.all()
	if len(got) != 1 || got[0].header.Get("X-GitHub-Delivery") != id || string(got[0].body) != `[not even an object` {
		t.Errorf("received %v", got)
	}
	d := w.srv.Deliveries()[0]
	w.do(get, fmt.Sprintf("/app/hook/deliveries/%d", d.ID), w.jwt(), "").want(t, 200, `"payload":null`)
	if err := w.srv.Redeliver(d.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.srv.Redeliver(1); err == nil {
		t.Error("no error for an unknown delivery")
	}
	flush(t, w.srv)
	if n := len(hook.all()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestPayloadWithoutSending(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	payload, err := w.srv.Payload(w.app, Event{Name: "pull_request", Action: "opened", Pull: w.pull, Sender: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	flush(t, w.srv)
	if len(hook.all()) != 0 {
		t.Error("it was sent")
	}
	req, err := HookRequest(context.Background(), w.app, "pull_request", "", payload)
	if err != nil {
		t.Fatal(err)
	}
	body, err := github.ValidatePayload(req, []byte("s3cret"))
	if err != nil || !bytes.Equal(body, payload) {
		t.Errorf("the request does not validate: %v", err)
	}
	for _, e := range []Event{
		{Name: "pull_request", Action: "opened", Repo: w.repo},
		{Name: "check_run", Action: "created", Repo: w.repo, CheckRunID: 1},
		{Name: "issue_comment", Action: "created", Pull: w.pull},
		{Name: "pull_request"},
	} {
		if _, err := w.srv.Payload(w.app, e); err == nil {
			t.Errorf("no error for %+v", e)
		}
	}
	elsewhere := w.srv.AddRepo("elsewhere/far", Files{"a": Text("a")})
	if _, err := w.srv.Payload(w.app, Event{Name: "push", Repo: elsewhere}); err == nil {
		t.Error("no error for a repository without the app")
	}
}

func TestHookConfig(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.do(edit, "/app/hook/config", w.jwt(), fmt.Sprintf(`{"url":%q,"secret":"other"}`, hook.URL)).want(t, 200, `"secret":"********"`)
	w.srv.Comment(w.pull, "alice", "x")
	flush(t, w.srv)
	got := hook.all()
	if len(got) != 1 || got[0].header.Get("X-Hub-Signature-256") != Sign("other", got[0].body) {
		t.Errorf("received %d deliveries, or the signature is wrong", len(got))
	}
}

// TestCloseEndsDeliveries closes the server while the app hangs.
func TestCloseEndsDeliveries(t *testing.T) {
	hook, arrived := newHook(t), make(chan struct{})
	hook.set(func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
	srv, err := New(Config{HookConcurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	app := srv.AddApp(App{Key: testKey(), HookURL: hook.URL})
	srv.Deliver(app, "ping", []byte("{}"))
	srv.Deliver(app, "ping", []byte("{}"))
	<-arrived
	srv.Close()
	srv.Close()
	srv.Deliver(app, "ping", []byte("{}"))
	if n := len(hook.all()); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

func TestReviewEvents(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	w.do(post, repoPath+"/pulls/1/reviews", w.token(""), `{"event":"REQUEST_CHANGES","body":"b","comments":[{"path":"new.txt","line":1,"body":"c"}]}`).want(t, 200)
	flush(t, w.srv)
	want := []string{"pull_request_review.submitted", "pull_request_review_comment.created"}
	if diff := cmp.Diff(want, hook.names()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, r := range hook.all() {
		parsed, err := github.ParseWebHook(r.header.Get("X-GitHub-Event"), r.body)
		if err != nil {
			t.Fatal(err)
		}
		// Events write the state in lower case, unlike the API.
		if e, is := parsed.(*github.PullRequestReviewEvent); is && (e.GetReview().GetState() != "changes_requested" || e.GetSender().GetLogin() != "assay[bot]") {
			t.Errorf("review %v by %v", e.GetReview(), e.GetSender())
		}
	}
}

func TestOldDeliveriesAreGone(t *testing.T) {
	hook, w := newHook(t), newWorld(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	w.srv.Comment(w.pull, "alice", "x")
	flush(t, w.srv)
	path := fmt.Sprintf("/app/hook/deliveries/%d/attempts", w.srv.Deliveries()[0].ID)
	w.clock.advance(deliveryWindow - time.Second)
	if list := w.do(get, "/app/hook/deliveries", w.jwt(), "").list(t); len(list) != 1 {
		t.Errorf("%d deliveries within the window", len(list))
	}
	w.clock.advance(time.Second)
	if list := w.do(get, "/app/hook/deliveries", w.jwt(), "").list(t); len(list) != 0 {
		t.Errorf("%d deliveries after the window", len(list))
	}
	w.do(post, path, w.jwt(), "").want(t, 404)
}
