package reports

// GitHub's limits. GitHub counts characters or bytes depending on the place and
// does not say which for all of them; a text is counted here in bytes of UTF-8,
// which are never fewer than its characters in any encoding GitHub may use, so
// what fits in bytes fits.
const (
	// MaxSummary and MaxText bound the two Markdown fields of a check run's
	// output (https://docs.github.com/rest/checks/runs#create-a-check-run).
	MaxSummary = 65535
	MaxText    = 65535
	// MaxTitle bounds the title of an annotation
	// (https://docs.github.com/rest/checks/runs#create-a-check-run). No limit
	// is documented for the title of the output; it is held to the same.
	MaxTitle = 255
	// MaxMessage and MaxRawDetails bound an annotation (same page, "64 KB").
	MaxMessage    = 64 << 10
	MaxRawDetails = 64 << 10
	// MaxComment bounds the body of a comment. It is not in the reference; it
	// is what the API answers: "Body is too long (maximum is 65536
	// characters)" (https://github.com/mshick/add-pr-comment/issues/93).
	MaxComment = 65536
	// MaxStepSummary bounds a Markdown report, which is often written to a
	// job's summary
	// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions#step-isolation-and-limits).
	MaxStepSummary = 1 << 20
	// MaxResults bounds the results of one SARIF run
	// (https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#validating-your-sarif-file).
	MaxResults = 25000
)

// Bounds of our own, for reports that somebody wants to read.
const (
	// MaxAnnotations is the number of findings that are annotated: at 50 a
	// request and a second between writes, ten requests.
	MaxAnnotations = 500
	// listed is the number of findings listed in a summary or a comment; the
	// rest is a link away.
	listed = 25
	// listedGaps is the number of files listed as not fully examined.
	listedGaps = 50
	// maxSentence bounds one message or reason in a report, and maxEvidence
	// the lines of code shown with a finding, each of at most maxCodeLine.
	maxSentence = 2000
	maxEvidence = 20
	maxCodeLine = 300
)
