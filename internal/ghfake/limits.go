package ghfake

import (
	"fmt"
	"net/http"
	"unicode/utf8"
)

// Limits that GitHub states in prose, or in the errors it answers. Those that
// its description carries (50 annotations, 3 actions and their lengths, 65,535
// characters of summary and text) are checked by the description itself.
const (
	// https://docs.github.com/rest/checks/runs#create-a-check-run
	maxAnnotationTitle   = 255
	maxAnnotationMessage = 64 << 10
	maxAnnotationDetails = 64 << 10

	// maxBody is from the API's own error: "Body is too long (maximum is 65536
	// characters)".
	maxBody = 65_536

	// maxTokenRepos is from
	// https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
	maxTokenRepos = 500

	// maxPullFiles is from
	// https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
	maxPullFiles = 3000
	// maxPullCommits is from
	// https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
	maxPullCommits = 250

	// Limits on diffs, from
	// https://docs.github.com/repositories/creating-and-managing-repositories/repository-limits
	maxFileDiffLines = 20_000
	maxFileDiffBytes = 500 << 10
	maxDiffLines     = 20_000
	maxDiffBytes     = 1 << 20
	maxDiffFiles     = 300

	// maxContentsFile is the largest file that the contents API sends as
	// base64, maxRawFile the largest it sends raw
	// (https://docs.github.com/rest/repos/contents#get-repository-content).
	maxContentsFile = 1 << 20
	maxRawFile      = 100 << 20
	// maxBlob is from https://docs.github.com/rest/git/blobs#get-a-blob
	maxBlob = 100 << 20
	// maxTreeEntries is from https://docs.github.com/rest/git/trees#get-a-tree
	maxTreeEntries = 100_000

	// maxStatusDescription is from the API's own error.
	maxStatusDescription = 140
)

// refuse makes a 422 in the form that an operation has for it: with errors that
// are objects, or plain sentences.
type refuse func(message string) *apiError

// refuseData is the form of comments.
func refuseData(resource string) refuse {
	return func(message string) *apiError { return invalid(resource, "data", "unprocessable", message) }
}

// checkBody holds the text of a comment or review to its limit.
func (c *call) checkBody(body string, refuse refuse) error {
	if n := utf8.RuneCountInString(body); n > maxBody {
		return c.broken(refuse(fmt.Sprintf("Body is too long (maximum is %d characters)", maxBody)))
	}
	return nil
}

func badCheck(format string, args ...any) *apiError {
	return problem(http.StatusUnprocessableEntity, "Invalid request.\n\n"+format, args...)
}

// check holds the output of a check run to what only prose says of it.
func (o *outputInput) check(c *call) error {
	if o == nil {
		return nil
	}
	for i, a := range o.Annotations {
		if why := a.problem(); why != "" {
			return c.broken(badCheck("For 'annotations.%d', %s.", i, why))
		}
	}
	return nil
}

// problem says what is wrong with an annotation; empty when nothing is.
func (a Annotation) problem() string {
	switch {
	case a.Path == "" || a.Path[0] == '/':
		return "path must be relative to the root of the repository"
	case a.StartLine < 1:
		return "start_line must be at least 1"
	case a.EndLine < a.StartLine:
		return "end_line must not be before start_line"
	case a.StartLine != a.EndLine && (a.StartColumn != 0 || a.EndColumn != 0):
		return "columns may be given only when start_line and end_line are the same"
	case a.StartColumn < 0 || a.EndColumn < 0 || a.EndColumn != 0 && a.EndColumn < a.StartColumn:
		return "end_column must not be before start_column"
	case a.Message == "":
		return "message must not be empty"
	case len(a.Message) > maxAnnotationMessage:
		return fmt.Sprintf("message is too long (maximum is %d bytes)", maxAnnotationMessage)
	case utf8.RuneCountInString(a.Title) > maxAnnotationTitle:
		return fmt.Sprintf("title is too long (maximum is %d characters)", maxAnnotationTitle)
	case len(a.RawDetails) > maxAnnotationDetails:
		return fmt.Sprintf("raw_details is too long (maximum is %d bytes)", maxAnnotationDetails)
	default:
		return ""
	}
}
