package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"assay/internal/config"
	"assay/internal/pipeline"
	"assay/strategy"
)

// instructed are those agents that read a team's words.
var instructed = []string{"reviewer", "architect", "summary"}

// Vocabulary is what configs may choose from, given the agents that there are
// and the operator's settings.
func Vocabulary(reviewer pipeline.Reviewer, cfg config.Config) strategy.Vocabulary {
	v := reviewer.Vocabulary()
	v.Models = slices.Sorted(maps.Keys(cfg.Models.Chains()))
	v.Breakers, v.Caches = config.BreakerNames(), config.CacheNames()
	v.Instructed = slices.DeleteFunc(slices.Clone(instructed), func(name string) bool { return !slices.Contains(v.Agents, name) })
	return v
}

// OperatorLayer is the operator's file as a layer; nil where there is none.
func OperatorLayer(cfg config.Config) *strategy.Layer {
	if cfg.File.Path == "" {
		return nil
	}
	return &strategy.Layer{Kind: strategy.Operator, Path: cfg.File.Path, Data: cfg.File.Data}
}

// operatorSettings are those in force where no organisation and no repository
// says anything. The error is what is wrong with the operator's file.
func operatorSettings(v strategy.Vocabulary, layer *strategy.Layer) (strategy.Settings, error) {
	if layer == nil {
		return strategy.Load(v), nil
	}
	s := strategy.Load(v, *layer)
	var errs []error
	for _, p := range s.Problems {
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", p.Path, p.Line, p.Column, p.Message))
	}
	if err := errors.Join(errs...); err != nil {
		return s, fmt.Errorf("the operator's config file (ASSAY_CONFIG) has mistakes:\n%w", err)
	}
	return s, nil
}

// readSettings reads the operator's file, once it is known what agents there
// are. A bad one is no start: what it locks would be open.
func (a *App) readSettings() (err error) {
	a.vocabulary, a.operator = Vocabulary(a.reviewer, a.opts.Config), OperatorLayer(a.opts.Config)
	if a.settings, err = operatorSettings(a.vocabulary, a.operator); err != nil {
		return err
	}
	for _, n := range a.settings.Config.Notices {
		a.log.Warn("operator's config file", "line", n.Line, "note", n.Message)
	}
	return nil
}
