package review

import (
	"strings"
	"time"
)

// checkPrefix begins the names of our check runs. Required checks are
// configured by these names, so it never changes.
const checkPrefix = "assay / "

// CheckName is the name of a pipeline's check run, as "assay / review".
func CheckName(pipeline string) string { return checkPrefix + pipeline }

// PipelineOf is the pipeline whose check run is called check; ok is false for
// names that CheckName does not make.
func PipelineOf(check string) (pipeline string, ok bool) {
	pipeline, ok = strings.CutPrefix(check, checkPrefix)
	return pipeline, ok && pipeline != ""
}

// CheckRun is a check run as Assay writes it to GitHub
// (https://docs.github.com/rest/checks/runs).
type CheckRun struct {
	// Name is the stable name of the check, as "assay / review".
	Name    string
	HeadSHA string
	// ExternalID is the ID of the run; by it a check run is found again after
	// a crash.
	ExternalID string
	DetailsURL string
	Status     CheckStatus
	// Conclusion is set when, and only when, Status is CheckCompleted.
	Conclusion  Conclusion
	StartedAt   time.Time
	CompletedAt time.Time
	Output      CheckOutput
}

// CheckStatus is the status of a check run on GitHub.
type CheckStatus string

// The statuses an app may set.
const (
	CheckQueued     CheckStatus = "queued"
	CheckInProgress CheckStatus = "in_progress"
	CheckCompleted  CheckStatus = "completed"
)

// CheckOutput is what a check run shows. Title and Summary are required by
// GitHub as soon as any of it is sent.
type CheckOutput struct {
	Title   string
	Summary string
	Text    string
	// Annotations may be any number: the writer sends them 50 a request.
	Annotations []Annotation
}

// Annotation is a message on lines of a file in a check run.
type Annotation struct {
	Path      string
	StartLine int
	EndLine   int
	Level     AnnotationLevel
	Title     string
	Message   string
	// RawDetails is shown folded, in a fixed-width font; may be empty.
	RawDetails string
}

// AnnotationLevel is the level of an annotation on GitHub.
type AnnotationLevel string

// The levels.
const (
	LevelNotice  AnnotationLevel = "notice"
	LevelWarning AnnotationLevel = "warning"
	LevelFailure AnnotationLevel = "failure"
)
