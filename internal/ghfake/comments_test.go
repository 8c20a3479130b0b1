package ghfake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestCommentsThroughClient(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	made, _, err := c.Issues.CreateComment(ctx, "octo-org", "shop", 1, &github.IssueComment{Body: github.String("<!-- assay -->\nhello & <b>goodbye</b>")})
	if err != nil {
		t.Fatal(err)
	}
	if made.GetUser().GetLogin() != "assay[bot]" || made.GetUser().GetType() != "Bot" {
		t.Errorf("written by %v", made.GetUser())
	}
	old := w.srv.Comment(w.pull, "bob", "early")
	w.clock.advance(time.Minute)
	if _, _, err := c.Issues.EditComment(ctx, "octo-org", "shop", made.GetID(), &github.IssueComment{Body: github.String("changed")}); err != nil {
		t.Fatal(err)
	}
	human := w.srv.Comment(w.pull, "alice", "thanks")
	for range 2 { // the same reaction twice is one
		if _, _, err := c.Reactions.CreateIssueCommentReaction(ctx, "octo-org", "shop", human, "eyes"); err != nil {
			t.Fatal(err)
		}
	}
	now := w.clock.Now()
	list, _, err := c.Issues.ListComments(ctx, "octo-org", "shop", 1, &github.IssueListCommentsOptions{Since: &now})
	if err != nil || len(list) != 2 || list[1].GetReactions().GetEyes() != 1 {
		t.Errorf("comments %v, %v", list, err)
	}
	w.srv.DeleteComment(old, "bob")
	start := w.clock.Now().Add(-time.Minute)
	want := []Comment{
		{ID: made.GetID(), Author: "assay[bot]", Body: "changed", CreatedAt: start, UpdatedAt: w.clock.Now(), Edits: 1},
		{ID: human, Author: "alice", Body: "thanks", CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now()},
	}
	got := w.srv.Comments(w.pull)
	if len(got) == 2 && len(got[1].Reactions) == 1 && got[1].Reactions[0].Author == "assay[bot]" {
		got[1].Reactions = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	if _, err := c.Issues.DeleteComment(ctx, "octo-org", "shop", made.GetID()); err != nil {
		t.Fatal(err)
	}
	if got := w.srv.Comments(w.pull); len(got) != 1 {
		t.Errorf("%d comments after deleting one", len(got))
	}
	w.do(get, fmt.Sprintf("/repos/octo-org/shop/issues/comments/%d", made.GetID()), w.token(""), "").want(t, 404)
}

func TestCommentRefusals(t *testing.T) {
	w := newWorld(t)
	token := w.token("")
	id := w.srv.Comment(w.pull, "alice", "x")
	one := fmt.Sprintf("/repos/octo-org/shop/issues/comments/%d", id)
	tests := []struct {
		name, method, path, body, message string
		status                            int
		kind                              ViolationKind // "" when none
	}{
		{"too long", post, "/repos/octo-org/shop/issues/1/comments", fmt.Sprintf(`{"body":%q}`, strings.Repeat("é", maxBody+1)), "Body is too long (maximum is 65536 characters)", 422, OverLimit},
		{"too long to edit", edit, one, fmt.Sprintf(`{"body":%q}`, strings.Repeat("x", maxBody+1)), "Body is too long", 422, OverLimit},
		{"empty", post, "/repos/octo-org/shop/issues/1/comments", `{"body":""}`, "Body cannot be blank", 422, OverLimit},
		{"no body", post, "/repos/octo-org/shop/issues/1/comments", `{}`, `\"body\" wasn't supplied.`, 422, Malformed},
		{"no JSON", post, "/repos/octo-org/shop/issues/1/comments", `{"body":`, "Problems parsing JSON", 400, Malformed},
		{"nothing", post, "/repos/octo-org/shop/issues/1/comments", ``, "", 422, Malformed},
		{"unknown reaction", post, one + "/reactions", `{"content":"tada"}`, "content", 422, Malformed},
		{"no such pull request", post, "/repos/octo-org/shop/issues/9/comments", `{"body":"x"}`, "Not Found", 404, ""},
		{"no such comment", edit, "/repos/octo-org/shop/issues/comments/1", `{"body":"x"}`, "Not Found", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.do(tt.method, tt.path, token, tt.body).want(t, tt.status, tt.message)
			if tt.kind != "" {
				w.violated(tt.kind)
			}
		})
	}
	w.do(post, "/repos/octo-org/shop/issues/1/comments", token, fmt.Sprintf(`{"body":%q}`, strings.Repeat("é", maxBody))).want(t, 201)
	if got := w.srv.Comments(w.pull); len(got) != 2 || got[0].Edits != 0 {
		t.Errorf("a refused request took effect")
	}
}

func TestCommentsArePaged(t *testing.T) {
	w := newWorld(t)
	for i := range 105 {
		w.srv.Comment(w.pull, "alice", fmt.Sprint(i))
	}
	token := w.token("")
	r := w.do(get, "/api/v3/repos/octo-org/shop/issues/1/comments?page=2", token, "")
	if list := r.list(t); len(list) != 30 || list[0]["body"] != "30" {
		t.Errorf("%d comments on page 2", len(list))
	}
	want := fmt.Sprintf(`<%[1]s/repos/octo-org/shop/issues/1/comments?page=1>; rel="prev", <%[1]s/repos/octo-org/shop/issues/1/comments?page=1>; rel="first", `+
		`<%[1]s/repos/octo-org/shop/issues/1/comments?page=3>; rel="next", <%[1]s/repos/octo-org/shop/issues/1/comments?page=4>; rel="last"`, w.http.URL)
	if got := r.header.Get("Link"); got != want {
		t.Errorf("Link %s\nwant %s", got, want)
	}
	if got := w.do(get, "/repos/octo-org/shop/issues/1/comments?per_page=500", token, "").list(t); len(got) != 100 {
		t.Errorf("%d comments, want 100", len(got))
	}
	if got := w.do(get, "/repos/octo-org/shop/issues/1/comments?page=99", token, "").list(t); len(got) != 0 {
		t.Errorf("%d comments past the end", len(got))
	}
}
