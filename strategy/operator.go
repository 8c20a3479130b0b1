package strategy

import (
	"time"

	"assay/review"
)

// OperatorSettings are what only the operator's file may say, under the key
// "operator". Zero values leave things as they are without the file.
type OperatorSettings struct {
	// Lock are the keys that no layer above may give: dotted, each with all
	// below it, "*" standing for any one name ("pipelines.*.gate").
	Lock []string
	// Endpoints are where models are reached.
	Endpoints []Endpoint
	// Models are the aliases that configs may choose from.
	Models []Model
	// Commands are what the agents that run programs may run.
	Commands []Command
	// MaxBudget bounds the budgets that the layers above may set.
	MaxBudget review.Budget
	// Breakers and Caches are the settings of dependencies and caches, by name.
	Breakers []Breaker
	Caches   []Cache
}

// ReadOperator reads of the operator's file what only that may say, before it is
// known what agents there are. That the rest of it is good, Load says. Problems
// are as Load's, of the key "operator" and of the file as YAML.
func ReadOperator(v Vocabulary, path string, data []byte) (s OperatorSettings, problems []review.Problem) {
	l := Layer{Kind: Operator, Path: path, Data: data}
	defer func() {
		if recover() != nil { // as in over
			s, problems = OperatorSettings{}, []review.Problem{l.unreadable()}
		}
	}()
	r := &reader{known: v, config: Default(v), compiled: make(map[string]*Condition), origins: make(map[string]Origin)}
	root := r.file(l)
	if root == nil {
		return s, r.sorted()
	}
	pairs, _ := r.pairs(value{*root}, "")
	for _, p := range pairs {
		if p.name == "operator" {
			operatorShape().read(r, p.value, p.name, &r.config.Operator)
		}
	}
	if len(r.problems) > 0 {
		return s, r.sorted()
	}
	return r.config.Operator, nil
}

// Endpoint is where models are reached.
type Endpoint struct {
	Name string
	// Dialect is what it speaks: "openai" or "anthropic".
	Dialect string
	// URL is its base URL.
	URL string
	// Key is the name of the environment variable with its key; empty for none.
	Key string
}

// Model is an alias of a model.
type Model struct {
	Name string
	// Endpoint is the name of an Endpoint, and Model what the model is called
	// there.
	Endpoint, Model string
	// Input, Cached and Output are prices in US dollars per million tokens; 0
	// where not known.
	Input, Cached, Output float64
}

// Command is a program that agents may run.
type Command struct {
	Name string
	// Run is the program and its arguments; no shell reads it.
	Run []string
}

// Breaker is how the circuit breaker of a dependency behaves; a zero value is
// the dependency's own.
type Breaker struct {
	Name             string
	FailureThreshold int
	ResetTimeout     time.Duration
	MaxResetTimeout  time.Duration
}

// Cache is how much a cache holds, and how long; a zero value is the cache's
// own.
type Cache struct {
	Name string
	TTL  time.Duration
	Size int
}
