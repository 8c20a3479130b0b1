// Package webhook takes GitHub's deliveries in: it verifies them, reads from
// them the few facts that Assay acts on, and hands those it wants to an
// Accepter, answering GitHub by what came of it.
//
// A delivery is hostile until its signature is good: its size and type are
// checked first, then the signature over the raw bytes, and only then is
// anything looked at. Storing deliveries, telling duplicates and doing the
// work are left to the Accepter, server timeouts and routes to internal/server.
package webhook
