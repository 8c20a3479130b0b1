package ghapp

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/fault"
)

func deliveryJSON(id int, status string) string {
	return fmt.Sprintf(`{"id":%d,"guid":"g-%d","delivered_at":"2026-03-04T09:30:00.123Z","redelivery":false,"duration":0.3,"status":%q,
		"status_code":502,"event":"pull_request","action":"opened","installation_id":null,"repository_id":null,"throttled_at":null}`, id, id, status)
}

// TestDeliveries holds that attempts are read by cursor, in pages of a hundred,
// signed as the app, and an outage in the middle is retried.
func TestDeliveries(t *testing.T) {
	h := newHub(t)
	asked := 0
	h.HandleFunc("GET /app/hook/deliveries", func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 2 {
			reply(w, 500, "")
			return
		}
		if r.URL.Query().Get("per_page") != "100" || len(r.Header.Get("Authorization")) < 200 {
			t.Errorf("asked %s with %d bytes of authorization, want pages of 100 with the app's own token", r.URL, len(r.Header.Get("Authorization")))
		}
		switch cursor := r.URL.Query().Get("cursor"); cursor {
		case "":
			w.Header().Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=100&cursor=v1_2>; rel="next"`, h.url))
			reply(w, 200, "["+deliveryJSON(4, "OK")+","+deliveryJSON(3, "timed out")+"]")
		case "v1_2":
			reply(w, 200, "["+deliveryJSON(2, "Invalid HTTP Response: 503")+"]")
		default:
			t.Errorf("cursor %q", cursor)
		}
	})
	app := h.app()
	var all []HookDelivery
	cursor := ""
	for {
		page, next, err := app.Deliveries(within(t), cursor)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	at := time.Date(2026, 3, 4, 9, 30, 0, 123e6, time.UTC)
	want := []HookDelivery{
		{ID: 4, GUID: "g-4", DeliveredAt: at, OK: true, Event: "pull_request", Action: "opened"},
		{ID: 3, GUID: "g-3", DeliveredAt: at, Event: "pull_request", Action: "opened"},
		{ID: 2, GUID: "g-2", DeliveredAt: at, Event: "pull_request", Action: "opened"},
	}
	if d := cmp.Diff(want, all); d != "" {
		t.Error(d)
	}
}

func TestDeliveriesUnusable(t *testing.T) {
	for _, body := range []string{"null", "{}", "[null]", `[{"id":1,"guid":"g"}]`, `[{"id":1,"guid":"","delivered_at":"2026-03-04T09:30:00Z"}]`, "[", `[{"id":1,"guid":"g","delivered_at":"yesterday"}]`} {
		t.Run(body, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("GET /app/hook/deliveries", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
			_, _, err := h.app().Deliveries(within(t), "")
			wantKind(t, err, fault.Transient)
		})
	}
}

func TestRedeliver(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		tries   int
		wantErr bool
		want    fault.Kind
	}{
		{"accepted", 202, 1, false, 0},
		{"not kept", 404, 1, true, fault.Gone},
		{"refused", 422, 1, true, fault.Invalid},
		{"outage", 502, maxAttempts, true, fault.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHub(t)
			h.HandleFunc("POST /app/hook/deliveries/7/attempts", func(w http.ResponseWriter, _ *http.Request) { reply(w, tt.status, "{}") })
			err := h.app().Redeliver(within(t), 7)
			if tt.wantErr {
				wantKind(t, err, tt.want)
			} else if err != nil {
				t.Fatal(err)
			}
			if n := h.count("POST /app/hook/deliveries"); n != tt.tries {
				t.Errorf("asked %d times, want %d", n, tt.tries)
			}
		})
	}
}

// TestAppRateLimit holds that a limit on what is asked as the app stops that,
// and no installation's work.
func TestAppRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		transport := withTokens(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/app/hook/deliveries" {
				asked++
				return answer(429, `{}`, "Retry-After", "60"), nil
			}
			return answer(200, fmt.Sprintf(pullJSON, 1)), nil
		})
		app := quick(t, Config{Transport: transport})
		for range 3 {
			_, _, err := app.Deliveries(t.Context(), "")
			wantKind(t, err, fault.RateLimited)
			if wait := time.Until(fault.RetryAt(err)); wait <= 0 || wait > time.Minute {
				t.Errorf("to be tried again in %s", wait)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times under a limit, want once", asked)
		}
		if _, err := app.Repository(testInstall, testRepo, ForReading).Pull(t.Context(), 5); err != nil {
			t.Errorf("an installation's work: %v", err)
		}
		time.Sleep(time.Minute)
		_, _, _ = app.Deliveries(t.Context(), "")
		if asked != 2 {
			t.Errorf("asked %d times, want once more after the limit", asked)
		}
	})
}
