package ghfake

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-github/v62/github"
)

func TestReviewThroughClient(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	review, _, err := c.PullRequests.CreateReview(ctx, "octo-org", "shop", 1, &github.PullRequestReviewRequest{
		CommitID: github.String(w.pull.HeadSHA()), Event: github.String("COMMENT"),
		Comments: []*github.DraftReviewComment{
			{Path: github.String("main.go"), Line: github.Int(8), Side: github.String("RIGHT"), Body: github.String("here")},
			{Path: github.String("main.go"), Line: github.Int(8), Side: github.String("LEFT"), Body: github.String("was better")},
			{Path: github.String("new.txt"), StartLine: github.Int(1), Line: github.Int(2), Body: github.String("both")},
		},
	})
	if err != nil || review.GetState() != "COMMENTED" {
		t.Fatalf("review %v, %v", review, err)
	}
	if _, _, err := c.PullRequests.CreateReview(ctx, "octo-org", "shop", 1, &github.PullRequestReviewRequest{
		Event: github.String("COMMENT"), Comments: []*github.DraftReviewComment{{Path: github.String("main.go"), Position: github.Int(4), Body: github.String("the old way")}},
	}); err != nil {
		t.Fatal(err)
	}
	comments, _, err := c.PullRequests.ListComments(ctx, "octo-org", "shop", 1, nil)
	if err != nil || len(comments) != 4 {
		t.Fatalf("comments %v, %v", comments, err)
	}
	if want := "@@ -5,5 +5,5 @@ import \"fmt\"\n func main() {\n \tfmt.Println(\"one\")\n \tfmt.Println(\"two\")\n-\tfmt.Println(\"three\")\n+\tfmt.Println(\"drei\")"; comments[0].GetDiffHunk() != want {
		t.Errorf("hunk %q\nwant %q", comments[0].GetDiffHunk(), want)
	}
	reply, _, err := c.PullRequests.CreateCommentInReplyTo(ctx, "octo-org", "shop", 1, "and another thing", comments[0].GetID())
	if err != nil || reply.GetInReplyTo() != comments[0].GetID() {
		t.Errorf("reply %v, %v", reply, err)
	}
	w.srv.ReplyReview(reply.GetID(), "alice", "fixed")
	got := w.srv.ReviewComments(w.pull)
	bot, head := "assay[bot]", w.pull.HeadSHA()
	want := []ReviewComment{
		{Author: bot, Body: "here", Path: "main.go", Line: 8, Side: "RIGHT", CommitID: head},
		{Author: bot, Body: "was better", Path: "main.go", Line: 8, Side: "LEFT", CommitID: head},
		{Author: bot, Body: "both", Path: "new.txt", StartLine: 1, StartSide: "RIGHT", Line: 2, Side: "RIGHT", CommitID: head},
		{Author: bot, Body: "the old way", Path: "main.go", Line: 8, Side: "LEFT", CommitID: head},
		{Author: bot, Body: "and another thing", Path: "main.go", Line: 8, Side: "RIGHT", CommitID: head, InReplyTo: comments[0].GetID()},
		// Threads are flat: a reply to a reply answers the first.
		{Author: "alice", Body: "fixed", Path: "main.go", Line: 8, Side: "RIGHT", CommitID: head, InReplyTo: comments[0].GetID()},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ReviewComment{}, "ID", "ReviewID", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	if _, _, err := c.PullRequests.EditComment(ctx, "octo-org", "shop", comments[1].GetID(), &github.PullRequestComment{Body: github.String("edited")}); err != nil {
		t.Error(err)
	}
	if _, err := c.PullRequests.DeleteComment(ctx, "octo-org", "shop", comments[2].GetID()); err != nil {
		t.Error(err)
	}
	if left := w.srv.Reviews(w.pull)[0].Comments; len(left) != 2 || left[1].Body != "edited" {
		t.Errorf("left %+v", left)
	}
}

func TestReviewRefusals(t *testing.T) {
	w := newWorld(t)
	big := w.srv.OpenPull(w.repo, Pull{Title: "Binary"}, Files{"image.png": Text("\x89PNG\x00")})
	token := w.token("")
	good := `{"path":"new.txt","line":1,"body":"good"}`
	tests := []struct {
		name, comments, message string
		kind                    ViolationKind
	}{
		{"line outside the diff", `{"path":"main.go","line":1,"body":"b"}`, "Line could not be resolved", OverLimit},
		{"line past the end", `{"path":"new.txt","line":3,"body":"b"}`, "Line could not be resolved", OverLimit},
		{"added line on the left", `{"path":"new.txt","line":1,"side":"LEFT","body":"b"}`, "Line could not be resolved", OverLimit},
		{"no line", `{"path":"new.txt","body":"b"}`, "Line could not be resolved", OverLimit},
		{"no line on the left", `{"path":"new.txt","side":"LEFT","body":"b"}`, "Line could not be resolved", OverLimit},
		{"no line in a removed file", `{"path":"old.txt","body":"b"}`, "Line could not be resolved", OverLimit},
		{"unchanged file", `{"path":"README.md","line":1,"body":"b"}`, "Path could not be resolved", OverLimit},
		{"start outside the diff", `{"path":"main.go","start_line":1,"line":8,"body":"b"}`, "Start line could not be resolved", OverLimit},
		{"start after the end", `{"path":"new.txt","start_line":2,"line":1,"body":"b"}`, "start_line must precede the end line", OverLimit},
		{"start on the end", `{"path":"new.txt","start_line":2,"line":2,"body":"b"}`, "start_line must precede the end line", OverLimit},
		{"position outside the diff", `{"path":"new.txt","position":3,"body":"b"}`, "Line could not be resolved", OverLimit},
		{"body too long", fmt.Sprintf(`{"path":"new.txt","line":1,"body":%q}`, strings.Repeat("x", maxBody+1)), "Body is too long", OverLimit},
		{"no body", `{"path":"new.txt","line":1}`, `\"body\" wasn't supplied.`, Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, `{"event":"COMMENT","comments":[`+good+","+tt.comments+"]}").want(t, 422, tt.message)
			w.violated(tt.kind)
		})
	}
	binary := fmt.Sprintf("/repos/octo-org/shop/pulls/%d/reviews", big.Number)
	w.do(post, binary, token, `{"event":"COMMENT","comments":[{"path":"image.png","line":1,"body":"b"}]}`).want(t, 422, "Line could not be resolved")
	w.violated(OverLimit)
	for _, event := range []string{"COMMENT", "REQUEST_CHANGES"} {
		w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, fmt.Sprintf(`{"event":%q}`, event)).want(t, 422, "Review body is required")
		w.violated(OverLimit)
	}
	w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, fmt.Sprintf(`{"event":"COMMENT","body":%q}`, strings.Repeat("x", maxBody+1))).want(t, 422, "Body is too long")
	w.violated(OverLimit)
	w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, `{"event":"PRAISE"}`).want(t, 422)
	w.violated(Malformed)
	w.do(post, "/repos/octo-org/shop/pulls/1/reviews", token, `{"event":"COMMENT","body":"b","commit_id":"`+zeroSHA+`"}`).want(t, 422, "not part of the pull request")
	if got := w.srv.Reviews(w.pull); len(got) != 0 {
		t.Errorf("one bad line must refuse the whole review, got %+v", got)
	}
}

func TestTwoHunksAreNotOneRange(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("line\n", 30)
	w.srv.Commit(w.repo, "main", "long", "alice", Files{"long.txt": Text(long)})
	p := w.srv.OpenPull(w.repo, Pull{Title: "Two hunks"}, Files{"long.txt": Text("top\n" + long + "bottom\n")})
	reviews := fmt.Sprintf("/repos/octo-org/shop/pulls/%d/reviews", p.Number)
	w.do(post, reviews, w.token(""), `{"event":"COMMENT","comments":[{"path":"long.txt","start_line":1,"line":32,"body":"b"}]}`).want(t, 422, "same hunk")
	w.violated(OverLimit)
	w.do(post, reviews, w.token(""), `{"event":"COMMENT","comments":[{"path":"long.txt","line":32,"body":"b"}]}`).want(t, 200)
	hunk := w.do(get, fmt.Sprintf("/repos/octo-org/shop/pulls/%d/comments", p.Number), w.token(""), "").list(t)[0]
	// Positions count on through the second hunk's header: 4 lines, a header, 4 lines.
	if hunk["position"] != 9.0 || !strings.HasPrefix(hunk["diff_hunk"].(string), "@@ -28,3 +29,4 @@") {
		t.Errorf("position %v, hunk %q", hunk["position"], hunk["diff_hunk"])
	}
}

func TestSingleReviewComment(t *testing.T) {
	w := newWorld(t)
	c, ctx, head := w.client(), context.Background(), w.pull.HeadSHA()
	made, resp, err := c.PullRequests.CreateComment(ctx, "octo-org", "shop", 1, &github.PullRequestComment{
		Body: github.String("whole file"), Path: github.String("new.txt"), CommitID: github.String(head), SubjectType: github.String("file"),
	})
	if err != nil || made.GetSubjectType() != "file" || resp.Header.Get("Location") != made.GetURL() {
		t.Fatalf("comment %v, %v", made, err)
	}
	token, path := w.token(""), "/repos/octo-org/shop/pulls/1/comments"
	w.do(post, path, token, fmt.Sprintf(`{"body":"b","commit_id":%q,"path":"new.txt","line":2,"side":"RIGHT"}`, head)).want(t, 201)
	w.do(post, path, token, fmt.Sprintf(`{"body":"b","commit_id":%q,"path":"new.txt","line":9,"side":"RIGHT"}`, head)).want(t, 422, "pull_request_review_thread.line must be part of the diff")
	w.violated(OverLimit)
	w.do(post, path, token, fmt.Sprintf(`{"body":"b","commit_id":%q,"path":"none","subject_type":"file"}`, head)).want(t, 422, "pull_request_review_thread.path")
	w.violated(OverLimit)
	w.do(post, path, token, fmt.Sprintf(`{"body":"b","commit_id":%q,"path":"new.txt","line":1}`, zeroSHA)).want(t, 422, "commit_id is not part")
	w.do(post, path, token, fmt.Sprintf(`{"body":"b","commit_id":%q,"path":"new.txt","line":1,"side":"UP"}`, head)).want(t, 422)
	w.violated(Malformed)
	w.do(post, path, token, fmt.Sprintf(`{"body":%q,"commit_id":%q,"path":"new.txt","line":1}`, strings.Repeat("x", maxBody+1), head)).want(t, 422, "too long")
	w.violated(OverLimit)
	w.do(post, path, token, `{"body":"b","path":"new.txt","line":1}`).want(t, 422)
	w.violated(Malformed)
	w.do(post, path+"/1/replies", token, `{"body":"b"}`).want(t, 404, "Parent comment not found")
	w.do(get, "/repos/octo-org/shop/pulls/comments/1", token, "").want(t, 404)
	if n := len(w.srv.ReviewComments(w.pull)); n != 2 {
		t.Errorf("%d comments, want 2", n)
	}
}

func TestOutdatedComments(t *testing.T) {
	w := newWorld(t)
	w.do(post, "/repos/octo-org/shop/pulls/1/reviews", w.token(""), `{"event":"COMMENT","comments":[{"path":"new.txt","line":1,"body":"stays"},{"path":"new.txt","line":2,"body":"goes"}]}`).want(t, 200)
	w.srv.Push(w.pull, Files{"new.txt": Text("first\nchanged\n")}, "Change")
	var got []bool
	for _, m := range w.srv.ReviewComments(w.pull) {
		got = append(got, m.Outdated)
	}
	if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
		t.Errorf("outdated (-want +got):\n%s", diff)
	}
	list := w.do(get, "/repos/octo-org/shop/pulls/1/comments", w.token(""), "").list(t)
	if list[0]["line"] != 1.0 || list[1]["line"] != nil || list[1]["original_line"] != 2.0 {
		t.Errorf("lines %v and %v", list[0]["line"], list[1]["line"])
	}
	id := w.srv.Reviews(w.pull)[0].ID
	w.do(get, fmt.Sprintf("/repos/octo-org/shop/pulls/1/reviews/%d/comments", id), w.token(""), "").want(t, 200, `"position":null`)
}

func TestReviewLife(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(), context.Background()
	pending, _, err := c.PullRequests.CreateReview(ctx, "octo-org", "shop", 1, &github.PullRequestReviewRequest{
		Comments: []*github.DraftReviewComment{{Path: github.String("new.txt"), Line: github.Int(1), Body: github.String("b")}},
	})
	if err != nil || pending.GetState() != "PENDING" {
		t.Fatalf("review %v, %v", pending, err)
	}
	if n := len(w.srv.ReviewComments(w.pull)); n != 0 {
		t.Errorf("%d comments of a pending review are visible", n)
	}
	submitted, _, err := c.PullRequests.SubmitReview(ctx, "octo-org", "shop", 1, pending.GetID(), &github.PullRequestReviewRequest{Event: github.String("REQUEST_CHANGES"), Body: github.String("no")})
	if err != nil || submitted.GetState() != "CHANGES_REQUESTED" {
		t.Fatalf("review %v, %v", submitted, err)
	}
	if _, _, err := c.PullRequests.SubmitReview(ctx, "octo-org", "shop", 1, pending.GetID(), &github.PullRequestReviewRequest{Event: github.String("APPROVE")}); err == nil {
		t.Error("submitted twice")
	}
	if _, _, err := c.PullRequests.DeletePendingReview(ctx, "octo-org", "shop", 1, pending.GetID()); err == nil {
		t.Error("deleted a submitted review")
	}
	if _, _, err := c.PullRequests.UpdateReview(ctx, "octo-org", "shop", 1, pending.GetID(), "still no"); err != nil {
		t.Error(err)
	}
	dismissed, _, err := c.PullRequests.DismissReview(ctx, "octo-org", "shop", 1, pending.GetID(), &github.PullRequestReviewDismissalRequest{Message: github.String("outdated")})
	if err != nil || dismissed.GetState() != "DISMISSED" {
		t.Errorf("review %v, %v", dismissed, err)
	}
	if _, _, err := c.PullRequests.DismissReview(ctx, "octo-org", "shop", 1, pending.GetID(), &github.PullRequestReviewDismissalRequest{Message: github.String("again")}); err == nil {
		t.Error("dismissed twice")
	}
	second, _, err := c.PullRequests.CreateReview(ctx, "octo-org", "shop", 1, &github.PullRequestReviewRequest{Body: github.String("draft")})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PullRequests.DeletePendingReview(ctx, "octo-org", "shop", 1, second.GetID()); err != nil {
		t.Error(err)
	}
	approved, _, err := c.PullRequests.CreateReview(ctx, "octo-org", "shop", 1, &github.PullRequestReviewRequest{Event: github.String("APPROVE")})
	if err != nil || approved.GetState() != "APPROVED" {
		t.Errorf("review %v, %v", approved, err)
	}
	got := w.srv.Reviews(w.pull)
	if len(got) != 2 || got[0].Body != "still no" || got[1].State != "APPROVED" {
		t.Errorf("reviews %+v", got)
	}
	w.do(get, "/repos/octo-org/shop/pulls/1/reviews/1", w.token(""), "").want(t, 404)
}
