package ghapp

import (
	"strings"

	"github.com/google/go-github/v62/github"
)

// Permissions is a set of permissions that a token is narrowed to. Metadata,
// read, is part of every set: GitHub gives a token that asks for nothing
// everything the installation has.
type Permissions uint8

// The permissions, and the sets of them that jobs use. Comments on pull
// requests need WritePulls.
const (
	ReadContents Permissions = 1 << iota
	ReadIssues
	ReadPulls
	WritePulls
	WriteChecks

	// ForReading reads a repository and its pull requests.
	ForReading = ReadContents | ReadPulls
	// ForReview reads the change, and writes its check run and comments.
	ForReview = ReadContents | ReadIssues | WritePulls | WriteChecks
)

// Has reports whether the set holds all of q.
func (p Permissions) Has(q Permissions) bool { return p&q == q }

// String lists the permissions in GitHub's words, as "checks: write, metadata:
// read".
func (p Permissions) String() string {
	parts := make([]string, 0, 5)
	if p.Has(WriteChecks) {
		parts = append(parts, "checks: write")
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
	return strings.Join(parts, ", ")
}

func (p Permissions) github() *github.InstallationPermissions {
	read, write := github.String("read"), github.String("write")
	asked := &github.InstallationPermissions{Metadata: read}
	if p.Has(WriteChecks) {
		asked.Checks = write
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
