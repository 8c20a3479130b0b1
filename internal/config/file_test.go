package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func operatorsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "assay.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodFile = `version: 1
operator:
  endpoints:
    corp: {dialect: openai, url: "https://models.corp.example/v1", key: CORP_KEY}
    ollama: {dialect: openai, url: "http://ollama:11434/v1"}
  models:
    default: {endpoint: corp, model: large, input: 1.5, output: 6}
    fast: {endpoint: ollama, model: small}
    long-context: {endpoint: corp, model: huge}
  breakers:
    github: {failure_threshold: 7, reset_timeout: 45s}
    corp: {failure_threshold: 3}
  caches:
    results: {ttl: 2h, size: 10}
`

// TestFile: the operator's file sets what variables set, and these go before it.
func TestFile(t *testing.T) {
	env := environ{"ASSAY_CONFIG": operatorsFile(t, goodFile), "CORP_KEY": "corp-key", "ASSAY_BREAKER_GITHUB_RESET_TIMEOUT": "50s", "ASSAY_CACHE_RESULTS_SIZE": "11"}
	c, err := Load(env.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Breaker{7, 50 * time.Second, 10 * time.Minute}); c.Breakers.GitHub != want {
		t.Errorf("breaker of github %+v, want %+v", c.Breakers.GitHub, want)
	}
	if got, ok := c.Breakers.Of("corp/large"); !ok || got != (Breaker{3, 30 * time.Second, 10 * time.Minute}) {
		t.Errorf("breaker of corp %+v, %v", got, ok)
	}
	if want := (Cache{TTL: 2 * time.Hour, Size: 11}); c.Caches.Results != want {
		t.Errorf("cache of results %+v, want %+v", c.Caches.Results, want)
	}
	want := map[string][]Model{"default": {{"corp", "large"}}, "fast": {{"ollama", "small"}}, "deep": {{"corp", "large"}}, "long-context": {{"corp", "huge"}}}
	if d := cmp.Diff(want, c.Models.Chains()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"ollama", "corp"}, c.Models.Providers()); d != "" {
		t.Error(d)
	}
	if p := c.Models.Provider("corp"); p == nil || p.Key.Reveal() != "corp-key" || c.Models.Dialect("corp") != "openai" {
		t.Errorf("provider corp: %+v", p)
	}
	if got := c.Models.Prices[Model{"corp", "large"}]; got != (Price{Input: 1.5, Output: 6}) {
		t.Errorf("price %+v", got)
	}

	env["OPENAI_API_KEY"], env["ASSAY_MODEL_DEFAULT"] = "sk", "openai/gpt-5,corp/large"
	if c, err = Load(env.lookup); err != nil || !cmp.Equal(c.Models.Default, []Model{{"openai", "gpt-5"}, {"corp", "large"}}) {
		t.Errorf("default %v, %v", c.Models.Default, err)
	}
}

func TestBadFile(t *testing.T) {
	const version = "version: 1\noperator:\n"
	tests := []struct {
		name, text string
		env        environ
		want       []string
	}{
		{"not YAML", "version: 1\noperator: [", nil, []string{"assay.yml:2:", "cannot be read"}},
		{"a bound", version + "  breakers: {github: {failure_threshold: 0}}\n", nil, []string{"assay.yml:3:", "failure_threshold", "1000"}},
		{"an unknown breaker", version + "  breakers: {githb: {failure_threshold: 1}}\n", nil, []string{`did you mean "github"`}},
		{"a TTL that cannot be", version + "  caches: {tokens: {ttl: 1h}}\n", nil, []string{"operator.caches.tokens.ttl cannot be set"}},
		{"against the environment", version + "  breakers: {github: {max_reset_timeout: 1m}}\n", environ{"ASSAY_BREAKER_GITHUB_RESET_TIMEOUT": "2m"}, []string{"assay.yml: operator.breakers.github.max_reset_timeout", "out of range"}},
		{"a key that is not set", version + "  endpoints: {corp: {dialect: openai, url: \"https://x.example\", key: CORP_KEY}}\n", nil, []string{"CORP_KEY is not set"}},
		{"a key over http", version + "  endpoints: {corp: {dialect: openai, url: \"http://x.example\", key: CORP_KEY}}\n", environ{"CORP_KEY": "k-e-y"}, []string{"operator.endpoints.corp.url"}},
		{"another dialect", version + "  endpoints: {gemini: {dialect: openai, url: \"https://x.example\"}}\n", nil, []string{"another name"}},
		{"no default", version + "  endpoints: {corp: {dialect: openai, url: \"https://x.example\"}}\n  models: {big: {endpoint: corp, model: m}}\n", nil, []string{"has no default"}},
		{"an alias", version + "  endpoints: {corp: {dialect: openai, url: \"https://x.example\"}}\n  models: {b.g: {endpoint: corp, model: m}}\n", nil, []string{"operator.models.b.g"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := environ{"ASSAY_CONFIG": operatorsFile(t, tt.text)}
			for k, v := range tt.env {
				env[k] = v
			}
			_, err := Load(env.lookup)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "k-e-y") {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
		})
	}
	if _, err := Load(environ{"ASSAY_CONFIG": filepath.Join(t.TempDir(), "none.yml")}.lookup); err == nil || !strings.Contains(err.Error(), "ASSAY_CONFIG") {
		t.Errorf("a missing file: %v", err)
	}
}
