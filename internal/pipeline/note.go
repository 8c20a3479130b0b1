package pipeline

import (
	"context"
	"fmt"
	"time"

	"assay/internal/store"
)

// ReconcileHeader marks a delivery that stands for one that never came: it was
// made from an open pull request whose head had no check. GitHub does not send
// it, and the webhook does not let it in.
const ReconcileHeader = "X-Assay-Reconcile"

// note says why runs that the delivery opens come late; "" when they do not.
func (p *Pipeline) note(ctx context.Context, d store.Delivery) (string, error) {
	if d.Header[ReconcileHeader] != "" {
		return delayed(d.ReceivedAt.Sub(d.PullUpdatedAt)) + "no webhook came, found by reconciliation", nil
	}
	since, lost, err := p.Store.LostSince(ctx, d.GUID)
	if err != nil || !lost {
		return "", err
	}
	return delayed(d.ReceivedAt.Sub(since)) + "webhook lost, recovered", nil
}

// delayed begins a note with a delay.
func delayed(d time.Duration) string { return "delayed by " + spoken(d) + ": " }

// spoken is a duration in its largest unit.
func spoken(d time.Duration) string {
	n, unit := int(max(d, 0).Seconds()), "s"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d.Hours()/24), "days"
	case d >= 2*time.Hour:
		n, unit = int(d.Hours()), "h"
	case d >= time.Minute:
		n, unit = int(d.Minutes()), "min"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
