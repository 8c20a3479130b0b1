package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"assay/internal/fault"
	"assay/internal/llmfake"
	"assay/internal/secret"
)

func TestForbidden(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "169.254.170.2": true, "::ffff:169.254.169.254": true, "fe80::1": true, "fe80::1%eth0": true,
		"fd00:ec2::254": true, "100.100.100.200": true, "64:ff9b::a9fe:a9fe": true, "2002:a9fe:a9fe::": true, "::a9fe:a9fe": true,
		"0.0.0.0": true, "::": true, "224.0.0.1": true, "fd20:ce::254": true,
		"127.0.0.1": false, "::1": false, "10.0.0.5": false, "192.168.1.1": false, "fd12::1": false, "100.64.0.1": false, "1.1.1.1": false, "2606:4700::1": false,
	} {
		if got := forbidden(netip.MustParseAddr(address)); got != want {
			t.Errorf("forbidden(%s) = %v", address, got)
		}
	}
}

// TestBaseURLs refuses those that could lead elsewhere than they seem to.
func TestBaseURLs(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://api.example.com/v1": true, "http://10.0.0.5:8000/v1/": true, "http://[::1]:11434/v1": true, "http://ollama:11434/v1": true,
		"ftp://a": false, "https://": false, "https://u:p@a": false, "https://a?x=1": false, "https://a#x": false, "://": false,
		"http://169.254.169.254/latest": false, "http://[fe80::1]/": false, "http://metadata.google.internal/": false, "http://METADATA.google.internal./": false,
	} {
		_, err := New(Config{Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: text}}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestForbiddenDial refuses an address at the moment of dialling, whatever its
// name was when it was configured.
func TestForbiddenDial(t *testing.T) {
	for _, address := range []string{"169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[fe80::1%lo]:80", "nonsense"} {
		if err := checkAddress("tcp", address, nil); err == nil {
			t.Errorf("%s is dialled", address)
		}
	}
	// Octal and short forms are for the resolver; what comes of them is checked.
	for _, host := range []string{"0xa9.0xfe.0xa9.0xfe", "2852039166"} {
		models, err := New(Config{
			Providers: map[string]Provider{"p": {Dialect: OpenAI, BaseURL: "http://" + host + "/v1"}}, Aliases: map[string][]Ref{"default": {{"p", "m"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := alias(t, models, "default").Complete(t.Context(), Request{Messages: []Message{Say("go")}}); err == nil {
			t.Errorf("%s is dialled", host)
		}
	}
}

// TestRedirects lets no key reach another host, nor another place of the same.
func TestRedirects(t *testing.T) {
	tripwire := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with %v", r.Header)
	}))
	defer tripwire.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		m := handlerModels(t, OpenAI, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, tripwire.URL, status) })
		if _, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}}); fault.KindOf(err) != fault.Transient || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestHostile are answers that are no answers; none may show what is in them.
func TestHostile(t *testing.T) {
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
	bomb := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 100 {
			_, _ = io.WriteString(w, "data: "+strings.Repeat(" ", 1<<17))
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"not HTTP":            raw(keyCanary + " " + promptCanary + "\r\n\r\n"),
		"a status of words":   raw("HTTP/1.1 200 " + promptCanary + "\r\nContent-Length: 5000\r\n\r\nx"),
		"a bad length":        raw("HTTP/1.1 200 OK\r\nContent-Length: " + promptCanary + "\r\n\r\n"),
		"nothing":             raw(""),
		"a line without end":  bomb,
		"headers without end": raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(promptCanary, 10_000) + "\r\n\r\n"),
		"null":                func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "data: null\n\n") },
		"an error of a string": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "data: {\"type\":\"error\",\"error\":%q}\n\n", promptCanary)
		},
	} {
		for _, d := range dialects {
			_, err := handlerModels(t, d, handler).Complete(t.Context(), Request{Messages: []Message{Say(promptCanary)}})
			if fault.KindOf(err) != fault.Transient {
				t.Errorf("%s, %s: kind %v of %v", d, name, fault.KindOf(err), err)
			}
			noCanary(t, err)
		}
	}
}

// TestHeaders sends each key in its header, and nowhere else.
func TestHeaders(t *testing.T) {
	fake, models := world(t, nil)
	header := map[Dialect]string{OpenAI: "Authorization", Anthropic: "X-Api-Key", Gemini: "X-Goog-Api-Key"}
	for _, d := range dialects {
		fake.Forget()
		if _, err := alias(t, models, string(d)).Complete(t.Context(), Request{Messages: []Message{Say("go")}}); err != nil {
			t.Fatal(err)
		}
		r := fake.Requests()[0]
		if got := strings.TrimPrefix(r.Header.Get(header[d]), "Bearer "); got != keyCanary {
			t.Errorf("%s: %s is %q", d, header[d], got)
		}
		if strings.Contains(r.Path+string(r.Body), keyCanary) {
			t.Errorf("%s: the key is in the path or the body", d)
		}
	}
	azure, err := baseURL("https://team.openai.azure.com/openai/v1")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	openAI{}.authorize(h, azure, "k")
	if h.Get("api-key") != "k" || h.Get("Authorization") != "" {
		t.Errorf("Azure gets %v", h)
	}
	h = http.Header{}
	openAI{}.authorize(h, azure, "")
	if len(h) != 0 {
		t.Errorf("without a key, %v is sent", h)
	}
}

// TestLearning drops what an endpoint does not take, and remembers that.
func TestLearning(t *testing.T) {
	for _, field := range []string{"max_tokens", "temperature", "stream_options"} {
		requests := 0
		fake := llmfake.New()
		m := handlerModels(t, OpenAI, func(w http.ResponseWriter, r *http.Request) {
			requests++
			var body map[string]json.RawMessage
			data, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(data, &body)
			if _, ok := body[field]; ok {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"error":{"message":"Unsupported parameter: '%s'.","code":"unsupported_parameter"}}`, field)
				return
			}
			r.Body = io.NopCloser(strings.NewReader(string(data)))
			fake.ServeHTTP(w, r)
		})
		warm := 0.2
		for i, want := range []int{2, 1} {
			requests = 0
			if _, err := m.Complete(t.Context(), Request{Messages: []Message{Say("go")}, Temperature: &warm}); err != nil || requests != want {
				t.Errorf("%s, call %d: %d requests, want %d; error %v", field, i, requests, want, err)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "0.5": 500 * time.Millisecond, "Fri, 01 May 2026 12:01:00 GMT": time.Minute,
		"Fri, 01 May 2026 11:00:00 GMT": 0, "-3": 0, "soon": 0, "1e300": 0, "NaN": 0,
	} {
		got := retryAfter(http.Header{"Retry-After": {text}}, nil, now)
		if want == 0 && !got.IsZero() || want != 0 && got.Sub(now) != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	body := []byte(`{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}`)
	if got := retryAfter(nil, body, now); got.Sub(now) != 34*time.Second {
		t.Errorf("RetryInfo: %v", got)
	}
	err := statusError("gemini/m", 429, nil, append(body, " You exceeded your current quota, please check your plan and billing details."...), now)
	if at := fault.RetryAt(err); at.Sub(now) != 34*time.Second {
		t.Errorf("a minute's quota is waited for until %v", at)
	}
}

func TestNewRefuses(t *testing.T) {
	provider := map[string]Provider{"p": {Dialect: OpenAI}}
	for name, cfg := range map[string]Config{
		"a dialect":      {Providers: map[string]Provider{"p": {Dialect: "cohere"}}},
		"a provider":     {Providers: provider, Aliases: map[string][]Ref{"a": {{"q", "m"}}}},
		"an alias":       {Providers: provider, Aliases: map[string][]Ref{"A b": {{"p", "m"}}}},
		"no model":       {Providers: provider, Aliases: map[string][]Ref{"a": {}}},
		"an empty model": {Providers: provider, Aliases: map[string][]Ref{"a": {{"p", ""}}}},
		"twice":          {Providers: provider, Aliases: map[string][]Ref{"a": {{"p", "m"}, {"p", "m"}}}},
		"a timeout":      {FirstByte: 2 * time.Hour},
		"a short one":    {Idle: -1},
		"many places":    {Providers: map[string]Provider{"p": {Dialect: OpenAI, Concurrent: 100_000}}},
		"a key":          {Providers: map[string]Provider{"p": {Dialect: OpenAI, Key: secret.New(keyCanary + "\n")}}},
	} {
		_, err := New(cfg)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		noCanary(t, err)
	}
	models, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := models.Alias("default"); ok || len(models.Aliases()) != 0 || !strings.Contains(models.Missing("default").Error(), "no model is configured") {
		t.Error("models where there are none")
	}
}
