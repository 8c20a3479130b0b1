package llm

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"assay/internal/guard"
	"assay/internal/secret"
)

// Config says which models there are. Every zero value stands for the default
// named at the field.
type Config struct {
	// Providers are the endpoints, by the names that aliases use.
	Providers map[string]Provider
	// Aliases are chains of models: the first that can answers.
	Aliases map[string][]Ref
	// FirstByte bounds the wait for an answer to begin: 60 s. Idle bounds the
	// wait for each further line of it: 30 s.
	FirstByte, Idle time.Duration
	// CallTimeout bounds one call of one model: 5 min. It is part of the guards'
	// config, see [GuardConfig].
	CallTimeout time.Duration
	// MaxWait bounds the wait for a place at a provider: 1 min.
	MaxWait time.Duration
	// Guards holds the dependency of each model, "provider/model"; its config
	// should come from [GuardConfig]. A set of our own if nil.
	Guards *guard.Set
	// Proxy says which proxy a request goes through; none if nil. With one,
	// addresses are the proxy's to check: what is dialled is the proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// Wrap, if set, wraps the transport, for traces and metrics.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Recorder, if set, is told of every call of an alias, after Mask has gone
	// over all its texts.
	Recorder Recorder
	Mask     func(string) string
	// Prices are used before the table that is built in.
	Prices map[string]Price
	// Logger is told of models that were stood in for; discarded if nil.
	Logger *slog.Logger
	// Rand returns numbers in [0, 1) for jitter; math/rand/v2 if nil.
	Rand func() float64
}

// Provider is an endpoint that serves models.
type Provider struct {
	Dialect Dialect
	// BaseURL is what comes before "/chat/completions" (OpenAI), "/v1/messages"
	// (Anthropic), "/models/" (Gemini); the vendor's own if empty. Private
	// addresses are allowed, since it is the operator's; those of clouds'
	// metadata services never are.
	BaseURL string
	// Key is sent to BaseURL's host alone. Not set, none is sent.
	Key secret.Secret
	// Concurrent is the number of calls at a time: 16.
	Concurrent int
}

// Dialect is a wire format.
type Dialect string

// The dialects.
const (
	OpenAI    Dialect = "openai"
	Anthropic Dialect = "anthropic"
	Gemini    Dialect = "gemini"
)

// Ref names a model of a provider.
type Ref struct{ Provider, Model string }

// String is "provider/model".
func (r Ref) String() string { return r.Provider + "/" + r.Model }

const (
	defaultFirstByte   = 60 * time.Second
	defaultIdle        = 30 * time.Second
	defaultCallTimeout = 5 * time.Minute
	defaultMaxWait     = time.Minute
	defaultConcurrent  = 16
	defaultMaxTokens   = 4096
)

// Bounds against typos.
const (
	maxConcurrent = 1000
	maxChain      = 8
	maxTimeout    = time.Hour
)

var (
	aliasPattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	modelPattern    = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9@._:/+-]{0,127}$`)
	notInGuardNames = regexp.MustCompile(`[^A-Za-z0-9._:/-]`)
)

// GuardConfig is how a model is guarded: cfg, with the values that suit models
// where it has none. Only a set made with it lets calls run for callTimeout (0
// is the default).
func GuardConfig(cfg guard.Config, callTimeout time.Duration) guard.Config {
	cfg.Deadline = cmp.Or(cfg.Deadline, callTimeout, defaultCallTimeout)
	cfg.MinCalls = cmp.Or(cfg.MinCalls, 5)
	cfg.ResetTimeout = cmp.Or(cfg.ResetTimeout, 15*time.Second)
	cfg.MaxAttempts = 1
	// The provider's places bound the calls; the guard's must not come first.
	cfg.MaxConcurrent = cmp.Or(cfg.MaxConcurrent, maxConcurrent)
	return cfg
}

func (c Config) withDefaults() Config {
	c.FirstByte = cmp.Or(c.FirstByte, defaultFirstByte)
	c.Idle = cmp.Or(c.Idle, defaultIdle)
	c.CallTimeout = cmp.Or(c.CallTimeout, defaultCallTimeout)
	c.MaxWait = cmp.Or(c.MaxWait, defaultMaxWait)
	if c.Guards == nil {
		timeout := c.CallTimeout
		c.Guards = guard.NewSet(func(string) guard.Config { return GuardConfig(guard.Config{}, timeout) })
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

// validate checks a config that has its defaults.
func (c Config) validate() error {
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"FirstByte", c.FirstByte}, {"Idle", c.Idle}, {"CallTimeout", c.CallTimeout}, {"MaxWait", c.MaxWait}} {
		if d.value < time.Millisecond || d.value > maxTimeout {
			return fmt.Errorf("%s is %s, want from 1ms to %s", d.field, d.value, maxTimeout)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Aliases)) {
		if err := c.validateAlias(name, c.Aliases[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateAlias(name string, chain []Ref) error {
	if !aliasPattern.MatchString(name) {
		return fmt.Errorf("the alias %q does not match %s", name, aliasPattern)
	}
	if len(chain) < 1 || len(chain) > maxChain {
		return fmt.Errorf("the alias %s has %d models, want from 1 to %d", name, len(chain), maxChain)
	}
	for i, ref := range chain {
		if _, ok := c.Providers[ref.Provider]; !ok {
			return fmt.Errorf("the alias %s names the provider %q; there are %s", name, ref.Provider,
				strings.Join(slices.Sorted(maps.Keys(c.Providers)), ", "))
		}
		if !modelPattern.MatchString(ref.Model) {
			return fmt.Errorf("the alias %s names the model %q, which does not match %s", name, ref.Model, modelPattern)
		}
		if slices.Contains(chain[:i], ref) {
			return fmt.Errorf("the alias %s names %s twice", name, ref)
		}
	}
	return nil
}

// guardName makes a model's name one that package guard takes.
func guardName(ref Ref) string {
	name := notInGuardNames.ReplaceAllString(ref.String(), "-")
	return name[:min(len(name), 100)]
}
