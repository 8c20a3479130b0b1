package llm

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"assay/internal/guard"
	"assay/internal/llmfake"
	"assay/internal/secret"
)

const (
	keyCanary    = "sk-kanarie-3f9c2a"
	promptCanary = "kanarie-prompt-77b1"
)

var dialects = []Dialect{OpenAI, Anthropic, Gemini}

// findingsSchema is such as a reviewer would ask for.
var findingsSchema = MustSchema("findings", `{
	"type": "object", "additionalProperties": false, "required": ["summary", "examined", "findings"],
	"properties": {
		"summary": {"type": "string"},
		"examined": {"type": "array", "items": {"type": "string"}},
		"findings": {"type": "array", "items": {
			"type": "object", "additionalProperties": false, "required": ["path", "quote", "claim", "severity", "line"],
			"properties": {
				"path": {"type": "string"}, "quote": {"type": "string"}, "claim": {"type": "string"},
				"severity": {"enum": ["info", "low", "medium", "high"]},
				"line": {"type": "integer", "minimum": 1, "maximum": 1000000}
			}
		}}
	}
}`)

type findings struct {
	Summary  string   `json:"summary"`
	Examined []string `json:"examined"`
	Findings []struct {
		Path, Quote, Claim, Severity string
		Line                         int
	} `json:"findings"`
}

const diffPrompt = `Review this change. ` + promptCanary + `

## db/users.go
+ rows, err := db.Query("select * from users where name = '" + name + "'")
+ return rows, err

## web/page.go
+ w.WriteHeader(200)
`

// fakeServer is a scripted server at an address of its own.
func fakeServer(t testing.TB) (*llmfake.Server, string) {
	t.Helper()
	fake := llmfake.New()
	server := httptest.NewServer(fake)
	server.Config.ErrorLog = nil
	t.Cleanup(func() {
		fake.Close()
		server.Close()
	})
	return fake, server.URL
}

// base is what comes before a dialect's path.
func base(d Dialect, url string) string {
	return url + map[Dialect]string{OpenAI: "/v1", Anthropic: "", Gemini: "/v1beta"}[d]
}

// world is a model "m" of each dialect at a scripted server, as an alias of the
// dialect's name.
func world(t testing.TB, tweak func(*Config)) (*llmfake.Server, *Models) {
	t.Helper()
	fake, url := fakeServer(t)
	cfg := Config{Providers: map[string]Provider{}, Aliases: map[string][]Ref{}, FirstByte: 5 * time.Second, Idle: 5 * time.Second}
	for _, d := range dialects {
		cfg.Providers[string(d)] = Provider{Dialect: d, BaseURL: base(d, url), Key: secret.New(keyCanary)}
		cfg.Aliases[string(d)] = []Ref{{string(d), "m"}}
	}
	if tweak != nil {
		tweak(&cfg)
	}
	models, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(models.Close)
	return fake, models
}

func alias(t testing.TB, models *Models, name string) Model {
	t.Helper()
	m, ok := models.Alias(name)
	if !ok {
		t.Fatalf("there is no alias %s", name)
	}
	return m
}

// noCanary fails when an error tells what it must not.
func noCanary(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, canary := range []string{keyCanary, promptCanary, "select *", "kanarie"} {
		if strings.Contains(err.Error(), canary) {
			t.Errorf("the error tells %q: %v", canary, err)
		}
	}
}

// tough is a guard that opens only after many failures, for tests of many.
func tough(cfg *Config) {
	cfg.Guards = guard.NewSet(func(string) guard.Config {
		return GuardConfig(guard.Config{FailureThreshold: 1000, MinCalls: 1000}, 0)
	})
}

// handlerModels are models at a server that a handler is.
func handlerModels(t testing.TB, d Dialect, handler http.HandlerFunc) Model {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	models, err := New(Config{
		Providers: map[string]Provider{"p": {Dialect: d, BaseURL: server.URL, Key: secret.New(keyCanary)}},
		Aliases:   map[string][]Ref{"default": {{"p", "m"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(models.Close)
	return alias(t, models, "default")
}
