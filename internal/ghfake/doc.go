// Package ghfake is a stateful fake of the part of GitHub that a reviewing app
// sees: app authentication and installations, repositories with real git
// objects, pull requests and their diffs, check runs and suites, comments and
// reviews, webhooks with their deliveries, rate limits, and faults on demand.
// The end-to-end tests and "assay demo" run against it.
//
// It is held to GitHub's own OpenAPI description: every request it gets and
// every answer it gives is checked against it, and against the limits that
// GitHub states only in prose. What does not fit is a [Violation], refused as
// GitHub would refuse it, collected, and given to Config.OnViolation. A fake
// that takes more than GitHub does proves nothing.
//
// The package knows nothing of Assay. What a scenario contains, and what a test
// makes of a violation, it leaves to its callers. Methods that set up or act in
// a scenario (AddRepo, OpenPull, Push, …) panic when they are misused, as by
// naming a branch that does not exist: that is a mistake in the scenario, and
// nothing a caller could handle.
//
// All methods are safe for concurrent use.
package ghfake
