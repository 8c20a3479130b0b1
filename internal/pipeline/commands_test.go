package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/queue"
	"assay/internal/store"
	"assay/reports"
	"assay/review"
)

// say stores a delivery of a comment of somebody on the pull request.
func (w *world) say(login, body string) int64 {
	w.t.Helper()
	return w.write(object{"login": login, "type": "User"}, body, object{"number": 7, "pull_request": object{}})
}

func (w *world) write(user object, body string, issue object) int64 {
	w.t.Helper()
	return w.event("issue_comment", "created", object{"issue": issue, "comment": object{"id": 500, "body": body, "user": user}, "sender": user})
}

// answer is the one answer that was posted, without its markers.
func (w *world) answer() string {
	w.t.Helper()
	var answers []string
	for _, body := range w.comments {
		if rest, ok := strings.CutPrefix(body, reports.AnswerMarker(500)+"\n"); ok {
			answers = append(answers, strings.TrimPrefix(rest, reports.HelpMarker+"\n"))
		}
	}
	if len(answers) > 1 {
		w.t.Fatalf("%d answers", len(answers))
	}
	return strings.Join(answers, "")
}

// finding is the ID of the one finding of the first run.
func (w *world) finding() string {
	w.t.Helper()
	runs, err := w.store.Runs(w.t.Context(), "", 100)
	if err != nil || len(runs) == 0 || len(runs[len(runs)-1].Findings) == 0 {
		w.t.Fatalf("no finding, %v", err)
	}
	return runs[len(runs)-1].Findings[0].ID
}

func TestCommandsRefused(t *testing.T) {
	bot := object{"login": "ada", "type": "Bot"}
	on := object{"number": 7, "pull_request": object{}}
	tests := []struct {
		name     string
		say      func(w *world) int64
		reaction []string
	}{
		{"not a writer", func(w *world) int64 { return w.say("tri", "/assay review") }, []string{"500 confused"}},
		{"a stranger", func(w *world) int64 { return w.say("eve", "/assay review") }, []string{"500 confused"}},
		{"a bot", func(w *world) int64 { return w.write(bot, "/assay review", on) }, nil},
		{"on an issue", func(w *world) int64 {
			return w.write(object{"login": "ada"}, "/assay review", object{"number": 7})
		}, nil},
		{"in a code fence", func(w *world) int64 { return w.say("ada", "```\n/assay review\n```") }, nil},
		{"quoted", func(w *world) int64 { return w.say("ada", "> /assay review") }, nil},
		{"talk", func(w *world) int64 { return w.say("ada", "I like /assay review") }, nil},
		{"edited", func(w *world) int64 {
			return w.event("issue_comment", "edited", object{"issue": on, "comment": object{"id": 500, "body": "/assay review", "user": object{"login": "ada"}}})
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.work(w.deliver("opened", head("a")))
			comments := len(w.comments)
			id := tt.say(w)
			w.work(id)
			if status, reason := w.status(id); status != store.DeliveryIgnored {
				t.Errorf("the delivery is %s, %s", status, reason)
			}
			w.want("refused", map[string]string{"review": "done"})
			if d := cmp.Diff(tt.reaction, w.reactions); d != "" || len(w.comments) != comments {
				t.Errorf("%d new comments, reactions: %s", len(w.comments)-comments, d)
			}
		})
	}
}

// TestCommandReview holds that a command opens one new attempt, wherever it is
// cut off.
func TestCommandReview(t *testing.T) {
	for command, points := range map[string][]string{
		"/assay review":                       {"", "answered", "judged", "check-completed"},
		"/assay review review":                {""},
		"/assay review\n/assay review review": {""},
	} {
		for _, point := range points {
			t.Run(command+" crash at "+point, func(t *testing.T) {
				w := newWorld(t)
				w.work(w.deliver("opened", head("a")))
				w.finder.severity = 0
				w.crashAt = point
				w.work(w.say("ada", command))
				if w.crashAt != "" {
					t.Fatalf("the point %q was not passed", point)
				}
				w.want("again", map[string]string{"review": "done done"})
				if check, _ := w.onlyCheck(); check.Conclusion != review.ConclusionSuccess {
					t.Errorf("the check is %s", check.Conclusion)
				}
				if d := cmp.Diff([]string{"500 eyes", "500 +1"}, w.reactions); d != "" || w.answer() != "" {
					t.Errorf("answer %q, reactions %s", w.answer(), d)
				}
			})
		}
	}
}

func TestCommandReviewNot(t *testing.T) {
	tests := []struct {
		name, command string
		before        func(*world)
		answer        string
		attempts      string
	}{
		{"no such pipeline", "/assay review @everyone", nil, "There is no pipeline `@everyone`", "done"},
		{"closed", "/assay review", func(w *world) { w.pull.Closed = true }, "closed", "done"},
		{"under way", "/assay review", func(w *world) { w.decide(w.deliver("synchronize", head("c"))) }, "under way", "done done"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.work(w.deliver("opened", head("a")))
			if tt.before != nil {
				tt.before(w)
			}
			w.work(w.say("ada", tt.command))
			if answer := w.answer(); !strings.Contains(answer, tt.answer) {
				t.Errorf("answer %q", answer)
			}
			if got := w.attempts()["review"]; got != tt.attempts {
				t.Errorf("runs %q, want %q", got, tt.attempts)
			}
		})
	}
}

// TestCommandDismiss holds that a dismissed finding does not count any more,
// that no agent runs for it, and that it stays so on the next head; wherever it
// is cut off.
func TestCommandDismiss(t *testing.T) {
	for _, point := range []string{"", "dismissed", "answered", "check-completed"} {
		t.Run("crash at "+point, func(t *testing.T) {
			w := newWorld(t)
			w.work(w.deliver("opened", head("a")))
			id := w.finding()
			w.finder.severity = review.Critical // nobody asks it
			w.crashAt = point
			w.work(w.say("ada", "/assay dismiss "+id[:8]+" it is a *test*"))
			if w.crashAt != "" {
				t.Fatalf("the point %q was not passed", point)
			}
			w.want("judged again", map[string]string{"review": "done done"})
			check, annotations := w.onlyCheck()
			if check.Conclusion != review.ConclusionSuccess || annotations != 1 {
				t.Errorf("check %s, %d annotations", check.Conclusion, annotations)
			}
			runs, err := w.store.Runs(t.Context(), "", 1)
			if err != nil || len(runs[0].Findings) != 1 || runs[0].Findings[0].Dismissed == nil || runs[0].Event != "issue_comment.created" {
				t.Fatalf("the run %+v, %v", runs, err)
			}
			if by := *runs[0].Findings[0].Dismissed; by.By != "ada" || by.Reason != "it is a *test*" {
				t.Errorf("dismissed %+v", by)
			}
			if !strings.Contains(runs[0].Outcome.Reason, "1 dismissed") || runs[0].Outcome.Verdict != review.Approve {
				t.Errorf("outcome %+v", runs[0].Outcome)
			}
			for _, body := range w.comments {
				if strings.Contains(body, "finder/found") {
					t.Errorf("a comment still names the finding:\n%s", body)
				}
			}
			w.work(w.deliver("synchronize", head("c")))
			for _, c := range w.checks {
				if c.HeadSHA == head("c") && c.Conclusion != review.ConclusionSuccess {
					t.Errorf("on the next head the check is %s", c.Conclusion)
				}
			}
		})
	}
}

// TestCommandDismissNot holds what a dismissal needs.
func TestCommandDismissNot(t *testing.T) {
	for _, tt := range []struct{ command, answer string }{
		{"/assay dismiss", "give its ID and the reason"},
		{"/assay dismiss ID", "give its ID and the reason"},
		{"/assay dismiss ffffffff why", "There is no finding `ffffffff`"},
		{"/assay dismiss <img> why", "There is no finding `<img>`"},
		{"/assay dismiss I why", "There is no finding"},
	} {
		w := newWorld(t)
		w.work(w.deliver("opened", head("a")))
		id := w.finding()
		command := strings.NewReplacer("ID", id, " I ", " "+id[:3]+" ").Replace(tt.command)
		w.work(w.say("ada", command))
		if !strings.Contains(w.answer(), tt.answer) || !slices.Contains(w.reactions, "500 confused") {
			t.Errorf("%s: answer %q, reactions %v", command, w.answer(), w.reactions)
		}
		w.want(command, map[string]string{"review": "done"})
	}
}

// TestDismissWhileRunning holds that a dismissal counts although it comes while
// the run that makes the finding is at work, whether its result is stored or
// not.
func TestDismissWhileRunning(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	id := w.finding()
	w.work(w.deliver("synchronize", head("c")))
	again := w.say("ada", "/assay review")
	w.decide(again)
	var early, late int64
	w.p.Crash = func(point string) {
		switch {
		case point == "judged" && early == 0:
			// The result of the attempt is stored, so it is waited for.
			early = w.say("ada", "/assay dismiss "+id+" fine")
			if err := w.p.Decide(t.Context(), early); fault.KindOf(err) != fault.Busy {
				t.Errorf("decided with %v, want busy", err)
			}
		case point == "check-completed" && late == 0:
			late = early
			if err := w.p.Decide(t.Context(), late); fault.KindOf(err) != fault.Busy {
				t.Errorf("decided with %v, want busy", err)
			}
		}
	}
	runs, err := w.store.Runs(t.Context(), review.StatusQueued, 1)
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	if err := w.p.Run(t.Context(), runs[0].ID); err != nil {
		t.Fatal(err)
	}
	w.work(early)
	for _, c := range w.checks {
		if c.HeadSHA == head("c") && c.Conclusion != review.ConclusionSuccess {
			t.Errorf("the check is %s, %s", c.Conclusion, c.Output.Title)
		}
	}
}

// TestDismissOnOpenCheck holds that a dismissal does not wait for a check that is
// kept open, but for whoever works on it, and that it counts when the check is
// concluded.
func TestDismissOnOpenCheck(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(30 * time.Minute)
	dismissal := o.say("ada", "/assay dismiss "+r.Findings[0].ID+" fine")
	const lane = "run/1/7/review"
	if got, err := o.store.Acquire(t.Context(), lane, "a job", time.Minute); !got || err != nil {
		t.Fatal(got, err)
	}
	if err := o.p.Decide(t.Context(), dismissal); fault.KindOf(err) != fault.Busy {
		t.Errorf("while a job works on it: %v, want busy", err)
	}
	if err := o.store.Release(t.Context(), lane, "a job"); err != nil {
		t.Fatal(err)
	}
	o.decide(dismissal)
	if status, reason := o.status(dismissal); status != store.DeliveryDone {
		t.Errorf("the command is %s, %s", status, reason)
	}
	o.want("no other attempt", map[string]string{"review": "running"})
	o.now = o.now.Add(31 * time.Minute)
	o.heal(r.ID)
	if r = o.only(); r.Status != review.StatusDone || len(r.Findings) != 1 || r.Findings[0].Dismissed == nil || !strings.Contains(r.Outcome.Reason, "1 dismissed") {
		t.Errorf("run %s, findings %+v, %s", r.Status, r.Findings, r.Outcome.Reason)
	}
}

// TestDismissDuringHeal holds that a dismissal does not bring back the result
// that a run had before it completed itself.
func TestDismissDuringHeal(t *testing.T) {
	o := newOutage(t)
	o.first.err = down("openai")
	r := o.review(0)
	dismissal := o.say("ada", "/assay dismiss "+r.Findings[0].ID+" fine")
	healed := false
	o.p.Queue = opening{o.p.Queue, func() {
		if !healed {
			healed = true
			o.first.err, o.now = nil, o.now.Add(time.Hour)
			o.heal(r.ID)
		}
	}}
	if err := o.p.Decide(t.Context(), dismissal); fault.KindOf(err) != fault.Busy || !healed {
		t.Fatalf("over a result that has changed: %v, want busy; healed %v", err, healed)
	}
	o.work(dismissal)
	runs, err := o.store.Runs(t.Context(), "", 1)
	if err != nil || runs[0].ID == r.ID || runs[0].Outcome.Health != review.Complete || len(runs[0].Findings) != 2 {
		t.Errorf("the last run: %+v, %v", runs, err)
	}
}

// opening is a queue that does something before it opens runs.
type opening struct {
	Queue
	before func()
}

func (q opening) Open(ctx context.Context, o queue.Opening) ([]store.Run, error) {
	q.before()
	return q.Queue.Open(ctx, o)
}

func TestCommandAnswers(t *testing.T) {
	tests := []struct {
		name, command string
		config        string
		answer        []string
		not           string
	}{
		{"explain", "/assay explain ID", "", []string{"**high**", "`finder/found`", "`a.go:1`", "https://assay.example/runs/"}, ""},
		{"explain all", "/assay explain", "", []string{"- `ID` high `finder/found` at `a.go:1`"}, ""},
		{"explain one that is not", "/assay explain @eve", "", []string{"There is no finding `@eve`"}, ""},
		{"config", "/assay config", "", []string{"In force is `.github/assay.yml` on `main`", "- `review` on `pull_request.opened`"}, ""},
		{"config with a mistake", "/assay config", "version: 1\nnonsense: @eve\n", []string{"has mistakes", "line 2"}, " @eve"},
		{"help", "/assay help", "", []string{"`/assay review [pipeline]`"}, ""},
		{"unknown", "/assay fly\n/assay @eve", "", []string{"`/assay review [pipeline]`"}, "@eve"},
		{"two", "/assay explain ID\n/assay help", "", []string{"`finder/found`", "`/assay help`"}, ""},
	}
	for _, tt := range tests {
		points := []string{""}
		if tt.name == "explain" || tt.name == "unknown" {
			points = append(points, "answered")
		}
		for _, point := range points {
			t.Run(tt.name+" crash at "+point, func(t *testing.T) {
				w := newWorld(t)
				w.work(w.deliver("opened", head("a")))
				id := w.finding()
				if tt.config != "" {
					w.config = tt.config
				}
				w.crashAt = point
				w.work(w.say("ada", strings.ReplaceAll(tt.command, "ID", id)))
				answer := w.answer()
				for _, want := range tt.answer {
					if !strings.Contains(answer, strings.ReplaceAll(want, "ID", id)) {
						t.Errorf("answer lacks %q:\n%s", want, answer)
					}
				}
				if tt.not != "" && strings.Contains(answer, tt.not) {
					t.Errorf("answer holds %q:\n%s", tt.not, answer)
				}
				w.want("nothing runs", map[string]string{"review": "done"})
			})
		}
	}
}

// TestHelpOnce holds that of unknown commands people are told once.
func TestHelpOnce(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	comments := len(w.comments)
	for i := range 3 {
		user := object{"login": "ada"}
		w.work(w.event("issue_comment", "created", object{
			"issue": object{"number": 7, "pull_request": object{}}, "comment": object{"id": 500 + i, "body": "/assay fly", "user": user}, "sender": user,
		}))
	}
	if n := len(w.comments) - comments; n != 1 || !slices.Contains(w.reactions, "502 confused") {
		t.Errorf("%d answers, reactions %v", n, w.reactions)
	}
}

// TestThousandCommands holds that a comment full of commands costs no more than
// one with a few.
func TestThousandCommands(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, "/assay explain %08x\n/assay review\n", i)
	}
	w.work(w.say("ada", body.String()))
	w.want("one attempt", map[string]string{"review": "done done"})
	if n := strings.Count(w.answer(), "There is no finding"); n == 0 || n > 10 {
		t.Errorf("%d parts of the answer", n)
	}
}

// TestCommandUnanswered holds that what was asked for is done although GitHub
// refuses the reaction and the answer, and that it is tried again where GitHub
// is out of reach.
func TestCommandUnanswered(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	w.fail["React"] = fault.New(fault.Unauthorized, errors.New("locked"))
	id := w.say("ada", "/assay review\n/assay help")
	w.fail["FindComment"] = fault.New(fault.Transient, errors.New("away"))
	if err := w.p.Decide(t.Context(), id); fault.KindOf(err) != fault.Transient {
		t.Fatalf("decided with %v", err)
	}
	delete(w.fail, "FindComment")
	w.work(id)
	w.want("reviewed once more", map[string]string{"review": "done done"})
	if !strings.Contains(w.answer(), "/assay help") {
		t.Errorf("answer %q", w.answer())
	}
}

// TestCommandHeadMoves holds that a command that was begun at one head opens
// nothing at another.
func TestCommandHeadMoves(t *testing.T) {
	w := newWorld(t)
	w.work(w.deliver("opened", head("a")))
	w.crashAt = "answered"
	id := w.say("ada", "/assay review")
	func() {
		defer func() { _ = recover() }()
		_ = w.p.Decide(t.Context(), id)
	}()
	w.pull.HeadSHA = head("c")
	w.work(id)
	if status, reason := w.status(id); status != store.DeliverySuperseded {
		t.Errorf("the delivery is %s, %s", status, reason)
	}
	if check, _ := w.onlyCheck(); check.Status != review.CheckCompleted {
		t.Errorf("the old head's check is left %s", check.Status)
	}
}
