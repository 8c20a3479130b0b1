package ghapp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-github/v62/github"
)

// HookDelivery is one attempt of GitHub's to deliver an event to the app.
// Attempts at the same event share the GUID.
type HookDelivery struct {
	ID   int64
	GUID string
	// DeliveredAt is when the attempt was made, by GitHub's clock.
	DeliveredAt time.Time
	// OK says that the app answered 2xx in time. One that is not OK may have
	// arrived all the same.
	OK bool
	// Redelivery says that somebody asked for the attempt.
	Redelivery    bool
	Event, Action string
}

// deliveredOK is GitHub's word for an attempt that was answered 2xx.
const deliveredOK = "OK"

// Deliveries reads one page of the attempts to deliver to the app, newest
// first, from a cursor ("" for the newest), and the cursor of the next page; ""
// after the last. GitHub keeps them for 3 days
// (https://docs.github.com/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
func (a *App) Deliveries(ctx context.Context, cursor string) (page []HookDelivery, next string, err error) {
	err = a.asApp(ctx, func(ctx context.Context, gh *github.Client) error {
		list, resp, err := gh.Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{Cursor: cursor, PerPage: pageSize})
		if err != nil {
			return err
		}
		page, err = hookDeliveries(list)
		next = resp.Cursor
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries of app %d: %w", a.id, err)
	}
	return page, next, nil
}

func hookDeliveries(list []*github.HookDelivery) ([]HookDelivery, error) {
	if list == nil {
		return nil, incomplete("no list")
	}
	page := make([]HookDelivery, len(list))
	for i, d := range list {
		if d == nil || d.GetID() == 0 || d.GetGUID() == "" || d.GetDeliveredAt().IsZero() {
			return nil, incomplete("a delivery without ID, GUID or date")
		}
		page[i] = HookDelivery{
			ID: d.GetID(), GUID: d.GetGUID(), DeliveredAt: d.GetDeliveredAt().Time, OK: d.GetStatus() == deliveredOK,
			Redelivery: d.GetRedelivery(), Event: d.GetEvent(), Action: d.GetAction(),
		}
	}
	return page, nil
}

// Redeliver asks GitHub to deliver again what the attempt with the ID was to
// deliver: under the same GUID, so that asking twice does no harm. It is Gone
// when GitHub does not keep the delivery any more.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	err := a.asApp(ctx, func(ctx context.Context, gh *github.Client) error {
		_, _, err := gh.Apps.RedeliverHookDelivery(ctx, id)
		if _, ok := errors.AsType[*github.AcceptedError](err); ok {
			return nil // 202 is go-github's error and GitHub's yes
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for delivery %d again: %w", id, err)
	}
	return nil
}
