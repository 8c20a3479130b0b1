// Package reviewer is the agent that has a language model read a change. What
// makes its answers worth reading is what surrounds the model: the code it is
// shown, the tools it may look further with, what it may say, and what a push
// costs.
//
// The model's words are data. A finding counts only where it quotes code that
// stands in the hunks it was shown, and only after a second look has not
// refuted it; the lines are computed here, never taken from the model. A file
// counts as examined only where it was put into a prompt and the model names
// it. Answers are kept by content, so that a push pays for what it changed.
//
// Which models there are is package llm's to know and the operator's to say;
// what is spent is bounded here by the policy of the run, and by nobody else.
// This package alone among the agents imports internal/llm: an interface of its
// own would have to repeat the whole of it.
package reviewer

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the prompts
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"assay/agents"
	"assay/internal/llm"
	"assay/review"
)

// Name is the agent's name.
const Name = "reviewer"

// edition changes when the same content may get another answer for a reason
// that stands neither in the prompts nor in the schemas.
const edition = "2"

// The aliases of models that are used when the policy names none.
const (
	defaultModel = "default"
	fastModel    = "fast" // for the second look; defaultModel where it is not configured
)

var (
	//go:embed prompts/review.md
	reviewPrompt string
	//go:embed prompts/refute.md
	refutePrompt string
)

// Models finds models by their aliases; *[llm.Models] is one.
type Models interface {
	Alias(name string) (llm.Model, bool)
	// Chain is what stands behind an alias.
	Chain(alias string) []string
	// Missing is the error of an alias that there is not.
	Missing(alias string) error
}

// Answers keeps what models have answered, by key. It is safe for concurrent
// use. Failing to keep or to find something is its own affair.
type Answers interface {
	Lookup(ctx context.Context, repo review.Repo, key string) ([]byte, bool)
	Put(ctx context.Context, repo review.Repo, key string, answer []byte)
}

// Config is what the agent is made of. Models is required.
type Config struct {
	Models Models
	// Mask takes secrets out of a text, and should keep its lines apart; it must
	// come to the same when it is used twice. Nil masks nothing.
	Mask func(string) string
	// Answers keeps answers; nil keeps nothing.
	Answers Answers
	// Nonce makes the word that nobody can guess which fences untrusted text, for
	// each request anew; crypto/rand's if nil.
	Nonce func() string
	// Now is the clock that the budget of time is measured by; nil is time.Now.
	Now func() time.Time
	// Logger is told why parts of a change were not reviewed; nil discards it.
	Logger *slog.Logger
}

// Agent reviews changes. It is safe for concurrent use.
type Agent struct {
	cfg     Config
	version string
}

// New returns the agent.
func New(cfg Config) (*Agent, error) {
	if cfg.Models == nil {
		return nil, errors.New("reviewer: config Models is nil")
	}
	if cfg.Mask == nil {
		cfg.Mask = func(text string) string { return text }
	}
	if cfg.Nonce == nil {
		cfg.Nonce = func() string { return rand.Text()[:16] }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Agent{cfg: cfg}
	a.version = hashOf(edition, reviewPrompt, refutePrompt, answerDoc, verdictsDoc, toolsDoc())
	return a, nil
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Version implements agents.Versioned. It names the models behind the aliases
// too, since what they answer is the agent's answer.
func (a *Agent) Version() string {
	parts := []string{a.version}
	if all, ok := a.cfg.Models.(interface{ Aliases() []string }); ok {
		for _, alias := range all.Aliases() {
			parts = append(parts, alias, strings.Join(a.cfg.Models.Chain(alias), ","))
		}
	}
	return hashOf(parts...)
}

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	alias := cmp.Or(in.Policy.Model, defaultModel)
	model, ok := a.cfg.Models.Alias(alias)
	if !ok {
		return agents.Result{}, fmt.Errorf("review with the model %q: %w", alias, a.cfg.Models.Missing(alias))
	}
	skeptic, ok := a.cfg.Models.Alias(fastModel)
	second := fastModel
	if !ok {
		skeptic, second = model, alias
	}
	limits := limitsOf(in.Policy.Budget)
	ctx, cancel := context.WithTimeout(ctx, limits.time)
	defer cancel()
	j := &job{
		agent: a, in: in, model: model, skeptic: skeptic, limits: limits,
		source: newSource(in.Change, a.cfg.Mask),
		meter:  newMeter(ctx, limits, a.cfg.Now),
		key:    hashOf(a.version, alias, strings.Join(a.cfg.Models.Chain(alias), ","), strings.Join(a.cfg.Models.Chain(second), ","), fmt.Sprint(in.Policy.Tools), in.Change.Repo.String()),
	}
	j.tools = newTools(j.source, in.Policy.Tools)
	return j.run(ctx)
}

// hashOf names a list of texts.
func hashOf(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}
