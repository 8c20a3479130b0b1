package ghfake

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// checkRunInput is what creating and updating a check run take. Absent fields
// are left as they are.
type checkRunInput struct {
	Name        *string      `json:"name"`
	HeadSHA     string       `json:"head_sha"`
	DetailsURL  *string      `json:"details_url"`
	ExternalID  *string      `json:"external_id"`
	Status      string       `json:"status"`
	Conclusion  string       `json:"conclusion"`
	StartedAt   *time.Time   `json:"started_at"`
	CompletedAt *time.Time   `json:"completed_at"`
	Output      *outputInput `json:"output"`
	Actions     []Action     `json:"actions"`
}

type outputInput struct {
	Title       *string      `json:"title"`
	Summary     *string      `json:"summary"`
	Text        *string      `json:"text"`
	Annotations []Annotation `json:"annotations"`
}

// check holds the input to the rules that only prose states.
func (in *checkRunInput) check(c *call) error {
	switch {
	case in.Status == "completed" && in.Conclusion == "":
		return c.broken(badCheck(`"conclusion" wasn't supplied.`))
	case in.Conclusion == "stale":
		return c.broken(badCheck("For 'conclusion', only GitHub can set stale."))
	case slices.Contains([]string{"waiting", "requested", "pending"}, in.Status):
		return c.broken(badCheck("For 'status', only GitHub Actions can set %s.", in.Status))
	case in.Name != nil && *in.Name == "":
		return c.broken(badCheck("For 'name', must not be empty."))
	}
	return in.Output.check(c)
}

func (s *Server) createCheckRun(c *call) (answer, error) {
	var in checkRunInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(c); err != nil {
		return answer{}, err
	}
	if c.repo.objects.commits[in.HeadSHA] == nil {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", in.HeadSHA)
	}
	return created(s.runJSON(s.addRun(c.caller.app, c.repo, in))), nil
}

// addRun makes a check run and sends its events.
func (s *Server) addRun(app *App, repo *Repo, in checkRunInput) *checkRun {
	r := &checkRun{app: app, repo: repo, suite: s.suite(app, repo, in.HeadSHA)}
	r.ID, r.HeadSHA, r.App, r.SuiteID = s.nextID(), in.HeadSHA, app.ID, r.suite.id
	r.Status, r.DetailsURL, r.StartedAt = "queued", s.web("apps", app.Slug), s.stamp()
	s.runs[r.ID] = r
	r.suite.runs = append(r.suite.runs, r)
	s.applyRun(r, in)
	s.emit(Event{Name: "check_run", Action: "created", Repo: repo, run: r, Sender: app.BotLogin()})
	s.finish(r, "")
	return r
}

func (s *Server) updateCheckRun(c *call) (answer, error) {
	r, err := c.run()
	if err != nil {
		return answer{}, err
	}
	if r.app != c.caller.app {
		return answer{}, problem(http.StatusForbidden, "Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", c.caller.app.ID)
	}
	var in checkRunInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(c); err != nil {
		return answer{}, err
	}
	before := r.Status
	s.applyRun(r, in)
	r.Updates++
	s.finish(r, before)
	return ok(s.runJSON(r)), nil
}

// applyRun puts an input into a run. Annotations are added to those there are.
func (s *Server) applyRun(r *checkRun, in checkRunInput) {
	set(&r.Name, in.Name)
	set(&r.ExternalID, in.ExternalID)
	set(&r.DetailsURL, in.DetailsURL)
	set(&r.StartedAt, in.StartedAt)
	r.StartedAt = r.StartedAt.UTC().Truncate(time.Second)
	if o := in.Output; o != nil {
		set(&r.Title, o.Title)
		set(&r.Summary, o.Summary)
		set(&r.Text, o.Text)
		r.Annotations = append(r.Annotations, o.Annotations...)
	}
	if in.Actions != nil {
		r.Actions = in.Actions
	}
	if in.Status != "" && in.Status != "completed" && in.Conclusion == "" {
		r.Status, r.Conclusion, r.CompletedAt = in.Status, "", time.Time{}
	}
	if in.Conclusion != "" { // a conclusion completes the run
		if r.CompletedAt.IsZero() {
			r.CompletedAt = s.stamp()
		}
		r.Status, r.Conclusion = "completed", in.Conclusion
		set(&r.CompletedAt, in.CompletedAt)
		r.CompletedAt = r.CompletedAt.UTC().Truncate(time.Second)
	}
	r.suite.rerequested, r.suite.updated = false, s.stamp()
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// finish sends the events of a run, and with the last one its suite, that is
// completed now and was not before.
func (s *Server) finish(r *checkRun, before string) {
	if r.Status != "completed" || before == "completed" {
		return
	}
	bot := r.app.BotLogin()
	s.emit(Event{Name: "check_run", Action: "completed", Repo: r.repo, run: r, Sender: bot})
	if status, _ := r.suite.state(); status == "completed" {
		s.emit(Event{Name: "check_suite", Action: "completed", Repo: r.repo, suite: r.suite, Sender: bot})
	}
}

// run is the check run the path names.
func (c *call) run() (*checkRun, error) {
	id, err := c.id("check_run_id")
	if err != nil {
		return nil, err
	}
	if r := c.s.runs[id]; r != nil && r.repo == c.repo {
		return r, nil
	}
	return nil, notFound()
}

func (s *Server) getCheckRun(c *call) (answer, error) {
	r, err := c.run()
	if err != nil {
		return answer{}, err
	}
	return ok(s.runJSON(r)), nil
}

func (s *Server) listAnnotations(c *call) (answer, error) {
	r, err := c.run()
	if err != nil {
		return answer{}, err
	}
	return paged(c, r.Annotations, func(a Annotation) object {
		return object{
			"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine,
			"start_column": orNull(a.StartColumn), "end_column": orNull(a.EndColumn), "annotation_level": a.Level,
			"title": orNull(a.Title), "message": a.Message, "raw_details": orNull(a.RawDetails),
			"blob_href": s.api("repos", r.repo.Owner, r.repo.Name, "git", "blobs", s.blobAt(r, a.Path)),
		}
	}), nil
}

func (s *Server) blobAt(r *checkRun, path string) string {
	return r.repo.objects.files(r.repo.objects.treeOf(r.HeadSHA))[path].sha
}

func (s *Server) rerequestCheckRun(c *call) (answer, error) {
	r, err := c.run()
	if err != nil {
		return answer{}, err
	}
	s.rerequest(r, c.caller.app.BotLogin())
	return created(object{}), nil
}

func (s *Server) listCheckRuns(c *call) (answer, error) {
	sha := c.repo.resolve(c.params["ref"])
	if sha == "" {
		return answer{}, problem(http.StatusUnprocessableEntity, "No commit found for SHA: %s", c.params["ref"])
	}
	return s.runsAnswer(c, s.runsAt(c.repo, sha)), nil
}

func (s *Server) runsAnswer(c *call, runs []*checkRun) answer {
	if c.query("filter") != "all" {
		runs = latestRuns(runs)
	}
	app, _ := strconv.ParseInt(c.query("app_id"), 10, 64) // the description wants a number
	runs = slices.DeleteFunc(slices.Clone(runs), func(r *checkRun) bool {
		return app != 0 && r.App != app ||
			c.query("check_name") != "" && r.Name != c.query("check_name") ||
			c.query("status") != "" && r.Status != c.query("status")
	})
	slices.Reverse(runs) // newest first
	return counted(c, "check_runs", runs, s.runJSON)
}
