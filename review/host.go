package review

import (
	"context"
	"time"
)

// Host is what GitHub knows of a change beyond its files. Answers are cached by
// the implementation; it is safe for concurrent use.
type Host interface {
	// Readiness says how near the pull request is to being merged.
	Readiness(ctx context.Context) (Readiness, error)
	// Setup says how the repository is set up.
	Setup(ctx context.Context) (Setup, error)
	// Commits are the commits of the change, oldest first; at most 250
	// (https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request).
	Commits(ctx context.Context) ([]Commit, error)
}

// Commit is one commit of a change.
type Commit struct {
	SHA     string
	Message string
	// Author is the account; empty where GitHub knows none for the address.
	Author Actor
}

// Readiness is what merging a pull request depends on, as it stands now.
type Readiness struct {
	// Checks are the newest checks and commit statuses of the head, our own
	// among them.
	Checks []CheckState
	// ReviewDecision is GitHub's word: "APPROVED", "CHANGES_REQUESTED",
	// "REVIEW_REQUIRED"; empty where no review is required.
	ReviewDecision string
	// Approvals and ChangesRequested are the logins whose last review says so.
	Approvals, ChangesRequested []string
	// Unresolved is the number of review threads that are not resolved.
	Unresolved int
	// Mergeable is GitHub's word: "MERGEABLE", "CONFLICTING", "UNKNOWN" (not
	// computed yet).
	Mergeable string
	// Behind is by how many commits the base is ahead of the head; -1 where it
	// is not known.
	Behind int
	// BaseDate is when the newest commit of the base that the head holds was
	// made; zero where it is not known.
	BaseDate time.Time
	// Unknown says in plain phrases what could not be read, and why.
	Unknown []string
}

// CheckState is a check run or a commit status.
type CheckState struct {
	Name string
	// State is "success", "failure", "pending", "skipped", "neutral" or
	// "cancelled".
	State    string
	Required bool
	// Ours says that it is a check run of this app.
	Ours bool
	URL  string
}

// Setup is how a repository is set up.
type Setup struct {
	Description   string
	DefaultBranch string
	Archived      bool
	// License is the SPDX ID that GitHub found; empty for none.
	License string
	// Protected says that the default branch is protected, by a ruleset or a
	// protection rule.
	Protected bool
	// RequiredChecks are the names of the checks that protection demands.
	RequiredChecks []string
	// RequiredApprovals is how many approving reviews are demanded.
	RequiredApprovals int
	// Unknown says in plain phrases what could not be read, and why.
	Unknown []string
}
