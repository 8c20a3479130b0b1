package ghfake

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// CheckRun is a check run as it stands.
type CheckRun struct {
	ID         int64
	Name       string
	HeadSHA    string
	ExternalID string
	DetailsURL string
	Status     string
	// Conclusion is empty while the run is not completed.
	Conclusion           string
	StartedAt            time.Time
	CompletedAt          time.Time
	Title, Summary, Text string
	Annotations          []Annotation
	Actions              []Action
	// App is the ID of the app that made it.
	App     int64
	SuiteID int64
	// Updates is how often it was updated.
	Updates int
}

// Annotation is a message on lines of a file.
type Annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn int    `json:"start_column"` // 0 when not given
	EndColumn   int    `json:"end_column"`
	Level       string `json:"annotation_level"`
	Title       string `json:"title"`
	Message     string `json:"message"`
	RawDetails  string `json:"raw_details"`
}

// Action is a button on a completed check run.
type Action struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

type checkRun struct {
	CheckRun
	app   *App
	repo  *Repo
	suite *checkSuite
}

// checkSuite gathers an app's check runs of one commit.
type checkSuite struct {
	id      int64
	app     *App
	repo    *Repo
	headSHA string
	branch  string // empty for commits of forks
	before  string
	runs    []*checkRun
	created time.Time
	updated time.Time
	// rerequested says that the runs are to be made again, which GitHub shows
	// as a queued suite until one of them changes.
	rerequested bool
}

// commitKey names a commit of a repository; forks share commits.
type commitKey struct {
	repo int64
	sha  string
}

// conclusions in order of priority: the first that one of the runs has is the
// suite's.
func conclusions() []string {
	return []string{"action_required", "timed_out", "cancelled", "failure", "neutral", "skipped", "success"}
}

// state derives the status and conclusion of a suite from its runs.
func (s *checkSuite) state() (status, conclusion string) {
	if len(s.runs) == 0 || s.rerequested {
		return "queued", ""
	}
	latest := latestRuns(s.runs)
	started := false
	for _, r := range latest {
		started = started || r.Status != "queued"
		if r.Status != "completed" {
			status = "in_progress"
		}
	}
	switch {
	case !started:
		return "queued", ""
	case status != "":
		return status, ""
	}
	for _, c := range conclusions() {
		if slices.ContainsFunc(latest, func(r *checkRun) bool { return r.Conclusion == c }) {
			return "completed", c
		}
	}
	return "completed", ""
}

// latestRuns keeps the newest run of each app and name.
func latestRuns(runs []*checkRun) []*checkRun {
	type key struct {
		app  int64
		name string
	}
	newest := map[key]*checkRun{}
	for _, r := range runs {
		k := key{r.App, r.Name}
		if newest[k] == nil || r.ID > newest[k].ID {
			newest[k] = r
		}
	}
	var out []*checkRun
	for _, r := range runs {
		if newest[key{r.App, r.Name}] == r {
			out = append(out, r)
		}
	}
	return out
}

// requestSuites makes a suite for every app that writes checks, as GitHub does
// on a push, and sends it check_suite.requested.
func (s *Server) requestSuites(repo *Repo, branch, before, sha, by string) {
	for _, inst := range s.installationsOn(repo) {
		if levelOf(inst.permissions["checks"]) < write {
			continue
		}
		suite := s.suite(inst.App, repo, sha)
		suite.branch, suite.before = branch, before
		s.emit(Event{Name: "check_suite", Action: "requested", Repo: repo, suite: suite, Sender: by, only: inst.App})
	}
}

// suite is an app's suite of a commit, made when there is none.
func (s *Server) suite(app *App, repo *Repo, sha string) *checkSuite {
	at := commitKey{repo.ID, sha}
	for _, suite := range s.suitesAt[at] {
		if suite.app == app {
			return suite
		}
	}
	suite := &checkSuite{id: s.nextID(), app: app, repo: repo, headSHA: sha, created: s.stamp(), updated: s.stamp()}
	for _, branch := range sortedKeys(repo.branches) {
		if repo.branches[branch] == sha {
			suite.branch = branch
			break
		}
	}
	s.suites[suite.id] = suite
	s.suitesAt[at] = append(s.suitesAt[at], suite)
	return suite
}

// runsAt are the check runs of a commit, oldest first.
func (s *Server) runsAt(repo *Repo, sha string) []*checkRun {
	var out []*checkRun
	for _, suite := range s.suitesAt[commitKey{repo.ID, sha}] {
		out = append(out, suite.runs...)
	}
	slices.SortFunc(out, func(a, b *checkRun) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// CheckRuns returns the check runs of a commit with all they show, oldest
// first.
func (s *Server) CheckRuns(repo *Repo, sha string) []CheckRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []CheckRun
	for _, r := range s.runsAt(repo, sha) {
		run := r.CheckRun
		run.Annotations, run.Actions = slices.Clone(run.Annotations), slices.Clone(run.Actions)
		out = append(out, run)
	}
	return out
}

// RerequestCheckRun is a person pressing "Re-run" on a check run. The run
// itself does not change: that is left to the app.
func (s *Server) RerequestCheckRun(id int64, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rerequest(s.mustRun(id), by)
}

func (s *Server) rerequest(r *checkRun, by string) {
	r.suite.rerequested, r.suite.updated = true, s.stamp()
	s.emit(Event{Name: "check_run", Action: "rerequested", Repo: r.repo, run: r, Sender: by, only: r.app})
}

// RerequestCheckSuite is a person pressing "Re-run all checks" of an app on a
// commit.
func (s *Server) RerequestCheckSuite(app *App, repo *Repo, sha, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rerequestSuite(s.suite(app, repo, sha), by)
}

func (s *Server) rerequestSuite(suite *checkSuite, by string) {
	suite.rerequested, suite.updated = true, s.stamp()
	s.emit(Event{Name: "check_suite", Action: "rerequested", Repo: suite.repo, suite: suite, Sender: by, only: suite.app})
}

// PressAction is a person pressing one of a check run's buttons.
func (s *Server) PressAction(id int64, identifier, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRun(id)
	if !slices.ContainsFunc(r.Actions, func(a Action) bool { return a.Identifier == identifier }) {
		panic(fmt.Sprintf("ghfake: check run %d has no action %q", id, identifier))
	}
	s.emit(Event{
		Name: "check_run", Action: "requested_action", Repo: r.repo, run: r, Sender: by, only: r.app,
		extra: object{"requested_action": object{"identifier": identifier}},
	})
}

func (s *Server) mustRun(id int64) *checkRun {
	r := s.runs[id]
	if r == nil {
		panic(fmt.Sprintf("ghfake: no check run %d", id))
	}
	return r
}

func (s *Server) runJSON(r *checkRun) object {
	api := s.api("repos", r.repo.Owner, r.repo.Name, "check-runs", r.ID)
	actions := r.Actions
	if actions == nil {
		actions = []Action{}
	}
	return object{
		"id": r.ID, "node_id": nodeID("CR", r.ID), "head_sha": r.HeadSHA, "external_id": r.ExternalID, "name": r.Name,
		"url": api, "html_url": s.web(r.repo.Owner, r.repo.Name, "runs", r.ID), "details_url": orNull(r.DetailsURL),
		"status": r.Status, "conclusion": orNull(r.Conclusion), "started_at": orNull(r.StartedAt), "completed_at": orNull(r.CompletedAt),
		"output": object{
			"title": orNull(r.Title), "summary": orNull(r.Summary), "text": orNull(r.Text),
			"annotations_count": len(r.Annotations), "annotations_url": api + "/annotations",
		},
		"check_suite": object{"id": r.suite.id}, "app": s.appJSON(r.app),
		"pull_requests": mapped(r.repo.pullsAt(r.HeadSHA), s.pullMinimalJSON), "actions": actions,
	}
}

func (s *Server) suiteJSON(suite *checkSuite) object {
	status, conclusion := suite.state()
	api := s.api("repos", suite.repo.Owner, suite.repo.Name, "check-suites", suite.id)
	return object{
		"id": suite.id, "node_id": nodeID("CS", suite.id), "head_branch": orNull(suite.branch), "head_sha": suite.headSHA,
		"status": status, "conclusion": orNull(conclusion), "url": api, "before": orNull(suite.before), "after": suite.headSHA,
		"pull_requests": mapped(suite.repo.pullsAt(suite.headSHA), s.pullMinimalJSON), "app": s.appJSON(suite.app),
		"created_at": suite.created, "updated_at": suite.updated, "rerequestable": true, "runs_rerequestable": true,
		"latest_check_runs_count": len(latestRuns(suite.runs)), "check_runs_url": api + "/check-runs",
		"head_commit": simpleCommitJSON(suite.repo.objects.commits[suite.headSHA]),
	}
}
