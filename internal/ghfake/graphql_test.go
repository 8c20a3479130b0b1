package ghfake

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// graph asks GraphQL with a token of the world.
func (w *world) graph(token, query string, variables object) reply {
	w.t.Helper()
	body, err := json.Marshal(object{"query": query, "variables": variables})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(post, "/graphql", token, string(body))
}

const shop = `query($n: Int!) { repository(owner: "octo-org", name: "shop") { pullRequest(number: $n) { `

func TestGraphQL(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	w.srv.SubmitReview(w.pull, Review{Author: "bob", State: "COMMENTED", Body: "see", Comments: []ReviewComment{{Path: "new.txt", Line: 1, Body: "one"}, {Path: "new.txt", Line: 2, Body: "two"}}})
	tests := map[string]struct {
		query     string
		variables object
		want      string
	}{
		"aliases and fragments": {
			shop + `n: number ...x author { __typename login ... on User { databaseId } ... on Bot { id } } } } } fragment x on PullRequest { state isDraft }`,
			object{"n": 1}, `{"data":{"repository":{"pullRequest":{"author":{"__typename":"User","databaseId":ALICE,"login":"alice"},"isDraft":false,"n":1,"state":"OPEN"}}}}`,
		},
		"pages": {
			shop + `reviewThreads(first: 1, after: "` + cursorAt(1) + `") { totalCount nodes { line } pageInfo { hasNextPage hasPreviousPage } } } } }`,
			object{"n": 1}, `{"data":{"repository":{"pullRequest":{"reviewThreads":{"nodes":[{"line":2}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true},"totalCount":2}}}}}`,
		},
		"the last": {
			shop + `commits(last: 1) { nodes { commit { statusCheckRollup { contexts(first: 1) { totalCount } } } } } } } }`,
			object{"n": 1}, `{"data":{"repository":{"pullRequest":{"commits":{"nodes":[{"commit":{"statusCheckRollup":null}}]}}}}}`,
		},
		"no such pull request": {
			shop + `number } } }`, object{"n": 9},
			`{"data":{"repository":{"pullRequest":null}},"errors":[{"extensions":{"saml_failure":false},"locations":[{"column":65,"line":1}],"message":"Could not resolve to a PullRequest with the number of 9.","path":["repository","pullRequest"],"type":"NOT_FOUND"}]}`,
		},
		"no such repository": {
			`{ repository(owner: "octo-org", name: "gone") { name } }`, nil,
			`{"data":{"repository":null},"errors":[{"extensions":{"saml_failure":false},"locations":[{"column":3,"line":1}],"message":"Could not resolve to a Repository with the name 'octo-org/gone'.","path":["repository"],"type":"NOT_FOUND"}]}`,
		},
		"a page without a size": {
			shop + `reviewThreads { totalCount } } } }`, object{"n": 1},
			`{"data":{"repository":{"pullRequest":null}},"errors":[{"extensions":{"saml_failure":false},"locations":[{"column":91,"line":1}],"message":"You must provide a ` + "`first` or `last`" + ` value to properly paginate the connection.","path":["repository","pullRequest","reviewThreads"],"type":"MISSING_PAGINATION_BOUNDARIES"}]}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := w.graph(token, tt.query, tt.variables)
			r.want(t, 200)
			want := strings.Replace(tt.want, "ALICE", jsonOf(t, w.srv.users["alice"].id), 1)
			if d := cmp.Diff(want, string(r.body)); d != "" {
				t.Error(d)
			}
		})
	}
	if r := w.graph("bad", "{ __typename }", nil); r.status != 401 {
		t.Errorf("a bad token is answered %d", r.status)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGraphQLIsHeldToTheSchema holds that what GitHub would not take is found.
func TestGraphQLIsHeldToTheSchema(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	for name, query := range map[string]string{
		"no document":     ``,
		"unknown field":   `{ repository(owner: "octo-org", name: "shop") { colour } }`,
		"wrong type":      `{ repository(owner: "octo-org", name: "shop") { pullRequest(number: "1") { id } } }`,
		"no selection":    `{ repository(owner: "octo-org", name: "shop") }`,
		"lacks a value":   shop + `id } } }`,
		"two operations":  `query a { __typename } query b { __typename }`,
		"unknown reason":  `mutation { minimizeComment(input: {subjectId: "IC_1", classifier: BORING}) { clientMutationId } }`,
		"unused variable": `query($x: Int) { repository(owner: "octo-org", name: "shop") { name } }`,
	} {
		w.graph(token, query, nil).want(t, 200, `"errors"`)
		t.Log(name)
		w.violated(Malformed)
	}
	w.graph(token, shop+`lastEditedAt } } }`, object{"n": 1}).want(t, 200, "Something went wrong")
	w.violated(Undescribed)
}

func TestGraphQLMutations(t *testing.T) {
	w := newWorld(t)
	w.srv.Grant(w.inst, map[string]string{"contents": "write", "pull_requests": "write"})
	hook := newHook(t)
	w.srv.SetHook(w.app, hook.URL, "s3cret")
	w.srv.SubmitReview(w.pull, Review{Author: "bob", State: "COMMENTED", Body: "see", Comments: []ReviewComment{{Path: "new.txt", Line: 1, Body: "one"}}})
	root, comment := w.srv.ReviewComments(w.pull)[0], w.srv.Comment(w.pull, "bob", "hello")
	const resolve = `mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved resolvedBy { login } } } }`
	thread := object{"id": nodeID("PRRT", root.ID)}
	w.graph(w.token(`{"permissions":{"contents":"read","pull_requests":"write"}}`), resolve, thread).want(t, 200, `"FORBIDDEN"`, `"resolveReviewThread":null`)
	for range 2 {
		w.graph(w.token(""), resolve, thread).want(t, 200, `{"data":{"resolveReviewThread":{"thread":{"isResolved":true,"resolvedBy":null}}}}`)
	}
	if by := w.srv.ResolvedBy(root.ID); by != "assay[bot]" {
		t.Errorf("resolved by %q", by)
	}
	const minimize = `mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } } }`
	w.graph(w.token(""), minimize, object{"id": nodeID("IC", comment)}).want(t, 200, `"isMinimized":true`)
	w.graph(w.token(""), minimize, object{"id": nodeID("PRRC", root.ID)}).want(t, 200, `"isMinimized":true`)
	w.graph(w.token(`{"permissions":{"pull_requests":"read"}}`), minimize, object{"id": nodeID("IC", comment)}).want(t, 200, `"FORBIDDEN"`)
	if got := w.srv.Comments(w.pull)[0].Minimized + w.srv.ReviewComments(w.pull)[0].Minimized; got != "OUTDATEDOUTDATED" {
		t.Errorf("minimized as %q", got)
	}
	flush(t, w.srv)
	want := []string{"issue_comment.created", "pull_request_review.submitted", "pull_request_review_comment.created", "pull_request_review_thread.resolved"}
	if d := cmp.Diff(want, hook.names()); d != "" {
		t.Error(d)
	}
}

// TestGraphQLHasALimitOfItsOwn holds that it is told with 200, and that the
// REST API's is another.
func TestGraphQLHasALimitOfItsOwn(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	w.srv.SetLimits(Limits{Primary: 1})
	first := w.graph(token, "{ __typename }", nil)
	first.want(t, 200)
	second := w.graph(token, "{ __typename }", nil)
	second.want(t, 200, `"type":"RATE_LIMITED"`)
	if got := second.header.Get("X-RateLimit-Resource") + second.header.Get("X-RateLimit-Remaining"); got != "graphql0" {
		t.Errorf("headers say %s", got)
	}
	w.do(get, "/repos/octo-org/shop", token, "").want(t, 200)
}
