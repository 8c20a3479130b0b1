package llmfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// suspicion is something that the rules find in a prompt.
type suspicion struct {
	path, line string
	what       string
	severe     bool
}

// rules are what this reviewer knows. They look at one line each.
var rules = []struct {
	pattern *regexp.Regexp
	what    string
	severe  bool
}{
	{regexp.MustCompile(`(?i)\beval\(|\bexec\(|os\.system\(|shell=True`), "It runs text as code.", true},
	{regexp.MustCompile(`(?i)(select|insert|update|delete)\b.*("\s*\+|%s|\$\{|fmt\.Sprintf)`), "It builds SQL from text, so that input becomes SQL.", true},
	{regexp.MustCompile(`InsecureSkipVerify:\s*true|verify=False`), "It accepts any certificate.", true},
	{regexp.MustCompile(`\bmd5\b|\bsha1\b|math/rand`), "It relies on something that can be guessed or forged.", false},
	{regexp.MustCompile(`_\s*=\s*\w+(\.\w+)*\(|except:\s*pass|catch\s*\(\w*\)\s*\{\s*\}`), "It drops an error.", false},
	{regexp.MustCompile(`<=\s*len\(`), "Its last round is one too many.", true},
	{regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`), "It is said to be unfinished.", false},
}

var (
	// pathPattern is a file's path in a prompt.
	pathPattern = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:])((?:[\w.-]+/)*[\w-][\w.-]*\.[A-Za-z]\w{0,9})\b`)
	// linePrefix is what views of diffs put before a line: numbers, a sign.
	linePrefix = regexp.MustCompile(`^\s*(?:\d+\s*[|:]?\s*)?\+\s?`)
	// codePrefix is what they put before a line that is not added.
	codePrefix = regexp.MustCompile(`^(?:\s*\d+ {3}|\s+- )`)
	// numbered are the findings that a second look is asked for.
	numbered = regexp.MustCompile(`(?m)^Finding (\d+):`)
)

// examine goes over a prompt: the files it names, and what is wrong with added
// lines in them, the last file named before each.
func examine(prompt string) (paths []string, found []suspicion) {
	current := ""
	for line := range strings.Lines(prompt) {
		line = strings.TrimRight(line, "\r\n")
		if codePrefix.MatchString(line) {
			continue
		}
		added := linePrefix.FindString(line)
		if added == "" || strings.HasPrefix(line, "+++ ") {
			for _, m := range pathPattern.FindAllStringSubmatch(line, 8) {
				path := m[1]
				if strings.HasPrefix(line, "+++ ") || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "diff ") {
					path = strings.TrimPrefix(strings.TrimPrefix(path, "a/"), "b/") // git's, for the two sides
				}
				if current = path; !slices.Contains(paths, path) {
					paths = append(paths, path)
				}
			}
			continue
		}
		code := line[len(added):]
		for _, rule := range rules {
			if current != "" && rule.pattern.MatchString(code) {
				found = append(found, suspicion{path: current, line: strings.TrimSpace(code), what: rule.what, severe: rule.severe})
				break
			}
		}
	}
	return paths, found
}

// good fills in an answer to a request: in the form it asks for, from what is
// in its prompt.
func good(r Request, a *answer) {
	paths, found := examine(r.Prompt)
	if call, ok := firstLook(r, paths); ok {
		a.calls = []Call{call}
		return
	}
	schema := r.Schema
	if r.Forced != "" {
		for _, t := range r.Tools {
			if t.Name == r.Forced || r.Forced == "*" { // the last one of any
				schema = t.Parameters
			}
		}
	}
	if schema == nil {
		schema = schemaIn(r.System)
	}
	if schema == nil {
		a.text = inWords(paths, found)
		return
	}
	f := &filler{paths: paths, found: found}
	for _, m := range numbered.FindAllStringSubmatch(r.Prompt, -1) {
		n, _ := strconv.Atoi(m[1])
		f.numbers = append(f.numbers, n)
	}
	a.text = write(f.fill("", parsed(schema), suspicion{}))
}

// firstLook reads the first file, if there is a tool for it and nothing has
// been looked at yet.
func firstLook(r Request, paths []string) (Call, bool) {
	if r.Results > 0 || len(paths) == 0 || r.Forced != "" && r.Forced != "*" {
		return Call{}, false
	}
	for _, t := range r.Tools {
		if strings.Contains(t.Name, "read") && strings.Contains(string(t.Parameters), `"path"`) {
			return Call{Name: t.Name, Arguments: write(map[string]string{"path": paths[0]})}, true
		}
	}
	return Call{}, false
}

// schemaIn is a schema that is told in words.
func schemaIn(system string) json.RawMessage {
	_, rest, ok := strings.Cut(system, "JSON schema:")
	if !ok {
		return nil
	}
	var schema json.RawMessage
	if json.NewDecoder(strings.NewReader(rest)).Decode(&schema) != nil {
		return nil
	}
	return schema
}

func inWords(paths []string, found []suspicion) string {
	if len(found) == 0 {
		return fmt.Sprintf("I looked at %d files and found nothing to object to.", len(paths))
	}
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "%s: `%s`: %s\n", s.path, s.line, s.what)
	}
	return b.String()
}

// filler makes a value that fits a schema. It knows what a property is for by
// its name.
type filler struct {
	paths []string
	found []suspicion
	// numbers are those of findings to be judged; number is the one at hand.
	numbers []int
	number  int
	depth   int
}

// maxDepth bounds recursive schemas.
const maxDepth = 12

func (f *filler) fill(name string, schema any, about suspicion) any {
	s, ok := schema.(map[string]any)
	if !ok || f.depth > maxDepth {
		return nil
	}
	f.depth++
	defer func() { f.depth-- }()
	if options, ok := s["enum"].([]any); ok && len(options) > 0 {
		return f.choose(name, options, about)
	}
	if value, ok := s["const"]; ok {
		return value
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if options, ok := s[key].([]any); ok && len(options) > 0 {
			return f.fill(name, options[0], about)
		}
	}
	switch kind(s) {
	case "object":
		properties, _ := s["properties"].(map[string]any)
		out := make(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			out[key] = f.fill(key, properties[key], about)
		}
		return out
	case "array":
		return f.list(name, s)
	case "string":
		return f.text(name, about)
	case "boolean":
		return strings.Contains(name, "real") || strings.Contains(name, "valid") || strings.Contains(name, "confirm") || strings.Contains(name, "holds")
	case "integer", "number":
		if f.number > 0 {
			return f.number
		}
		if least, ok := s["minimum"].(float64); ok {
			return least
		}
		return 1
	}
	return nil
}

// kind is the type of a schema, the first that is not null.
func kind(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		for _, e := range t {
			if text, ok := e.(string); ok && text != "null" {
				return text
			}
		}
	}
	if s["properties"] != nil {
		return "object"
	}
	return ""
}

// list makes one element for each suspicion where elements are about code, and
// one for each file where they are about files.
func (f *filler) list(name string, s map[string]any) any {
	out := []any{}
	items, _ := s["items"].(map[string]any)
	properties, _ := items["properties"].(map[string]any)
	most := 100
	if n, ok := s["maxItems"].(float64); ok {
		most = int(n)
	}
	has := func(words ...string) bool {
		for key := range properties {
			for _, word := range words {
				if strings.Contains(key, word) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case has("verdict") && len(f.numbers) > 0:
		for _, f.number = range f.numbers {
			out = append(out, f.fill("", items, suspicion{}))
		}
		f.number = 0
	case has("quote", "evidence", "snippet", "claim", "severity"):
		for _, found := range f.found {
			out = append(out, f.fill("", items, found))
		}
	case has("path", "file"):
		for _, path := range f.paths {
			out = append(out, f.fill("", items, suspicion{path: path, what: "Looked at."}))
		}
	case kind(items) == "string" && (strings.Contains(name, "file") || strings.Contains(name, "path") || strings.Contains(name, "examined")):
		for _, path := range f.paths {
			out = append(out, path)
		}
	}
	return out[:min(len(out), most)]
}

func (f *filler) choose(name string, options []any, about suspicion) any {
	want := []string{"medium", "low", "comment"}
	if about.severe {
		want = []string{"high", "error"}
	}
	if about.path == "" && len(f.found) == 0 {
		want = []string{"approve", "none", "info", "full"}
	}
	for _, w := range want {
		if slices.Contains(options, any(w)) {
			return w
		}
	}
	return options[0]
}

func (f *filler) text(name string, about suspicion) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	}
	switch {
	case has("path", "file"):
		return about.path
	case has("quote", "evidence", "snippet", "code"):
		return about.line
	case has("fix", "suggestion", "replacement"):
		return ""
	case has("why", "impact", "matters"):
		return "Whoever relies on it is let down."
	case has("fail", "see", "reproduce"):
		return "Call it with input that it does not expect."
	case has("summary", "overview"):
		return fmt.Sprintf("The change touches %d files.", len(f.paths))
	case about.what != "":
		return about.what
	}
	return fmt.Sprintf("%d files were looked at.", len(f.paths))
}
