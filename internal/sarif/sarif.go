// Package sarif reads SARIF 2.1.0 logs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), as
// linters and scanners write them, into the few facts that reviews need.
//
// A log is data from a stranger: it is read in one pass, in bounded memory, and
// what is over a bound is counted, never silently dropped. What a result means
// for a change (its severity, whether it stands on an added line) it leaves to
// the agents, and how logs are written to package reports.
package sarif

// Bounds of what is kept of one log. GitHub takes 20 runs a file and 25,000
// results a run, and shows 5,000
// (https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#validating-your-sarif-file).
const (
	// MaxBytes is the longest log that is read.
	MaxBytes   = 10 << 20
	MaxRuns    = 20
	MaxResults = 5000 // of all runs together
	MaxRules   = 25_000

	maxArtifacts  = 25_000
	maxExtensions = 100  // as GitHub has it
	maxText       = 4000 // bytes of a message
	maxSnippet    = 8000
	maxName       = 256 // bytes of a rule's ID, a tool's name
	maxURI        = 4096
	maxFixText    = 64 << 10
)

// Log is what was read of a SARIF log.
type Log struct {
	Runs []Run
	// Omitted is how many results were over MaxResults, or in runs over MaxRuns.
	Omitted int
}

// Results is the number of results that were kept.
func (l Log) Results() int {
	n := 0
	for _, r := range l.Runs {
		n += len(r.Results)
	}
	return n
}

// Run is one run of one tool.
type Run struct {
	// Tool is the name of the tool's driver; Version may be empty.
	Tool, Version string
	// Category tells runs of one tool apart (automationDetails.id); may be empty.
	Category string
	// Failed says why the run is not whole: the tool itself says that it did not
	// succeed. Empty when it did, or says nothing of it.
	Failed  string
	Results []Result
}

// Result is one result of a run. Results that say that there is no problem
// ("pass", "notApplicable"), or that one is gone ("absent"), are not kept.
type Result struct {
	// Rule is the ID of the rule; empty where the tool names none.
	Rule string
	// Level is how the tool ranks the result, its rule's level where it says
	// nothing itself.
	Level Level
	// Security is GitHub's score of the rule from 0 to 10 (the property
	// "security-severity"); negative where there is none.
	Security float64
	// Tags are the rule's and the result's tags, as "security".
	Tags []string
	// Message is plain text, never empty.
	Message string
	// HelpURL is the rule's, as it was written; may be empty.
	HelpURL string
	// Path is the file within the repository, with slashes and without "..";
	// empty where the result has no place, or one outside of the repository.
	Path string
	// Outside is the place that could not be put into the repository, as it was
	// written; mostly empty.
	Outside string
	Region  Region
	// Snippet is the code that the tool shows; may be empty.
	Snippet string
	// Fixes are the tool's offers, the best first.
	Fixes []Fix
	// Fingerprints are the partialFingerprints and fingerprints, by name.
	Fingerprints map[string]string
	// Suppressed says that somebody decided that the result does not count.
	Suppressed bool
	// Unchanged says that the tool compared the result with an earlier run and
	// it was there before.
	Unchanged bool
	// New says that it was not.
	New bool
}

// Level is a result's level.
type Level string

// The levels.
const (
	LevelNone    Level = "none"
	LevelNote    Level = "note"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Region is a place in a file. Lines and columns are 1-based, EndLine is
// inclusive, EndColumn is not; StartLine is 0 where lines are not known, and
// columns are 0 where whole lines are meant.
type Region struct {
	StartLine, StartColumn, EndLine, EndColumn int
}

// Fix is a change of files that solves a result.
type Fix struct {
	Description string
	Edits       []Edit
}

// Edit puts Text in the place of what Region holds.
type Edit struct {
	Path   string
	Region Region
	Text   string
}
