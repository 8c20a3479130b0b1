package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"assay/internal/secret"
)

// Models says which language models there are. Without Default there are none,
// and no agents that use them.
type Models struct {
	OpenAI, Anthropic, Gemini, Ollama ModelProvider
	// Endpoints are further providers, of the operator's file.
	Endpoints []Endpoint
	// Default, Fast and Deep are chains: the first that can answers. Fast and
	// Deep are Default where they are not set.
	Default, Fast, Deep []Model
	// Aliases are further ones, of the operator's file; Chains has them all.
	Aliases map[string][]Model
	// Prices are those that the operator's file names.
	Prices map[Model]Price
	// FirstToken and Idle bound the waits for an answer to begin and to go on,
	// Timeout one call.
	FirstToken, Idle, Timeout time.Duration
	// Concurrent is the number of calls at a time, of each provider.
	Concurrent int
	// Proxy says that calls go through the proxy of HTTPS_PROXY and its like.
	Proxy bool
}

// ModelProvider is an endpoint that serves models.
type ModelProvider struct {
	// URL is empty for the vendor's own.
	URL string
	Key secret.Secret
}

// Model is a model of a provider, which is one of ModelProviders or of
// Models.Endpoints.
type Model struct{ Provider, Name string }

// ModelProviders are the names of providers, as chains use them.
func ModelProviders() []string { return []string{"openai", "anthropic", "gemini", "ollama"} }

// Provider is the provider of that name.
func (m *Models) Provider(name string) *ModelProvider {
	switch name {
	case "openai":
		return &m.OpenAI
	case "anthropic":
		return &m.Anthropic
	case "gemini":
		return &m.Gemini
	case "ollama":
		return &m.Ollama
	}
	for i := range m.Endpoints {
		if m.Endpoints[i].Name == name {
			return &m.Endpoints[i].ModelProvider
		}
	}
	return nil
}

// Bounds of the settings above, the same as package llm's.
const (
	maxModelChain      = 8
	maxModelTimeout    = time.Hour
	maxModelConcurrent = 1000
	wantChain          = "`PROVIDER/MODEL`, as `openai/gpt-5.4`; several with commas between them, of which the first that can answers"
	wantModelURL       = "an https URL (http where no key is sent, or on this machine)"
)

// modelVariables are the rows of the table for models.
func modelVariables() []Variable {
	list := []Variable{
		modelKey("OPENAI_API_KEY", "OpenAI's key, or that of whoever is at `OPENAI_BASE_URL`.", func(c *Config) *ModelProvider { return &c.Models.OpenAI }),
		modelURL("OPENAI_BASE_URL", "`https://api.openai.com/v1`",
			"Where the provider `openai` is: anything that speaks chat completions (Azure's `/openai/v1`, vLLM, LM Studio, Groq, Mistral, OpenRouter, Bedrock's compatible endpoint, …).",
			func(c *Config) *ModelProvider { return &c.Models.OpenAI }),
		modelKey("ANTHROPIC_API_KEY", "Anthropic's key.", func(c *Config) *ModelProvider { return &c.Models.Anthropic }),
		modelURL("ANTHROPIC_BASE_URL", "`https://api.anthropic.com`", "Where the provider `anthropic` is; `/v1/messages` is added.",
			func(c *Config) *ModelProvider { return &c.Models.Anthropic }),
		modelKey("GEMINI_API_KEY", "Gemini's key.", func(c *Config) *ModelProvider { return &c.Models.Gemini }, "GOOGLE_API_KEY"),
		modelURL("GEMINI_BASE_URL", "`https://generativelanguage.googleapis.com/v1beta`", "Where the provider `gemini` is.",
			func(c *Config) *ModelProvider { return &c.Models.Gemini }),
		modelKey("OLLAMA_API_KEY", "The key of whatever stands before Ollama; mostly none.", func(c *Config) *ModelProvider { return &c.Models.Ollama }),
		{
			Group: "Models", Name: "OLLAMA_BASE_URL", Derived: "none: there is no provider `ollama`",
			Want:    wantModelURL,
			Purpose: "Where the provider `ollama` is, as `http://ollama:11434`.",
			set:     setOllamaURL,
		},
		{
			Group: "Models", Name: "ASSAY_MODEL_DEFAULT", Derived: "none: no agents that use models",
			Want:    wantChain,
			Purpose: "The models behind the alias `default`, which agents use unless they are told otherwise.",
			set: func(c *Config, text string) (err error) {
				c.Models.Default, err = c.Models.chain(text)
				return err
			},
		},
	}
	for _, a := range []struct {
		name, what string
		of         func(*Config) *[]Model
	}{
		{"FAST", "`fast`, for many small questions", func(c *Config) *[]Model { return &c.Models.Fast }},
		{"DEEP", "`deep`, for few hard ones", func(c *Config) *[]Model { return &c.Models.Deep }},
	} {
		list = append(list, Variable{
			Group: "Models", Name: "ASSAY_MODEL_" + a.name, Derived: "that of `ASSAY_MODEL_DEFAULT`",
			Want: wantChain, Purpose: "The models behind the alias " + a.what + ".",
			set: func(c *Config, text string) (err error) {
				if *a.of(c), err = c.Models.chain(text); err == nil && c.Models.Default == nil {
					err = errors.New("is of no use while ASSAY_MODEL_DEFAULT is not set, or wrong")
				}
				return err
			},
		})
	}
	return append(list, modelLimits()...)
}

func modelLimits() []Variable {
	timeout := func(name, standard, purpose string, of func(*Config) *time.Duration) Variable {
		return Variable{
			Group: "Models", Name: name, Default: standard,
			Want: "a duration from 1s to 1h, as `" + standard + "`", Purpose: purpose,
			set: func(c *Config, text string) (err error) {
				*of(c), err = duration(text, time.Second, maxModelTimeout)
				return err
			},
		}
	}
	return []Variable{
		timeout("ASSAY_MODEL_FIRST_TOKEN_TIMEOUT", "1m", "How long an answer may take to begin. Models that think in silence need more.",
			func(c *Config) *time.Duration { return &c.Models.FirstToken }),
		timeout("ASSAY_MODEL_IDLE_TIMEOUT", "30s", "How long an answer may pause.", func(c *Config) *time.Duration { return &c.Models.Idle }),
		timeout("ASSAY_MODEL_TIMEOUT", "5m", "How long one call may take in all.", func(c *Config) *time.Duration { return &c.Models.Timeout }),
		{
			Group: "Models", Name: "ASSAY_MODEL_CONCURRENCY", Default: "16",
			Want:    "a whole number from 1 to 1000",
			Purpose: "How many calls are made at a time, to each provider. Installations take turns.",
			set: func(c *Config, text string) (err error) {
				c.Models.Concurrent, err = number(text, 1, maxModelConcurrent)
				return err
			},
		},
		{
			Group: "Models", Name: "ASSAY_MODEL_PROXY", Default: "none",
			Want:    "`none` or `environment`",
			Purpose: "`environment` sends calls through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name.",
			set: func(c *Config, text string) error {
				if text != "none" && text != "environment" {
					return errors.New("is not a choice")
				}
				c.Models.Proxy = text == "environment"
				return nil
			},
		},
	}
}

func modelKey(name, purpose string, of func(*Config) *ModelProvider, aliases ...string) Variable {
	return Variable{
		Group: "Models", Name: name, Aliases: aliases, Secret: true,
		Want: "a key, without white space", Purpose: purpose,
		set: func(c *Config, text string) error {
			if !sendable(text) {
				return errors.New("has characters in it that a header cannot carry")
			}
			of(c).Key = secret.New(text)
			return nil
		},
	}
}

// sendable reports whether a header can carry the text.
func sendable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func modelURL(name, standard, purpose string, of func(*Config) *ModelProvider) Variable {
	return Variable{
		Group: "Models", Name: name, Derived: standard, Want: wantModelURL, Purpose: purpose,
		set: func(c *Config, text string) (err error) {
			// The key is the row before this one, and already set.
			of(c).URL, err = endpointURL(text, !of(c).Key.IsZero())
			return err
		},
	}
}

// endpointURL checks the address of a provider. It may be a private one: the
// operator has chosen it.
func endpointURL(text string, keyed bool) (string, error) {
	if rest, ok := strings.CutPrefix(text, "http://"); ok && !keyed {
		// Nothing is sent that could be stolen but the prompts, on the operator's
		// own network; otherwise the rules are the same.
		if _, err := baseURL("https://" + rest); err != nil {
			return "", err
		}
		return strings.TrimRight(text, "/"), nil
	}
	return baseURL(text)
}

func setOllamaURL(c *Config, text string) (err error) {
	if text, err = endpointURL(text, !c.Models.Ollama.Key.IsZero()); err != nil {
		return err
	}
	if u, err := url.Parse(text); err == nil && u.Path == "" {
		text += "/v1" // where it speaks chat completions
	}
	c.Models.Ollama.URL = text
	return nil
}

// modelName is what a model may be called.
var modelName = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9@._:/+-]{0,127}$`)

// chain reads a list of models. Providers are already set.
func (m *Models) chain(text string) ([]Model, error) {
	var list []Model
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		provider, name, ok := strings.Cut(part, "/")
		switch {
		case part == "":
			return nil, errors.New("has an empty part")
		case !ok && slices.Contains(ModelProviders(), part):
			return nil, fmt.Errorf("names no model of %s", part)
		case !ok || m.Provider(provider) == nil:
			return nil, fmt.Errorf("names the unknown provider of %q%s", part, didYouMean(part))
		case !modelName.MatchString(name):
			return nil, fmt.Errorf("names a model of %s that cannot be one", provider)
		case !m.reachable(provider):
			return nil, fmt.Errorf("names %s, but %s is not set", provider, needed(provider))
		case slices.Contains(list, Model{provider, name}):
			return nil, fmt.Errorf("names %s twice", part)
		}
		list = append(list, Model{provider, name})
	}
	if len(list) > maxModelChain {
		return nil, fmt.Errorf("names more than %d models", maxModelChain)
	}
	return list, nil
}

// reachable reports whether there is anything to reach a provider with: a key,
// or an address that may need none.
func (m *Models) reachable(provider string) bool {
	p := m.Provider(provider)
	return p.URL != "" || !p.Key.IsZero() && provider != "ollama"
}

func needed(provider string) string {
	if provider == "ollama" {
		return "OLLAMA_BASE_URL"
	}
	return strings.ToUpper(provider) + "_API_KEY"
}

// families are models that are known by the beginning of their names.
var families = []struct{ prefix, provider string }{
	{"gpt", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"}, {"claude", "anthropic"}, {"gemini", "gemini"}, {"google/", "gemini"},
	{"llama", "ollama"}, {"qwen", "ollama"}, {"azure/", "openai"},
}

// didYouMean is the end of an error about a model, with what may have been
// meant.
func didYouMean(part string) string {
	provider, name, ok := strings.Cut(part, "/")
	if ok {
		for _, known := range ModelProviders() {
			if distance(strings.ToLower(provider), known) <= 2 {
				return fmt.Sprintf(" (did you mean %s/%s?)", known, name)
			}
		}
	}
	for _, f := range families {
		if rest, ok := strings.CutPrefix(strings.ToLower(part), f.prefix); ok {
			if !strings.HasSuffix(f.prefix, "/") {
				rest = f.prefix + rest
			}
			return fmt.Sprintf(" (did you mean %s/%s?)", f.provider, rest)
		}
	}
	return "; there are " + strings.Join(ModelProviders(), ", ")
}

// distance is the number of letters to add, drop or change between a and b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// derive fills what follows from other settings.
func (m *Models) derive() {
	for _, chain := range []*[]Model{&m.Fast, &m.Deep} {
		if *chain == nil {
			*chain = m.Default
		}
	}
}
