package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/internal/store"
	"assay/review"
)

// own stores a delivery of the service's own making.
func (w *world) own(name, action string, fields object) int64 {
	w.t.Helper()
	id := w.event(name, action, fields)
	if _, err := w.store.DB().ExecContext(w.t.Context(), `UPDATE deliveries SET headers = $1 WHERE id = $2`, []byte(fmt.Sprintf(`{%q: "1"}`, AskedHeader)), id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// runsOf are the runs that a delivery has opened.
func (w *world) runsOf(delivery int64) []store.Run {
	w.t.Helper()
	d, err := w.store.Delivery(w.t.Context(), delivery)
	if err != nil {
		w.t.Fatal(err)
	}
	runs, err := w.store.RunsOfDelivery(w.t.Context(), d.GUID)
	if err != nil {
		w.t.Fatal(err)
	}
	return runs
}

const ownConfig = `version: 1
pipelines:
  review: {agents: [finder], when: 'false', drafts: false}
  health: {on: [schedule.daily, manual.run, repository.health_check], agents: [finder]}
`

// TestAsked holds what schedules and requests by hand open, and what they say
// when they open nothing.
func TestAsked(t *testing.T) {
	tests := []struct {
		name, event, action string
		asked               object
		change              func(*world)
		pipelines           string // of the runs opened
		reason              string // of a delivery that opens none
	}{
		{"a schedule", "schedule", "daily", nil, nil, "health at main", ""},
		{"a schedule that nothing listens to", "schedule", "weekly", nil, nil, "", "no pipeline listens to schedule.weekly"},
		{"a health check", "repository", "health_check", object{}, nil, "health at main", ""},
		{"a branch", "manual", "run", object{"ref": "dev"}, nil, "health at dev", ""},
		{"no such branch", "manual", "run", object{"ref": "none"}, nil, "", "there is no branch none"},
		{"a pull request", "manual", "run", object{"pull": 7}, nil, "health #7", ""},
		{"a named pipeline, whatever holds it back", "manual", "run", object{"pull": 7, "pipeline": "review"}, func(w *world) { w.pull.Draft = true }, "review #7", ""},
		{"a named pipeline over a branch", "manual", "run", object{"pipeline": "review"}, nil, "review at main", ""},
		{"no such pipeline", "manual", "run", object{"pull": 7, "pipeline": "x"}, nil, "", `there is no pipeline "x": there are review, health`},
		{"a closed pull request", "manual", "run", object{"pull": 7}, func(w *world) { w.pull.Closed = true }, "", closedReason},
		{"a draft, unnamed", "manual", "run", object{"pull": 7}, func(w *world) { w.pull.Draft = true }, "", "health: the pull request is a draft"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.config = ownConfig
			w.heads = map[string]string{"main": strings.Repeat("a", 40), "dev": strings.Repeat("b", 40)}
			if tt.change != nil {
				tt.change(w)
			}
			id := w.own(tt.event, tt.action, object{"asked": tt.asked})
			w.decide(id)
			var got []string
			for _, r := range w.runsOf(id) {
				what := fmt.Sprintf("%s #%d", r.Pipeline, r.Pull.Number)
				if r.Pull.Number == 0 {
					what = r.Pipeline + " at " + r.Pull.HeadRef
					if r.Pull.HeadSHA != w.heads[r.Pull.HeadRef] || r.Pull.BaseSHA != "" || r.Pull.BaseRef != "main" {
						t.Errorf("the run is over %+v", r.Pull)
					}
				}
				if r.Status != review.StatusQueued || r.CheckID == 0 || !r.Enqueued {
					t.Errorf("the run is %+v", r)
				}
				got = append(got, what)
			}
			status, reason := w.status(id)
			if strings.Join(got, ", ") != tt.pipelines || reason != tt.reason {
				t.Errorf("opened %q, %s: %q; want %q, %q", got, status, reason, tt.pipelines, tt.reason)
			}
		})
	}
}

// TestAskedAgain holds that each request is another attempt in the one check
// run, and that a head that is being reviewed is not reviewed twice.
func TestAskedAgain(t *testing.T) {
	w := newWorld(t)
	w.config = ownConfig
	w.heads = map[string]string{"main": strings.Repeat("a", 40)}
	first := w.own("schedule", "daily", nil)
	w.decide(first)
	second := w.own("schedule", "daily", nil)
	w.decide(second)
	if _, reason := w.status(second); reason != "a review of aaaaaaa is under way already" {
		t.Errorf("while one is under way: %q", reason)
	}
	run := w.runsOf(first)[0]
	if err := w.p.Run(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	third := w.own("schedule", "daily", nil)
	w.decide(third)
	if again := w.runsOf(third); len(again) != 1 || again[0].Attempt != 2 || again[0].CheckID != run.CheckID {
		t.Errorf("the next day opens %+v", again)
	}
}

// TestAskedByStrangers holds that what only the service makes is not acted on
// when it comes without the mark, which the webhook lets nobody send.
func TestAskedByStrangers(t *testing.T) {
	w := newWorld(t)
	w.config = ownConfig
	for _, ev := range [][2]string{{"schedule", "daily"}, {"manual", "run"}, {"repository", "health_check"}} {
		id := w.event(ev[0], ev[1], nil)
		w.decide(id)
		if status, reason := w.status(id); status != store.DeliveryIgnored || !strings.HasPrefix(reason, "nothing acts on") {
			t.Errorf("%v: %s, %q", ev, status, reason)
		}
	}
}

// TestSchedulesMayChange holds that a push has the config read again, and an
// organisation's that of all its repositories, once the API is sure to know it.
func TestSchedulesMayChange(t *testing.T) {
	w := newWorld(t)
	far := time.Now().Add(1000 * time.Hour)
	if err := w.store.AddRepositories(t.Context(), 1, []review.Repo{{ID: 1, Owner: "o", Name: "n", DefaultBranch: "main"}, {ID: 2, Owner: "o", Name: "m"}, {ID: 3, Owner: "x", Name: "y"}}); err != nil {
		t.Fatal(err)
	}
	at := func(id int64) (micros int64) {
		t.Helper()
		if err := w.store.DB().QueryRowContext(t.Context(), `SELECT schedules_at FROM repositories WHERE id = $1`, id).Scan(&micros); err != nil {
			t.Fatal(err)
		}
		return micros
	}
	for name, want := range map[string][3]bool{"n": {true, false, false}, ".github": {true, true, false}} {
		if err := w.store.ReadAllSchedulesAt(t.Context(), far); err != nil {
			t.Fatal(err)
		}
		if err := w.p.schedulesMayChange(t.Context(), review.Event{Name: "push", Repo: review.Repo{ID: 1, Owner: "o", Name: name}}); err != nil {
			t.Fatal(err)
		}
		for i, moved := range want {
			if got := at(int64(i+1)) < far.UnixMicro(); got != moved {
				t.Errorf("push to %s: repository %d to be read again is %t", name, i+1, got)
			}
			if moved && at(int64(i+1)) < time.Now().Add(apiLag/2).UnixMicro() {
				t.Errorf("push to %s: repository %d is read before GitHub's API knows of it", name, i+1)
			}
		}
	}
}
