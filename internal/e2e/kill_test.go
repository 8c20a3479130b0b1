package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"assay/internal/ghfake"
)

// points are where the service can be made to kill itself: right after a
// delivery was committed, after its check run was made but not noted, after the
// agents' result was stored, after the check run was concluded, and after the
// comment was posted but not noted.
var points = []string{"accepted", "check-created", "judged", "check-completed", "comment-posted"}

// TestKill holds promises 1 and 2 against crashes: the service is killed at
// each of the points and at random, under load, again and again; then every
// delivery that was accepted is finished, every head has one check run, which
// is concluded, and no pull request has two comments.
func TestKill(t *testing.T) {
	kills := 60
	if n, err := strconv.Atoi(os.Getenv("SOAK_KILLS")); err == nil {
		kills = n
	}
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var pulls []*ghfake.PullRequest
	byPoint := make(map[string]int)
	for round := range kills {
		point := "random"
		var env []string
		if round%2 == 0 {
			point = points[(round/2)%len(points)]
			env = append(env, fmt.Sprintf("ASSAY_CRASH_AT=%s:%d", point, 1+random.IntN(2)))
		}
		s := w.serve(env...)
		// Two fresh pull requests each time, so that each point is passed, and
		// pushes to older ones.
		for range 2 {
			pulls = append(pulls, w.gh.OpenPull(w.repo, ghfake.Pull{Title: fmt.Sprint("Change ", len(pulls))}, conflict("a.go")))
		}
		for range 3 {
			pull := pulls[random.IntN(len(pulls))]
			w.gh.Push(pull, ghfake.Files{"b.go": ghfake.Text(fmt.Sprintf("package main\n\nvar b = %d\n", random.Int()))}, "push")
		}
		if point == "random" {
			<-time.After(time.Duration(random.IntN(400)) * time.Millisecond)
			s.kill()
		} else {
			select {
			case <-s.done:
			case <-time.After(10 * time.Second):
				// Its work was done before: count it as a kill at no point.
				point = "idle"
				s.kill()
			}
		}
		byPoint[point]++
		w.flush()
	}
	t.Logf("kills: %v", byPoint)
	for _, point := range points {
		if byPoint[point] == 0 {
			t.Errorf("no kill at %q", point)
		}
	}

	s := w.serve()
	w.idle()
	s.stop()
	w.verify(pulls)
}

// verify holds the state after crashes to the promises.
func (w *world) verify(pulls []*ghfake.PullRequest) {
	w.t.Helper()
	db := w.open()
	defer db.Close()
	accepted := 0
	for _, d := range w.gh.Deliveries() {
		if d.StatusCode != 202 {
			continue
		}
		accepted++
		var status string
		if err := db.QueryRow(`SELECT status FROM deliveries WHERE guid = $1`, d.GUID).Scan(&status); err != nil {
			w.t.Errorf("accepted delivery %s is lost: %v", d.GUID, err)
		} else if status == "accepted" || status == "dead" {
			w.t.Errorf("accepted delivery %s ends as %s", d.GUID, status)
		}
	}
	checks, reviewed := 0, 0
	seen := make(map[string]bool)
	for _, pull := range pulls {
		comments := w.gh.Comments(pull)
		if len(comments) > 1 {
			w.t.Errorf("pull request %d has %d comments", pull.Number, len(comments))
		}
		head := pull.HeadSHA()
		var known int
		if err := db.QueryRow(`SELECT count(*) FROM deliveries WHERE number = $1 AND head_sha = $2`, pull.Number, head).Scan(&known); err != nil {
			w.t.Error(err)
		}
		here := w.gh.CheckRuns(w.repo, head)
		if known > 0 {
			reviewed++
			if len(here) != 1 || here[0].Conclusion != "failure" || len(here[0].Annotations) != 1 || len(comments) != 1 {
				w.t.Errorf("pull request %d at %.7s: %d check runs, %+v, %d comments; want one failure with one annotation, and one comment",
					pull.Number, head, len(here), here, len(comments))
			}
		}
	}
	rows, err := db.Query(`SELECT DISTINCT head_sha FROM runs`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var head string
		if err := rows.Scan(&head); err != nil {
			w.t.Fatal(err)
		}
		if seen[head] {
			continue
		}
		seen[head] = true
		here := w.gh.CheckRuns(w.repo, head)
		checks += len(here)
		if len(here) > 1 {
			w.t.Errorf("head %.7s has %d check runs", head, len(here))
		}
		for _, c := range here {
			if c.Status != "completed" {
				w.t.Errorf("head %.7s: the check is left %s", head, c.Status)
			}
		}
	}
	w.t.Logf("%d deliveries accepted, all finished; %d heads with %d check runs; %d pull requests reviewed at their last head", accepted, len(seen), checks, reviewed)
	if accepted < len(pulls)/2 || reviewed == 0 {
		w.t.Errorf("only %d deliveries were accepted and %d pull requests reviewed: the test has not tested much", accepted, reviewed)
	}
}
