package reconcile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/internal/ghapp"
	"assay/internal/store"
	"assay/review"
)

// TestMain uses the store once outside of synctest's bubbles: its compression
// makes channels when it is first used, which belong to no bubble then.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "assay-reconcile-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		ctx := context.Background()
		st, err := store.Open(ctx, store.Config{URL: filepath.Join(dir, "assay.db")})
		if err != nil {
			panic(err)
		}
		defer st.Close()
		if _, err := (&line{store: st}).Accept(ctx, store.Delivery{GUID: "first", Body: []byte("{}")}); err != nil {
			panic(err)
		}
		if _, err := st.DeliveryByGUID(ctx, "first"); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

const pageSize = 100

// hub is a GitHub of the test's making.
type hub struct {
	t             *testing.T
	deliveries    []ghapp.HookDelivery // newest first
	installations []ghapp.Installation
	repos         map[int64][]review.Repo           // by installation
	pulls         map[int64][]ghapp.OpenPull        // by repository
	fail          func(call string, id int64) error // nil, or the error of a call

	mu      sync.Mutex
	calls   []string // "Deliveries 100", by what was asked for
	asked   []int64
	askedAt []time.Time
	since   []time.Time // of OpenPulls
}

func (h *hub) call(name string, id int64) error {
	h.mu.Lock()
	h.calls = append(h.calls, fmt.Sprint(name, " ", id))
	h.mu.Unlock()
	if h.fail == nil {
		return nil
	}
	return h.fail(name, id)
}

func (h *hub) count(name string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		if strings.HasPrefix(c, name) {
			n++
		}
	}
	return n
}

func (h *hub) Deliveries(_ context.Context, cursor string) ([]ghapp.HookDelivery, string, error) {
	from, _ := strconv.Atoi(cursor)
	if err := h.call("Deliveries", int64(from)); err != nil {
		return nil, "", err
	}
	to := min(from+pageSize, len(h.deliveries))
	if to == len(h.deliveries) {
		return slices.Clone(h.deliveries[from:to]), "", nil
	}
	return slices.Clone(h.deliveries[from:to]), strconv.Itoa(to), nil
}

func (h *hub) Redeliver(_ context.Context, id int64) error {
	h.asked, h.askedAt = append(h.asked, id), append(h.askedAt, time.Now())
	return h.call("Redeliver", id)
}

func (h *hub) Installations(context.Context) ([]ghapp.Installation, error) {
	return slices.Clone(h.installations), h.call("Installations", 0)
}

func (h *hub) Repositories(_ context.Context, id int64) ([]review.Repo, error) {
	return slices.Clone(h.repos[id]), h.call("Repositories", id)
}

func (h *hub) OpenPulls(_ context.Context, _ int64, repo review.Repo, since time.Time) ([]ghapp.OpenPull, error) {
	h.since = append(h.since, since)
	if err := h.call("OpenPulls", repo.ID); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(h.pulls[repo.ID]), func(p ghapp.OpenPull) bool { return p.UpdatedAt.Before(since) }), nil
}

// line is a queue that stores deliveries and does not work on them.
type line struct {
	store    *store.Store
	accepted []store.Delivery
	revived  int
}

func (l *line) Accept(ctx context.Context, d store.Delivery) (bool, error) {
	d.ReceivedAt = time.Now()
	err := l.store.Write(ctx, func(tx *sql.Tx) error { return l.store.InsertDeliveries(ctx, tx, []*store.Delivery{&d}) })
	if err == nil && d.ID != 0 {
		l.accepted = append(l.accepted, d)
	}
	return d.ID != 0, err
}

func (l *line) Revive(context.Context, time.Time) (int, error) {
	l.revived++
	return 0, nil
}

// world is a Reconciler among fakes, with a store of its own.
type world struct {
	*hub
	t     *testing.T
	store *store.Store
	line  *line
	r     *Reconciler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "assay.db")})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: st, line: &line{store: st}, hub: &hub{
		t: t, repos: make(map[int64][]review.Repo), pulls: make(map[int64][]ghapp.OpenPull),
	}}
	w.r = w.reconciler()
	return w
}

func (w *world) close() {
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) reconciler() *Reconciler {
	w.t.Helper()
	r, err := New(w.hub, w.store, w.line, Config{
		Node: store.NewRunID(), Mark: map[string]string{"X-Mark": "yes"},
		Subscribed: func(name, action string) bool { return name == "pull_request" && action != "labeled" },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) sweep() {
	w.t.Helper()
	if err := w.r.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) scan() scan {
	w.t.Helper()
	s, err := load[scan](w.t.Context(), w.r, scanName)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// take is GitHub delivering what it was asked for: the store then has it.
func (w *world) take(guid string) {
	w.t.Helper()
	if _, err := w.line.Accept(w.t.Context(), store.Delivery{GUID: guid, Event: "pull_request", Body: []byte("{}")}); err != nil {
		w.t.Fatal(err)
	}
}

// attempts lists n attempts, newest first, one a second; at each index in lost
// is one that failed. IDs and GUIDs count up with time, from 1.
func attempts(n int, newest time.Time, lost ...int) []ghapp.HookDelivery {
	list := make([]ghapp.HookDelivery, n)
	for i := range list {
		list[i] = ghapp.HookDelivery{
			ID: int64(n - i), GUID: fmt.Sprint("g", n-i), DeliveredAt: newest.Add(-time.Duration(i) * time.Second).UTC(),
			OK: !slices.Contains(lost, i), Event: "pull_request", Action: "opened",
		}
	}
	return list
}

var errOther = errors.New("no such luck")
