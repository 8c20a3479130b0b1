package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

const adminToken = "0123456789abcdef-token"

// TestRun holds what assay run asks for and makes of the answers.
func TestRun(t *testing.T) {
	const one = `{"success":true,"delivery":"d","status":"done","runs":[{"id":"AAA","pipeline":"review","url":"https://assay.example/runs/AAA"}]}`
	tests := []struct {
		name           string
		args           []string
		status         int
		answer         string
		run            string
		code           int
		stdout, stderr string
	}{
		{"started", nil, 202, one, "", exitOK, "review: https://assay.example/runs/AAA\n", ""},
		{"not yet begun", nil, 202, `{"success":true,"delivery":"manual-1","status":"accepted"}`, "", exitOK, "accepted as delivery manual-1", ""},
		{"passes", []string{"--wait"}, 202, one, `{"status":"done","conclusion":"success"}`, exitOK, "review: success, 0 findings: https://assay.example/runs/AAA\n", ""},
		{"fails", []string{"--wait"}, 202, one, `{"status":"done","conclusion":"failure","findings":[{"id":"a"}]}`, exitGate, "review: failure, 1 finding", "1 check failed"},
		{"dead", []string{"--wait"}, 202, one, `{"status":"dead","reason":"an internal error"}`, exitGate, "review: dead, an internal error", ""},
		{"nothing came of it", nil, 422, `{"success":false,"error":"no pipeline listens to manual.run"}`, "", exitError, "", "assay: no pipeline listens to manual.run\n"},
		{"unknown repository", nil, 404, `{"success":false,"error":"the app is not installed","field":"repository"}`, "", exitError, "", "the app is not installed"},
		{"a wrong token", nil, 401, `{"error":"Unauthorized"}`, "", exitError, "", "set ASSAY_ADMIN_TOKEN, or give --token"},
		{"no token", nil, 404, `{"error":"Not Found"}`, "", exitError, "", "has no such route for you"},
		{"something else", nil, 200, `<html>`, "", exitError, "", "does not answer like assay"},
		{"a redirect", nil, 302, ``, "", exitError, "", "answers 302"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Value
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+adminToken {
					t.Errorf("Authorization is %q", r.Header.Get("Authorization"))
				}
				if r.Method == http.MethodGet {
					_, _ = io.WriteString(w, tt.run)
					return
				}
				body, _ := io.ReadAll(r.Body)
				asked.Store(string(body))
				w.Header().Set("Location", "https://elsewhere.example/")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer service.Close()
			env := map[string]string{"PUBLIC_URL": service.URL, "ASSAY_ADMIN_TOKEN": adminToken}
			args := append([]string{"run", "octo-org/shop", "--pull", "12", "--pipeline", "review"}, tt.args...)
			assay(t, env, "", args...).want(t, tt.code, tt.stdout, tt.stderr)
			want := `{"event":"manual.run","pipeline":"review","pull":12,"ref":"","repository":"octo-org/shop"}`
			if got := asked.Load(); got != want {
				t.Errorf("it asks for %s", got)
			}
		})
	}
}

func TestRunWithoutService(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	assay(t, nil, "", "run", "octo-org/shop", "--url", gone.URL).want(t, exitError, "", "is it running?")
	assay(t, nil, "", "run", "octo-org/shop", "--url", "localhost:1").want(t, exitError, "", "is not the address of a service")
	if r := assay(t, nil, "", "run", "--help"); !strings.Contains(r.stdout, "Examples:") {
		t.Error(r.stdout)
	}
}
