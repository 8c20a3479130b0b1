package webhook

import (
	"context"

	"assay/review"
)

// Accepter takes charge of verified deliveries. It is called concurrently.
type Accepter interface {
	// Accept keeps the delivery for good before it returns: GitHub is told
	// that it arrived and will not send it again. An error means that it is
	// not kept. The delivery is the accepter's own: nobody else uses d.Body or
	// d.Header afterwards.
	//
	// Two deliveries are the same when their GUIDs are, and, where
	// d.Repeatable is false, also when event, action and SHA256 are.
	Accept(ctx context.Context, d Delivery) (Result, error)
}

// Result is what came of a delivery.
type Result string

// The results. A duplicate has been accepted before, and nothing new is done.
const (
	Accepted  Result = "accepted"
	Duplicate Result = "duplicate"
)

// Delivery is a verified delivery of an event that Assay acts on.
type Delivery struct {
	// GUID is X-GitHub-Delivery: at most 64 letters, digits and hyphens. It
	// stays the same when GitHub delivers again, but it is not signed.
	GUID  string
	Event review.Event
	// Header holds the few headers worth keeping (see keptHeaders). Headers
	// are not signed either.
	Header map[string]string
	// Body is the body as it came, and SHA256 its hash.
	Body   []byte
	SHA256 [32]byte
	// Repeatable says that the same body under a new GUID is a new request and
	// no replay; see Repeatable.
	Repeatable bool
}
