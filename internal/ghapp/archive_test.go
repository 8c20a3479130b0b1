package ghapp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"assay/review"
)

// TestDownload holds that an archive is read from where GitHub says, without a
// credential, and up to a size.
func TestDownload(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" || len(req.Cookies()) > 0 {
			t.Error("a credential was sent to the archive's host")
		}
		switch req.URL.Path {
		case "/good":
			_, _ = io.WriteString(w, "archive")
		case "/moved":
			http.Redirect(w, req, "/good", http.StatusFound)
		default:
			http.NotFound(w, req)
		}
	}))
	defer host.Close()
	app := &App{transport: http.DefaultTransport}
	for path, want := range map[string]string{"/good": "archive", "/moved": "", "/none": ""} {
		req, err := http.NewRequest(http.MethodGet, host.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := app.download(t.Context(), req.URL)
		if (err == nil) != (want != "") {
			t.Errorf("%s: %v", path, err)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(body)
		if err != nil || string(got) != want || body.Close() != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	h := newHub(t)
	sha := strings.Repeat("a", 40)
	h.HandleFunc("GET /repos/octo/hello/tarball/{sha}", func(w http.ResponseWriter, req *http.Request) {
		if req.PathValue("sha") != sha || req.Header.Get("Authorization") == "" {
			t.Errorf("asked for %s", req.URL)
		}
		http.Redirect(w, req, host.URL+"/good", http.StatusFound)
	})
	body, err := h.repo().archive(t.Context(), sha)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); string(got) != "archive" || err != nil || body.Close() != nil {
		t.Errorf("by way of the API: %q, %v", got, err)
	}
	if _, err := h.repo().archive(t.Context(), "main/../../x"); err == nil {
		t.Error("what is no SHA was asked for")
	}
	if _, err := io.ReadAll(&capped{strings.NewReader("too much"), 3}); !errors.Is(err, review.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
