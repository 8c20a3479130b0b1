package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"assay/strategy"
)

// fileVariable names the variable that holds the path of the operator's file.
const fileVariable = "ASSAY_CONFIG"

// File is the operator's file. The zero value is none.
type File struct {
	// Path is as the operator wrote it.
	Path string
	Data []byte
	// Says is what it says under the key "operator". What of that the environment
	// says too is already in the rest of the Config, by the environment.
	Says strategy.OperatorSettings
}

// BreakerNames and CacheNames are what the operator's file calls breakers and
// caches: as the variables do, in lower case.
func BreakerNames() []string { return namesOf("ASSAY_BREAKER_", "_FAILURE_THRESHOLD") }

// CacheNames is described at BreakerNames.
func CacheNames() []string { return namesOf("ASSAY_CACHE_", "_SIZE") }

func namesOf(prefix, suffix string) []string {
	var names []string
	for _, v := range variables {
		name, ok := strings.CutPrefix(v.Name, prefix)
		if name, is := strings.CutSuffix(name, suffix); ok && is {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

// readOperators reads the operator's file. What is wrong with its pipelines is found
// by whoever knows the agents.
func readOperators(env Lookup) (File, error) {
	path, ok := env(fileVariable)
	if !ok || path == "" {
		return File{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("%s=%s cannot be read: %w; want the path of the operator's config file", fileVariable, shown(path), withoutPath(err))
	}
	defer f.Close() //nolint:errcheck // only read
	// One byte more than is taken, so that the file's own check says that it is too large.
	data, err := io.ReadAll(io.LimitReader(f, strategy.MaxConfigBytes+1))
	if err != nil {
		return File{}, fmt.Errorf("%s=%s cannot be read: %w", fileVariable, shown(path), withoutPath(err))
	}
	file := File{Path: path, Data: data}
	known := strategy.Vocabulary{Breakers: BreakerNames(), Caches: CacheNames()}
	says, problems := strategy.ReadOperator(known, path, data)
	var errs []error
	for _, p := range problems {
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", p.Path, p.Line, p.Column, p.Message))
	}
	file.Says = says
	return file, errors.Join(errs...)
}

// fileValue is a value of the operator's file for a variable, and the key that
// gives it.
type fileValue struct{ text, key string }

// values are those settings of the file that variables of the environment may
// overrule.
func (f File) values() map[string]fileValue {
	values := make(map[string]fileValue)
	add := func(kind, name, variable, key string, set bool, text string) {
		if set {
			values["ASSAY_"+kind+"_"+strings.ToUpper(name)+"_"+variable] = fileValue{text, key}
		}
	}
	length := func(d time.Duration) (bool, string) { return d != 0, d.String() }
	for _, b := range f.Says.Breakers {
		at := "operator.breakers." + b.Name
		add("BREAKER", b.Name, "FAILURE_THRESHOLD", at+".failure_threshold", b.FailureThreshold != 0, fmt.Sprint(b.FailureThreshold))
		set, text := length(b.ResetTimeout)
		add("BREAKER", b.Name, "RESET_TIMEOUT", at+".reset_timeout", set, text)
		set, text = length(b.MaxResetTimeout)
		add("BREAKER", b.Name, "MAX_RESET_TIMEOUT", at+".max_reset_timeout", set, text)
	}
	for _, c := range f.Says.Caches {
		at := "operator.caches." + c.Name
		set, text := length(c.TTL)
		add("CACHE", c.Name, "TTL", at+".ttl", set, text)
		add("CACHE", c.Name, "SIZE", at+".size", c.Size != 0, fmt.Sprint(c.Size))
	}
	return values
}

// under puts the file's values under those of the environment: variables go
// before the file, as flags go before variables.
func (f File) under(env Lookup) Lookup {
	values := f.values()
	return func(name string) (string, bool) {
		if text, ok := env(name); ok && text != "" {
			return text, true
		}
		v, ok := values[name]
		return v.text, ok
	}
}

// source is how errors call the place of a variable's value: the file's key
// where that gave it.
func (f File) source(env Lookup, name, source string) string {
	if text, ok := env(name); ok && text != "" || source != name {
		return source
	}
	if v, ok := f.values()[name]; ok {
		return f.Path + ": " + v.key
	}
	return source
}

// unused are the settings of the file that no variable takes: those of
// endpoints are taken by the endpoints.
func (f File) unused() error {
	var errs []error
	for name, v := range f.values() {
		known := slices.ContainsFunc(variables, func(row Variable) bool { return row.Name == name })
		own := slices.ContainsFunc(f.Says.Endpoints, func(e strategy.Endpoint) bool {
			return strings.HasPrefix(v.key, "operator.breakers."+e.Name+".")
		})
		if !known && !own {
			errs = append(errs, fmt.Errorf("%s: %s cannot be set: remove it", f.Path, v.key))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
