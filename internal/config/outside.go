package config

import (
	"fmt"
	"strings"
	"time"
)

// Breakers says when the dependencies outside are left alone, and for how
// long.
type Breakers struct {
	// GitHub is its REST API, GitHubToken the part of it that makes tokens,
	// GitHubGraphQL its GraphQL API.
	GitHub, GitHubToken, GitHubGraphQL Breaker
	// Of the providers of models; each of their models has a breaker of its own.
	OpenAI, Anthropic, Gemini, Ollama Breaker
	// OSV is the API of the OSV database.
	OSV Breaker
	// Endpoints are those of the providers that the operator's file adds.
	Endpoints map[string]Breaker
}

func (b *Breakers) all() []*Breaker {
	return []*Breaker{&b.GitHub, &b.GitHubToken, &b.GitHubGraphQL, &b.OpenAI, &b.Anthropic, &b.Gemini, &b.Ollama, &b.OSV}
}

// Of is the breaker of a dependency as configs call it: "github", or the
// provider of a model, as "openai" of "openai/gpt-5". It is false for one that
// has no settings.
func (b *Breakers) Of(dependency string) (Breaker, bool) {
	name, _, _ := strings.Cut(dependency, "/")
	fixed := map[string]*Breaker{
		"github": &b.GitHub, "github_token": &b.GitHubToken, "github_graphql": &b.GitHubGraphQL, "osv": &b.OSV,
		"openai": &b.OpenAI, "anthropic": &b.Anthropic, "gemini": &b.Gemini, "ollama": &b.Ollama,
	}
	if own, ok := fixed[name]; ok {
		return *own, true
	}
	own, ok := b.Endpoints[name]
	return own, ok
}

// Breaker is the settings of one circuit breaker.
type Breaker struct {
	// FailureThreshold is the number of failures in a row that open it.
	FailureThreshold int
	// ResetTimeout is how long it is open at first, MaxResetTimeout at most:
	// never less.
	ResetTimeout, MaxResetTimeout time.Duration
}

// Caches bounds what is remembered.
type Caches struct {
	// OrgConfig are organisations' configs, kept for their TTL without asking.
	OrgConfig Cache
	// Tokens has no TTL of its own: a token says how long it is good.
	Tokens, Config, Contents, Answers Cache
	// Results are what agents answered, by content.
	Results Cache
}

// Cache is the settings of one cache.
type Cache struct {
	TTL  time.Duration
	Size int // entries
}

// Bounds of the settings above, the same as package guard's and cache's.
const (
	maxThreshold    = 10_000
	maxResetTimeout = 24 * time.Hour
	maxCacheTTL     = 30 * 24 * time.Hour
	maxCacheSize    = 10_000_000
	wantReset       = "a duration from 1ms to 24h, as `30s`"
	defaultMaxReset = 10 * time.Minute
	// As the table has them.
	defaultThreshold = 5
	defaultReset     = 30 * time.Second
)

// breakerVariables are the settings of the breaker called name, of what.
func breakerVariables(name, what string, of func(*Config) *Breaker) []Variable {
	prefix := "ASSAY_BREAKER_" + name
	return []Variable{
		{
			Group: "Breakers", Name: prefix + "_FAILURE_THRESHOLD", Default: "5",
			Want:    "a whole number from 1 to 10000",
			Purpose: "How many failures in a row make " + what + " count as down: calls then fail at once, and jobs are put off.",
			set: func(c *Config, text string) (err error) {
				of(c).FailureThreshold, err = number(text, 1, maxThreshold)
				return err
			},
		},
		{
			Group: "Breakers", Name: prefix + "_RESET_TIMEOUT", Default: "30s",
			Want:    wantReset,
			Purpose: "After how long " + what + " is tried again. It doubles each time that fails.",
			set: func(c *Config, text string) (err error) {
				of(c).ResetTimeout, err = duration(text, time.Millisecond, maxResetTimeout)
				return err
			},
		},
		{
			Group: "Breakers", Name: prefix + "_MAX_RESET_TIMEOUT",
			Derived: "`10m`, or that of `" + prefix + "_RESET_TIMEOUT` if it is longer",
			Want:    "a duration from that of " + prefix + "_RESET_TIMEOUT to 24h, as `10m`",
			Purpose: "How long it becomes by doubling.",
			set: func(c *Config, text string) (err error) {
				// The variable before this one is already set.
				of(c).MaxResetTimeout, err = duration(text, of(c).ResetTimeout, maxResetTimeout)
				return err
			},
		},
	}
}

// cacheVariables are the settings of the cache called name, of what. An empty
// ttl is one that cannot be set.
func cacheVariables(name, what string, ttl string, size int, of func(*Config) *Cache) []Variable {
	prefix := "ASSAY_CACHE_" + name
	bounds := []Variable{{
		Group: "Caches", Name: prefix + "_SIZE", Default: fmt.Sprint(size),
		Want:    "a whole number from 1 to 10000000",
		Purpose: "How many " + what + " are kept; those that were not used for longest leave first.",
		set: func(c *Config, text string) (err error) {
			of(c).Size, err = number(text, 1, maxCacheSize)
			return err
		},
	}}
	if ttl == "" {
		return bounds
	}
	return append([]Variable{{
		Group: "Caches", Name: prefix + "_TTL", Default: ttl,
		Want:    "a duration from 1ms to 720h, as `" + ttl + "`",
		Purpose: "How long " + what + " are kept.",
		set: func(c *Config, text string) (err error) {
			of(c).TTL, err = duration(text, time.Millisecond, maxCacheTTL)
			return err
		},
	}}, bounds...)
}

// outsideVariables are the rows of the table for what is outside.
func outsideVariables() []Variable {
	var list []Variable
	for _, rows := range [][]Variable{
		breakerVariables("GITHUB", "GitHub", func(c *Config) *Breaker { return &c.Breakers.GitHub }),
		breakerVariables("GITHUB_TOKEN", "the part of GitHub that makes tokens", func(c *Config) *Breaker { return &c.Breakers.GitHubToken }),
		breakerVariables("GITHUB_GRAPHQL", "GitHub's GraphQL API", func(c *Config) *Breaker { return &c.Breakers.GitHubGraphQL }),
		breakerVariables("OPENAI", "a model of the provider openai", func(c *Config) *Breaker { return &c.Breakers.OpenAI }),
		breakerVariables("ANTHROPIC", "a model of the provider anthropic", func(c *Config) *Breaker { return &c.Breakers.Anthropic }),
		breakerVariables("GEMINI", "a model of the provider gemini", func(c *Config) *Breaker { return &c.Breakers.Gemini }),
		breakerVariables("OLLAMA", "a model of the provider ollama", func(c *Config) *Breaker { return &c.Breakers.Ollama }),
		breakerVariables("OSV", "the OSV database's API", func(c *Config) *Breaker { return &c.Breakers.OSV }),
		cacheVariables("TOKENS", "installation tokens", "", 4096, func(c *Config) *Cache { return &c.Caches.Tokens }),
		cacheVariables("CONFIG", "repositories' configs (GitHub is asked each time whether they still stand)", "1h", 1024, func(c *Config) *Cache { return &c.Caches.Config }),
		cacheVariables("ORG_CONFIG", "organisations' configs, or that there is none,", "1m", 1024, func(c *Config) *Cache { return &c.Caches.OrgConfig }),
		cacheVariables("ANSWERS", "pull requests and their lists of files (GitHub is asked each time whether they still stand)", "1h", 4096, func(c *Config) *Cache { return &c.Caches.Answers }),
		cacheVariables("CONTENTS", "files of commits, up to 64 MiB in all,", "10m", 4096, func(c *Config) *Cache { return &c.Caches.Contents }),
		cacheVariables("RESULTS", "answers of agents to content that they have seen before, up to 32 MiB in all,", "1h", 1024, func(c *Config) *Cache { return &c.Caches.Results }),
	} {
		list = append(list, rows...)
	}
	return list
}
