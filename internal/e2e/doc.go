// Package e2e tests Assay from the outside: the built binary as a process of
// its own, webhooks in, and what GitHub then shows, on a fake GitHub that
// refuses what the real one refuses. It has tests only.
package e2e
