package reconcile

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
	"assay/internal/ghapp"
)

// TestRecover is fault W12: three pages of deliveries, delivered, failed and
// known ones among them. Only what is truly missing is asked for, a second
// apart; what arrives is not asked for again.
func TestRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		now := time.Now()
		list := attempts(250, now.Add(-time.Hour), 3, 120, 121, 150, 240)
		list[121].GUID, list[120].GUID = "again", "again" // failed twice
		list[10].GUID, list[150].GUID = "made up", "made up"
		list[10].Redelivery = true // failed, then delivered: somebody asked
		list[240].Action = "labeled"
		w.deliveries = list
		w.take("g247") // index 3: slow, and done
		w.sweep()
		if d := cmp.Diff([]int64{130}, w.asked); d != "" {
			t.Errorf("asked for the attempts (-want +got): %s", d)
		}
		if n := w.count("Deliveries"); n != 3 {
			t.Errorf("%d pages read, want 3", n)
		}
		if s := w.scan(); !s.Since.Equal(list[0].DeliveredAt.Add(-overlap)) || s.Page != "" {
			t.Errorf("the next scan begins %+v", s)
		}

		w.take("again")
		time.Sleep(time.Hour)
		w.sweep()
		if len(w.asked) != 1 {
			t.Errorf("asked again for one that came: %v", w.asked)
		}
		// The attempts end before the overlap does: one page tells that nothing is new.
		if n := w.count("Deliveries"); n < 4 || n > 6 {
			t.Errorf("%d pages read in all", n)
		}
	})
}

// TestSpacing holds that requests are a second apart and bounded, and that the
// next sweep goes on with the rest.
func TestSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		var all []int
		for i := range 250 {
			all = append(all, i)
		}
		w.deliveries = attempts(250, time.Now().Add(-time.Hour), all...)
		w.sweep()
		if len(w.asked) != maxAsks || w.asked[0] != 1 || w.asked[199] != 200 {
			t.Fatalf("asked for %d, want %d, the oldest first", len(w.asked), maxAsks)
		}
		for i := 1; i < len(w.askedAt); i++ {
			if gap := w.askedAt[i].Sub(w.askedAt[i-1]); gap < time.Second {
				t.Fatalf("requests are %s apart", gap)
			}
		}
		time.Sleep(time.Minute)
		w.sweep()
		if d := cmp.Diff(int64(201), w.asked[200]); d != "" {
			t.Errorf("the next sweep begins with: %s", d)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(w.asked)))) != 250 {
			t.Error("not every one was asked for")
		}
	})
}

// TestAskedInVain holds that what does not arrive is asked for again at growing
// intervals, for three days.
func TestAskedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		const interval = 20 * time.Minute
		w.r.cfg.Interval = interval
		w.deliveries = attempts(1, time.Now(), 0)
		start := time.Now()
		for time.Since(start) < 4*24*time.Hour {
			w.sweep()
			time.Sleep(interval + time.Second)
		}
		last := w.askedAt[len(w.askedAt)-1].Sub(start)
		t.Logf("asked %d times in %s", len(w.askedAt), last.Round(time.Minute))
		if n := len(w.askedAt); n < 10 || n > 45 {
			t.Fatalf("asked %d times", n)
		}
		if first, third := w.askedAt[1].Sub(w.askedAt[0]), w.askedAt[3].Sub(w.askedAt[2]); first < interval || third < 4*interval {
			t.Errorf("asked again after %s, and for the third time after %s", first, third)
		}
		if last < 2*24*time.Hour || last > window+maxAskWait {
			t.Errorf("asked for the last time after %s", last)
		}
		for i := 2; i < len(w.askedAt); i++ {
			before, gap := w.askedAt[i-1].Sub(w.askedAt[i-2]), w.askedAt[i].Sub(w.askedAt[i-1])
			if gap < before-2*interval || gap > maxAskWait+2*interval {
				t.Errorf("asked after %s, and then after %s", before, gap)
			}
		}
	})
}

// TestScanFails holds that the cursor does not move on when a page cannot be
// read, and that nothing is lost by it.
func TestScanFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.deliveries = attempts(250, time.Now(), 0, 249)
		w.sweep()
		before, asked := w.scan(), len(w.asked)
		w.deliveries = append(attempts(1, time.Now().Add(time.Minute), 0), w.deliveries...)
		w.deliveries[0].ID, w.deliveries[0].GUID = 999, "new"
		w.fail = func(call string, id int64) error {
			if call == "Deliveries" && id == 100 {
				return fault.New(fault.Transient, errOther)
			}
			return nil
		}
		if err := w.r.Sweep(t.Context()); fault.KindOf(err) != fault.Transient {
			t.Errorf("sweep: %v, want what GitHub said", err)
		}
		if d := cmp.Diff(before, w.scan()); d != "" || len(w.asked) != asked {
			t.Errorf("asked for %d more, cursor: %s", len(w.asked)-asked, d)
		}
		w.fail = nil
		w.sweep()
		if !slices.Contains(w.asked, 999) {
			t.Errorf("asked for %v, the new one is not among them", w.asked)
		}
	})
}

// TestLongScan holds that a list too long for one sweep is read on by the next,
// and begun anew when GitHub has forgotten its cursor.
func TestLongScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		const n = maxPages*pageSize + 150
		w.deliveries = attempts(n, time.Now().Add(-time.Minute), n-1)
		w.sweep()
		if s := w.scan(); s.Page == "" || !s.Since.IsZero() || w.count("Deliveries") != maxPages {
			t.Fatalf("after %d pages the scan is %+v", w.count("Deliveries"), s)
		}
		if len(w.asked) != 0 {
			t.Fatalf("asked for %v", w.asked)
		}
		w.fail = func(call string, id int64) error {
			if call == "Deliveries" && id > 0 {
				return fault.New(fault.Invalid, errOther)
			}
			return nil
		}
		w.sweep()
		if s := w.scan(); s.Page != "" || !s.Since.IsZero() {
			t.Errorf("after GitHub forgot its cursor the scan is %+v", s)
		}
		w.fail = nil
		w.sweep()
		w.sweep()
		if s := w.scan(); s.Page != "" || !s.Since.Equal(w.deliveries[0].DeliveredAt.Add(-overlap)) {
			t.Errorf("at the end the scan is %+v", s)
		}
		if d := cmp.Diff([]int64{1}, w.asked); d != "" {
			t.Errorf("asked for: %s", d)
		}
	})
}

// TestAskFaults holds what each kind of refusal leads to.
func TestAskFaults(t *testing.T) {
	limited := fault.Until(fault.RateLimited, time.Now().Add(time.Hour), errOther)
	tests := []struct {
		name      string
		err       error
		asked     int  // of two
		wantErr   bool // of the sweep
		askedNext int  // by a sweep two hours later, without the error
	}{
		{"not kept any more", fault.New(fault.Gone, errOther), 2, false, 0},
		{"refused", fault.New(fault.Invalid, errOther), 2, false, 0},
		{"outage", fault.New(fault.Transient, errOther), 1, true, 2},
		{"rate limited", limited, 1, true, 2},
		{"bad key", fault.New(fault.Unauthorized, errOther), 1, true, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.deliveries = attempts(2, time.Now(), 0, 1)
				w.fail = func(call string, _ int64) error {
					if call == "Redeliver" {
						return tt.err
					}
					return nil
				}
				err := w.r.Sweep(t.Context())
				if (err != nil) != tt.wantErr || err != nil && fault.KindOf(err) != fault.KindOf(tt.err) {
					t.Errorf("sweep: %v", err)
				}
				if len(w.asked) != tt.asked {
					t.Errorf("asked %d times, want %d", len(w.asked), tt.asked)
				}
				if w.count("Installations") != 1 {
					t.Error("open heads were not looked for")
				}
				w.fail, w.asked = nil, nil
				time.Sleep(2 * time.Hour)
				w.deliveries = nil
				w.sweep()
				if len(w.asked) != tt.askedNext {
					t.Errorf("the next sweep asks %d times, want %d", len(w.asked), tt.askedNext)
				}
			})
		})
	}
}

func TestSift(t *testing.T) {
	at := time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC)
	d := func(id int64, guid string, ok bool, after time.Duration) ghapp.HookDelivery {
		return ghapp.HookDelivery{ID: id, GUID: guid, OK: ok, DeliveredAt: at.Add(after), Event: "e", Action: "a"}
	}
	// The order is no guide: a late attempt of an old delivery has a lower ID.
	list := []ghapp.HookDelivery{d(5, "x", false, 5), d(9, "x", false, 1), d(7, "y", false, 2), d(8, "y", true, 3), d(6, "z", true, 0)}
	list[3].Redelivery = true
	got := sift(list, func(name, action string) bool { return name == "e" && action == "a" })
	if len(got.Lost) != 1 || got.Lost[0].GUID != "x" || got.Lost[0].AttemptID != 9 || !got.Lost[0].FailedAt.Equal(at.Add(1)) {
		t.Errorf("lost %+v", got.Lost)
	}
	if d := cmp.Diff([]string{"y"}, got.Delivered); d != "" {
		t.Error("delivered again:", d)
	}
}
