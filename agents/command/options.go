package command

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/reviewdog/errorformat"

	"assay/review"
)

// options are what a config says of a command.
type options struct {
	command string
	format  string
	// parse reads output of the format.
	parse func([]byte) ([]problem, error)
	// exits are the exit codes with which the output counts.
	exits  []int
	stream string
	// paths are globs of the files that the command looks at; none means all.
	paths    []string
	severity review.Severity
	category review.Category
}

// Streams.
const (
	stdout = "stdout"
	stderr = "stderr"
	both   = "both"
)

var optionNames = []string{"command", "format", "errorformat", "exit_codes", "output", "paths", "severity", "category"}

// readOptions reads the options; errors begin with the option's name.
func readOptions(given map[string]string) (options, error) {
	o := options{command: given["command"], format: given["format"], severity: review.Medium, category: review.Correctness, stream: stdout, exits: []int{0, 1}}
	for name := range given {
		if !slices.Contains(optionNames, name) {
			return o, fmt.Errorf("%s: there is no such option: use %s", name, strings.Join(optionNames, ", "))
		}
	}
	if o.command == "" {
		return o, errors.New("command: name one of the operator's commands")
	}
	if err := o.readFormat(given["errorformat"]); err != nil {
		return o, err
	}
	if s := given["output"]; s != "" {
		if s != stdout && s != stderr && s != both {
			return o, fmt.Errorf("output: %q is not stdout, stderr or both", s)
		}
		o.stream = s
	}
	if s := given["severity"]; s != "" {
		if err := o.severity.UnmarshalText([]byte(s)); err != nil || o.severity == review.SeverityNone {
			return o, fmt.Errorf("severity: %q is not critical, high, medium, low or info", s)
		}
	}
	if s := review.Category(given["category"]); s != "" {
		if !slices.Contains([]review.Category{review.Security, review.Correctness, review.Maintainability, review.Process}, s) {
			return o, fmt.Errorf("category: %q is not security, correctness, maintainability or process", s)
		}
		o.category = s
	}
	if err := o.readExits(given["exit_codes"]); err != nil {
		return o, err
	}
	for _, glob := range words(given["paths"]) {
		if !doublestar.ValidatePattern(glob) {
			return o, fmt.Errorf("paths: %q is not a glob", glob)
		}
		o.paths = append(o.paths, glob)
	}
	return o, nil
}

func (o *options) readFormat(formats string) error {
	switch o.format {
	case "sarif":
		o.parse = parseSARIF
	case "rdjson":
		o.parse = parseRDJSON
	case "rdjsonl":
		o.parse = parseRDJSONL
	case "checkstyle":
		o.parse = parseCheckstyle
	case "junit":
		o.parse = parseJUnit
	case "diff":
		o.parse = parseDiff
	case "errorformat":
		if formats == "" {
			return errors.New("errorformat: say how a line reads, as %f:%l:%c: %m; one format a line")
		}
		lines := strings.Split(strings.TrimSpace(formats), "\n")
		compiled, err := errorformat.NewErrorformat(lines)
		if err != nil {
			return fmt.Errorf("errorformat: %w", err)
		}
		o.parse = func(out []byte) ([]problem, error) { return parseLines(compiled, out) }
		return nil
	default:
		return fmt.Errorf("format: %q is not sarif, rdjson, rdjsonl, checkstyle, junit, diff or errorformat", o.format)
	}
	if formats != "" {
		return errors.New("errorformat: is for the format errorformat alone")
	}
	return nil
}

func (o *options) readExits(codes string) error {
	if codes == "" {
		return nil
	}
	o.exits = nil
	for _, word := range words(codes) {
		code, err := strconv.Atoi(word)
		if err != nil || code < 0 || code > 255 {
			return fmt.Errorf("exit_codes: %q is not a number from 0 to 255", word)
		}
		o.exits = append(o.exits, code)
	}
	return nil
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

func (o options) expects(code int) bool { return slices.Contains(o.exits, code) }

func (o options) exitWords() string {
	all := make([]string, len(o.exits))
	for i, code := range o.exits {
		all[i] = strconv.Itoa(code)
	}
	return strings.Join(all, " or ")
}

func (o options) reads(stream string) bool { return o.stream == stream || o.stream == both }

func (o options) about(path string) bool {
	return len(o.paths) == 0 || slices.ContainsFunc(o.paths, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}
