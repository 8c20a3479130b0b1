package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// maxFile bounds the file of a secret; the largest, an RSA key of 16384 bits,
// has 13 KB.
const maxFile = 64 << 10

// setting is a name that is set and what it is set to.
type setting struct{ name, value string }

// find returns the text of the variable and the name it was set by; of one that
// is not set, its default and no name. A variable set to nothing counts as not
// set, since that is what compose files and templates make of a missing value.
func (v Variable) find(env Lookup) (text, source string, err error) {
	values, files := lookup(env, v.names()), lookup(env, v.fileNames())
	switch {
	case len(values) > 0 && len(files) > 0:
		return "", "", fmt.Errorf("%s and %s are both set: set only one", values[0].name, files[0].name)
	case len(values) > 0:
		if err := agree(values); err != nil {
			return "", "", err
		}
		return values[0].value, values[0].name, nil
	case len(files) > 0:
		if err := agree(files); err != nil {
			return "", "", err
		}
		text, err := readFile(files[0].value)
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", files[0].name, err)
		}
		return text, files[0].name, nil
	}
	return v.Default, "", nil
}

func lookup(env Lookup, names []string) []setting {
	var set []setting
	for _, name := range names {
		if value, ok := env(name); ok && value != "" {
			set = append(set, setting{name, value})
		}
	}
	return set
}

// agree returns an error when two names of one variable say different things.
func agree(set []setting) error {
	for _, s := range set[1:] {
		if s.value != set[0].value {
			return fmt.Errorf("%s and %s are the same setting and have different values: set only %s", set[0].name, s.name, set[0].name)
		}
	}
	return nil
}

// readFile reads a secret's file and drops the newline at its end. Errors do
// not show the path: a secret put where its path belongs is a common slip.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the file it names: %w; want the path of a file that holds the value", withoutPath(err))
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read the file it names: %w", withoutPath(err))
	case len(data) > maxFile:
		return "", fmt.Errorf("the file it names is over %d KiB; want one that holds the value alone", maxFile>>10)
	}
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	if len(data) == 0 {
		return "", errors.New("the file it names is empty; want one that holds the value")
	}
	return string(data), nil
}

func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// check puts text into c. A variable that is not set and has no default stays
// at its zero value.
func (v Variable) check(c *Config, text, source string) error {
	if text == "" {
		return nil
	}
	err := v.set(c, text)
	switch {
	case err == nil:
		return nil
	case v.Secret:
		return fmt.Errorf("%s %w; want %s", source, err, v.want())
	default:
		return fmt.Errorf("%s=%s %w; want %s", source, shown(text), err, v.want())
	}
}

// shown quotes a value for an error message: cut when long, and not at all
// when it may hold a password in front of a host.
func shown(text string) string {
	const longest = 60
	switch {
	case strings.Contains(text, "@"):
		return "…"
	case len(text) > longest:
		return fmt.Sprintf("%.*q…", longest, text)
	}
	return fmt.Sprintf("%q", text)
}

// Override puts values, by the variables' names, before those of env: command
// line flags go before the environment. An overridden variable's other names
// are hidden, so that they cannot contradict it; empty values override nothing.
func Override(values map[string]string, env Lookup) Lookup {
	hidden := make(map[string]bool)
	for _, v := range variables {
		if values[v.Name] == "" {
			continue
		}
		for _, name := range slices.Concat(v.Aliases, v.fileNames()) {
			hidden[name] = true
		}
	}
	return func(name string) (string, bool) {
		if value := values[name]; value != "" {
			return value, true
		}
		if hidden[name] {
			return "", false
		}
		return env(name)
	}
}
