package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"assay/internal/fault"
	"assay/internal/ghapp"
	"assay/internal/store"
)

const (
	// maxPages bounds the pages of deliveries read in a sweep, 100 deliveries
	// each; the next sweep reads on.
	maxPages = 100
	// overlap is how far behind the latest attempt a scan begins the next time:
	// an attempt is listed once it is over, under the time that it began.
	overlap = 10 * time.Minute
	// maxAsks bounds the requests for a redelivery in a sweep. A second apart
	// they take less time than there is between two sweeps.
	maxAsks = 200
	// maxAskWait bounds the wait before GitHub is asked for a delivery again
	// that did not arrive; it begins with the interval and doubles.
	maxAskWait = 2 * time.Hour
)

// scanName is the name of the scan's cursor.
const scanName = "deliveries"

// scan is how far the list of deliveries has been read. All its times are of
// GitHub's clock, so that ours may be wrong.
type scan struct {
	// Since is where the list was read up to.
	Since time.Time `json:"since"`
	// Newest and Page are of a scan under way that was too long for one sweep:
	// its latest attempt, and GitHub's cursor of the page it goes on with.
	Newest time.Time `json:"newest,omitzero"`
	Page   string    `json:"page,omitempty"`
}

// recoverLost finds deliveries that were lost and asks for those that are due. It
// returns for how many it asked.
func (r *Reconciler) recoverLost(ctx context.Context) (asked int, err error) {
	if err := r.scan(ctx); err != nil {
		return 0, fmt.Errorf("look for lost deliveries: %w", err)
	}
	if asked, err = r.ask(ctx); err != nil {
		return asked, fmt.Errorf("recover lost deliveries: %w", err)
	}
	return asked, nil
}

// scan reads what is new in GitHub's list of deliveries. The cursor moves on
// together with what was found, and not at all when a page cannot be read.
func (r *Reconciler) scan(ctx context.Context) error {
	s, err := load[scan](ctx, r, scanName)
	if err != nil {
		return err
	}
	attempts, next, err := r.attempts(ctx, s)
	if err != nil {
		if s.Page != "" && fault.KindOf(err) == fault.Invalid {
			// GitHub does not know its own cursor any more: begin anew.
			return r.save(ctx, scanName, scan{Since: s.Since})
		}
		return err
	}
	if s.Page == "" && len(attempts) > 0 {
		s.Newest = attempts[0].DeliveredAt
	}
	if s.Page = next; next == "" {
		if !s.Newest.IsZero() {
			s.Since = s.Newest.Add(-overlap)
		}
		s.Newest = time.Time{}
	}
	cursor, err := json.Marshal(s)
	if err != nil {
		return err
	}
	found := sift(attempts, r.cfg.Subscribed)
	found.Name, found.Cursor = scanName, string(cursor)
	return r.store.SaveScan(ctx, found, r.cfg.Now().Add(-window-overlap))
}

// attempts reads the attempts since s, newest first, and where to go on when
// they are too many.
func (r *Reconciler) attempts(ctx context.Context, s scan) (list []ghapp.HookDelivery, next string, err error) {
	next = s.Page
	for range maxPages {
		if err := r.hold(ctx); err != nil {
			return nil, "", err
		}
		var page []ghapp.HookDelivery
		if page, next, err = r.github.Deliveries(ctx, next); err != nil {
			return nil, "", err
		}
		list = append(list, page...)
		if next == "" || len(page) > 0 && page[len(page)-1].DeliveredAt.Before(s.Since) {
			return list, "", nil
		}
	}
	return list, next, nil
}

// sift groups attempts by GUID, those about pull requests before the rest of
// what a push sends. lost is what no attempt has delivered, and
// delivered what a repeated attempt has.
func sift(attempts []ghapp.HookDelivery, subscribed func(name, action string) bool) store.Scan {
	type delivery struct {
		store.Lost
		delivered, again bool
	}
	byGUID := make(map[string]*delivery)
	var order []string
	for _, a := range attempts {
		if !subscribed(a.Event, a.Action) {
			continue
		}
		d := byGUID[a.GUID]
		if d == nil {
			d = &delivery{Lost: store.Lost{GUID: a.GUID, AttemptID: a.ID, FailedAt: a.DeliveredAt, Later: a.Event != "pull_request"}}
			byGUID[a.GUID] = d
			order = append(order, a.GUID)
		}
		d.delivered, d.again = d.delivered || a.OK, d.again || a.Redelivery
		d.AttemptID = max(d.AttemptID, a.ID)
		if a.DeliveredAt.Before(d.FailedAt) {
			d.FailedAt = a.DeliveredAt
		}
	}
	var s store.Scan
	for _, guid := range order {
		switch d := byGUID[guid]; {
		case !d.delivered:
			s.Lost = append(s.Lost, d.Lost)
		case d.again:
			s.Delivered = append(s.Delivered, guid)
		}
	}
	return s
}

// ask asks GitHub for the lost deliveries that are due, one at a time.
func (r *Reconciler) ask(ctx context.Context) (asked int, err error) {
	due, err := r.store.LostDue(ctx, maxAsks)
	if err != nil {
		return 0, err
	}
	for i, l := range due {
		if i > 0 {
			if err := pause(ctx, r.cfg.Spacing); err != nil {
				return asked, err
			}
		}
		if err := r.hold(ctx); err != nil {
			return asked, err
		}
		ok, err := r.askFor(ctx, l)
		if err != nil {
			return asked, err
		}
		if ok {
			asked++
		}
	}
	return asked, nil
}

// askFor asks for one delivery. That is noted first: a crash in between costs
// a wait, where the other order would ask without end.
func (r *Reconciler) askFor(ctx context.Context, l store.Lost) (bool, error) {
	wait := maxAskWait
	if l.Asks < 16 {
		wait = min(wait, r.cfg.Interval<<l.Asks)
	}
	if err := r.store.NoteAsk(ctx, l.GUID, r.cfg.Now().Add(wait)); err != nil {
		return false, err
	}
	err := r.github.Redeliver(ctx, l.AttemptID)
	switch fault.KindOf(err) {
	case fault.Gone, fault.Invalid:
		r.cfg.Logger.Warn("lost delivery cannot be had again", "delivery", l.GUID, "error", err)
		return false, r.store.ForgetLost(ctx, l.GUID)
	}
	return err == nil, err
}

// load reads a cursor. One that cannot be read counts as missing: everything
// is then looked at once more.
func load[T any](ctx context.Context, r *Reconciler, name string) (T, error) {
	var v, none T
	text, err := r.store.Cursor(ctx, name)
	if err != nil || text == "" {
		return none, err
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		r.cfg.Logger.Warn("cursor cannot be read, beginning anew", "cursor", name, "error", err)
		return none, nil
	}
	return v, nil
}

func (r *Reconciler) save(ctx context.Context, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("save cursor %s: %w", name, err)
	}
	return r.store.SetCursor(ctx, name, string(text))
}
