package review

// Verdict is what the findings of a run say about the change. How the run
// itself went is its Health; the two are never mixed.
type Verdict string

// The verdicts.
const (
	Approve        Verdict = "approve"
	Comment        Verdict = "comment"
	RequestChanges Verdict = "request_changes"
	Block          Verdict = "block"
	// ManualReview is the verdict of a run that could not judge the change.
	ManualReview Verdict = "manual_review"
)

// Health is how a run went.
type Health string

// The healths. Degraded means that a required agent was unavailable or gave no
// proof of its work; Failed, that there is no result at all.
const (
	Complete Health = "complete"
	Degraded Health = "degraded"
	Failed   Health = "failed"
)

// Conclusion is the conclusion of a check run, in GitHub's words
// (https://docs.github.com/rest/checks/runs).
type Conclusion string

// The conclusions Assay uses.
const (
	ConclusionSuccess        Conclusion = "success"
	ConclusionNeutral        Conclusion = "neutral"
	ConclusionFailure        Conclusion = "failure"
	ConclusionSkipped        Conclusion = "skipped"
	ConclusionCancelled      Conclusion = "cancelled"
	ConclusionActionRequired Conclusion = "action_required"
)

// Outcome is the judgement of a run: what the gate makes of its findings,
// coverage and health.
type Outcome struct {
	Verdict    Verdict    `json:"verdict"`
	Health     Health     `json:"health"`
	Conclusion Conclusion `json:"conclusion"`
	// Reason says in one plain sentence why, as "1 critical finding, and the
	// gate fails on high".
	Reason string `json:"reason"`
}
