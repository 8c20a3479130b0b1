package server

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"assay/internal/fault"
)

const (
	// maxRunBody bounds the body of a request to run something, in bytes.
	maxRunBody = 64 << 10
	// runRetryAfter is when what could not be stored is worth another try.
	runRetryAfter = 10 * time.Second
)

// RunRequest asks for a run by hand.
type RunRequest struct {
	// Repository is "owner/name".
	Repository string `json:"repository"`
	// Pull is the number of a pull request; or else Ref is a branch, the
	// default branch when empty.
	Pull int    `json:"pull"`
	Ref  string `json:"ref"`
	// Pipeline is the one pipeline to run; empty for those that listen to
	// Event.
	Pipeline string `json:"pipeline"`
	// Event is "manual.run", also when empty, or "repository.health_check".
	Event string `json:"event"`

	// Owner and Name are the two parts of Repository.
	Owner string `json:"-"`
	Name  string `json:"-"`
	// Key is the header Idempotency-Key; may be empty.
	Key string `json:"-"`
}

// RunAnswer says what became of a request that was stored.
type RunAnswer struct {
	Success bool `json:"success"`
	// Delivery is the GUID under which the request is stored.
	Delivery string `json:"delivery"`
	// Status is the delivery's: "accepted" until it was decided on.
	Status string `json:"status"`
	// Error says why nothing was started.
	Error string `json:"error,omitempty"`
	// Run is the first of Runs; nil while there is none.
	Run  *RunStarted  `json:"run,omitempty"`
	Runs []RunStarted `json:"runs,omitempty"`
}

// RunStarted is a run that was started.
type RunStarted struct {
	ID       string `json:"id"`
	Pipeline string `json:"pipeline"`
	URL      string `json:"url"`
	Status   string `json:"status"`
	HeadSHA  string `json:"head_sha"`
}

// refusal is an answer about a request that is not as it should be.
type refusal struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
	// Field is the key of the body, or the header, that is wrong.
	Field string `json:"field,omitempty"`
}

func refuse(c echo.Context, status int, field, message string) error {
	return c.JSON(status, refusal{Error: message, Field: field})
}

// run answers 202 once the request is stored, with the runs where they were
// opened in time, and 422 when nothing came of it.
func (o *Operations) run(c echo.Context) error {
	r, field, err := readRun(c.Request())
	if err != nil {
		return refuse(c, http.StatusBadRequest, field, err.Error())
	}
	a, err := o.Run(c.Request().Context(), r)
	if err != nil {
		return runRefused(c, err)
	}
	status := http.StatusAccepted
	a.Success = a.Error == "" || len(a.Runs) > 0
	if !a.Success {
		status = http.StatusUnprocessableEntity
	}
	if len(a.Runs) > 0 {
		a.Run = &a.Runs[0]
	}
	return c.JSON(status, a)
}

func runRefused(c echo.Context, err error) error {
	switch fault.KindOf(err) {
	case fault.Gone:
		return refuse(c, http.StatusNotFound, "repository", "the app is not installed on this repository, or the installation is suspended")
	case fault.Invalid:
		return refuse(c, http.StatusConflict, "Idempotency-Key", err.Error())
	case fault.Transient, fault.RateLimited, fault.Busy:
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(runRetryAfter.Seconds())))
		return refuse(c, http.StatusServiceUnavailable, "", "the request could not be stored, or GitHub is out of reach: try again")
	}
	return err
}

// readRun reads and checks a request. field names what is wrong with it.
func readRun(req *http.Request) (r RunRequest, field string, err error) {
	text, err := io.ReadAll(io.LimitReader(req.Body, maxRunBody+1))
	switch {
	case err != nil:
		return r, "", errors.New("the body could not be read")
	case len(text) > maxRunBody:
		return r, "", errors.New("the body is too large")
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return r, fieldOf(err), errors.New("the body must be a JSON object with the keys repository, pull or ref, pipeline, event: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	if decoder.More() {
		return r, "", errors.New("the body must be one JSON object")
	}
	r.Key = req.Header.Get("Idempotency-Key")
	field, err = r.check()
	return r, field, err
}

func fieldOf(err error) string {
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return typed.Field
	}
	return ""
}

var (
	// repoForm is what GitHub takes as a repository's full name.
	repoForm = regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9._-]{1,100})$`)
	keyForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	// refForm leaves out what git does not take in a branch's name, and what
	// would lead a URL astray (https://git-scm.com/docs/git-check-ref-format).
	refForm = regexp.MustCompile(`^[^\x00-\x20\x7f~^:?*\[\\]{1,244}$`)
	// pipelineForm is any name of a pipeline that a config may have.
	pipelineForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// check holds each field to its form and fills in what follows from it.
func (r *RunRequest) check() (field string, err error) {
	parts := repoForm.FindStringSubmatch(r.Repository)
	r.Ref = strings.TrimPrefix(r.Ref, "refs/heads/")
	if r.Event == "" {
		r.Event = "manual.run"
	}
	switch {
	case r.Repository == "":
		return "repository", errors.New(`repository is missing: give it as "owner/name"`)
	case parts == nil || parts[2] == "." || parts[2] == "..":
		return "repository", errors.New(`repository must be "owner/name"`)
	case r.Pull < 0 || r.Pull > math.MaxInt32:
		return "pull", errors.New("pull must be the number of a pull request")
	case r.Pull != 0 && r.Ref != "":
		return "ref", errors.New("give pull or ref, not both")
	case r.Ref != "" && (!refForm.MatchString(r.Ref) || strings.Contains(r.Ref, "..") || strings.HasPrefix(r.Ref, "/") || strings.HasSuffix(r.Ref, "/")):
		return "ref", errors.New("ref must be the name of a branch")
	case r.Pipeline != "" && !pipelineForm.MatchString(r.Pipeline):
		return "pipeline", errors.New("pipeline must be the name of a pipeline")
	case r.Event != "manual.run" && r.Event != "repository.health_check":
		return "event", errors.New("event must be manual.run or repository.health_check")
	case r.Event == "repository.health_check" && r.Pull != 0:
		return "pull", errors.New("repository.health_check is about a repository, not about a pull request")
	case r.Key != "" && !keyForm.MatchString(r.Key):
		return "Idempotency-Key", errors.New("Idempotency-Key must have 8 to 64 letters, digits, - and _, as a UUID has")
	}
	r.Owner, r.Name = parts[1], parts[2]
	return "", nil
}
