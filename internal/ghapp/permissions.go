package ghapp

import (
	"strings"

	"github.com/google/go-github/v62/github"
)

// Permissions is a set of permissions that a token is narrowed to. Metadata,
// read, is part of every set: GitHub gives a token that asks for nothing
// everything the installation has. Administration, which would show all of a
// branch's protection, is never asked for.
type Permissions uint8

// The permissions, and the sets of them that jobs use. Comments on pull
// requests, and reactions to them, need WritePulls
// (https://docs.github.com/rest/authentication/permissions-required-for-github-apps#repository-permissions-for-pull-requests).
const (
	ReadContents Permissions = 1 << iota
	ReadIssues
	ReadPulls
	WritePulls
	WriteChecks
	ReadChecks
	ReadStatuses

	// ForReading reads a repository and its pull requests.
	ForReading = ReadContents | ReadPulls
	// ForReview reads the change, and writes its check run and comments.
	ForReview = ReadContents | ReadIssues | WritePulls | WriteChecks
	// ForReadiness reads what merging a pull request depends on. An
	// installation that has not granted ReadStatuses is read without.
	ForReadiness = ForReading | ReadChecks | ReadStatuses
)

// Has reports whether the set holds all of q.
func (p Permissions) Has(q Permissions) bool { return p&q == q }

// String lists the permissions in GitHub's words, as "checks: write, metadata:
// read".
func (p Permissions) String() string {
	parts := make([]string, 0, 6)
	switch {
	case p.Has(WriteChecks):
		parts = append(parts, "checks: write")
	case p.Has(ReadChecks):
		parts = append(parts, "checks: read")
	}
	if p.Has(ReadContents) {
		parts = append(parts, "contents: read")
	}
	if p.Has(ReadIssues) {
		parts = append(parts, "issues: read")
	}
	parts = append(parts, "metadata: read")
	switch {
	case p.Has(WritePulls):
		parts = append(parts, "pull_requests: write")
	case p.Has(ReadPulls):
		parts = append(parts, "pull_requests: read")
	}
	if p.Has(ReadStatuses) {
		parts = append(parts, "statuses: read")
	}
	return strings.Join(parts, ", ")
}

func (p Permissions) github() *github.InstallationPermissions {
	read, write := github.String("read"), github.String("write")
	asked := &github.InstallationPermissions{Metadata: read}
	switch {
	case p.Has(WriteChecks):
		asked.Checks = write
	case p.Has(ReadChecks):
		asked.Checks = read
	}
	if p.Has(ReadStatuses) {
		asked.Statuses = read
	}
	if p.Has(ReadContents) {
		asked.Contents = read
	}
	if p.Has(ReadIssues) {
		asked.Issues = read
	}
	switch {
	case p.Has(WritePulls):
		asked.PullRequests = write
	case p.Has(ReadPulls):
		asked.PullRequests = read
	}
	return asked
}
