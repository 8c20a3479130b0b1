package ghapp

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/ghfake"
	"assay/review"
)

const reviewsRoute = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"

// TestCreateReview is faults G1 and G2 for reviews, with a stranger's that
// carries the marker already.
func TestCreateReview(t *testing.T) {
	for name, f := range map[string]ghfake.Fault{
		"well":          {Delay: 1},
		"answer lost":   {After: true, Drop: true},
		"request lost":  {Drop: true},
		"502 when done": {After: true, Status: 502},
		"nothing":       {After: true, Status: 200, Body: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fake.SubmitReview(w.pull, ghfake.Review{Author: "mallory", State: "COMMENTED", Body: "fooled you " + marker})
			f.Method, f.Pattern, f.Times = "POST", reviewsRoute, 1
			m := w.fake.Misbehave(f)
			in := InlineReview{HeadSHA: w.pull.HeadSHA(), Body: "2 findings " + marker, Comments: []InlineComment{
				{Path: "b.go", Line: 3, StartLine: 1, Side: review.Head, Body: "all of it"},
				{Path: "main.go", Line: 3, Side: review.Base, Body: "was better"},
			}}
			id, err := w.hands().CreateReview(within(t), 1, marker, in)
			if err != nil || m.Hits() != 1 {
				t.Fatalf("%v after %d faults", err, m.Hits())
			}
			reviews := w.fake.Reviews(w.pull)
			if len(reviews) != 2 || reviews[1].ID != id || reviews[1].State != "COMMENTED" {
				t.Fatalf("review %d of %+v", id, reviews)
			}
			var got [][4]any
			for _, c := range reviews[1].Comments {
				got = append(got, [4]any{c.Path, c.StartLine, c.Line, c.Side})
			}
			if d := cmp.Diff([][4]any{{"b.go", 1, 3, "RIGHT"}, {"main.go", 0, 3, "LEFT"}}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReviewsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	head := w.pull.HeadSHA()
	for name, in := range map[string]InlineReview{
		"no marker":     {HeadSHA: head, Body: "x"},
		"no commit":     {Body: marker},
		"lines swapped": {HeadSHA: head, Body: marker, Comments: []InlineComment{{Path: "b.go", Line: 1, StartLine: 2, Body: "x"}}},
		"no line":       {HeadSHA: head, Body: marker, Comments: []InlineComment{{Path: "b.go", Body: "x"}}},
	} {
		_, err := w.hands().CreateReview(within(t), 1, marker, in)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.count(reviewsRoute); n != 0 {
		t.Errorf("%d requests", n)
	}
	_, err := w.hands().CreateReview(within(t), 1, marker, InlineReview{HeadSHA: head, Body: marker, Comments: []InlineComment{{Path: "b.go", Line: 99, Side: review.Head, Body: "x"}}})
	wantKind(t, err, fault.Invalid)
	w.violations++ // a line outside the diff is one
	if got := w.fake.Reviews(w.pull); len(got) != 0 {
		t.Errorf("reviews %+v", got)
	}
}
