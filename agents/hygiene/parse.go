package hygiene

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v4"
	"mvdan.cc/sh/v3/syntax"
)

// strictJSON are files whose readers take no comments and no trailing commas.
// Of all others that is not known: many tools take both under the name .json.
var strictJSON = regexp.MustCompile(`(?:^|/)(?:package|composer|package-lock|npm-shrinkwrap|bower|lerna|manifest|vercel|app|firebase|angular)\.json$|\.webmanifest$|(?:^|/)locales?/`)

func parseJSON(p, text string) *mistake {
	wrong := jsonMistake(text)
	if wrong == nil || !strictJSON.MatchString(p) && jsonMistake(relaxed(text)) == nil {
		return nil
	}
	return wrong
}

// jsonMistake is the first mistake in a JSON value, or in one value a line.
func jsonMistake(text string) *mistake {
	var value json.RawMessage
	err := json.Unmarshal([]byte(text), &value)
	if err == nil || jsonLines(text) {
		return nil
	}
	at, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return &mistake{message: err.Error()}
	}
	if int(at.Offset) >= len(strings.TrimRight(text, " \t\r\n")) && strings.HasPrefix(err.Error(), "unexpected end") {
		return &mistake{lineAt(text, len(strings.TrimRight(text, " \t\r\n"))), "the file ends in the middle"}
	}
	return &mistake{lineAt(text, int(at.Offset)-1), err.Error()}
}

// jsonLines reports whether the text is one JSON value a line.
func jsonLines(text string) bool {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" && !json.Valid([]byte(line)) {
			return false
		}
	}
	return true
}

// relaxed is JSON with comments and trailing commas made plain JSON. Lines stay
// where they are.
func relaxed(text string) string {
	out := []byte(text)
	comma := -1
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"':
			comma = -1
			for i++; i < len(out) && out[i] != '"'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
		case c == '/' && i+1 < len(out) && out[i+1] == '/':
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		case c == '/' && i+1 < len(out) && out[i+1] == '*':
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return text
			}
			for to := i + 2 + end + 2; i < to; i++ {
				if out[i] != '\n' {
					out[i] = ' '
				}
			}
			i--
		case c == ',':
			comma = i
		case (c == '}' || c == ']') && comma >= 0:
			out[comma], comma = ' ', -1
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			comma = -1
		}
	}
	return string(out)
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// parseYAML reads the documents of a text into nodes, which resolves no aliases
// and no tags.
func parseYAML(_, text string) *mistake {
	if strings.Count(text, "\n%YAML 1.") > 0 || deeper(text, "[{", "]}", maxDepth) {
		return nil
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			continue
		}
		wrong := &mistake{message: strings.TrimPrefix(err.Error(), "yaml: ")}
		if m := yamlLine.FindStringSubmatch(wrong.message); m != nil {
			wrong.line, _ = strconv.Atoi(m[1])
		}
		return wrong
	}
}

func parseTOML(_, text string) *mistake {
	if deeper(text, "[{", "]}", maxDepth) {
		return nil
	}
	var value map[string]any
	err := toml.Unmarshal([]byte(text), &value)
	if err == nil {
		return nil
	}
	wrong := &mistake{message: strings.TrimPrefix(err.Error(), "toml: ")}
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		wrong.line, _ = at.Position()
	}
	return wrong
}

// parseXML holds a text to be well formed. Entities that it declares itself,
// other encodings and XML 1.1 it leaves alone.
func parseXML(_, text string) *mistake {
	if strings.Contains(text, "<!ENTITY") || strings.Contains(text, "<!DOCTYPE") && strings.Contains(text, "&") {
		return nil
	}
	dec := xml.NewDecoder(strings.NewReader(text))
	other := false
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { other = true; return r, nil }
	for {
		_, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF), err != nil && (other || strings.Contains(err.Error(), "unsupported version")):
			return nil
		case err != nil:
			line, _ := dec.InputPos()
			if at, ok := errors.AsType[*xml.SyntaxError](err); ok {
				return &mistake{at.Line, at.Msg}
			}
			return &mistake{line, strings.TrimPrefix(err.Error(), "xml: ")}
		}
	}
}

// maxDepth is how deep brackets may stand within each other in texts that are
// given to parsers that recurse without a bound: a stack that overflows ends
// the process.
const maxDepth = 500

// deeper reports whether brackets stand deeper within each other than most,
// wherever they stand.
func deeper(text, open, closed string, most int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.IndexByte(open, text[i]) >= 0:
			if depth++; depth > most {
				return true
			}
		case strings.IndexByte(closed, text[i]) >= 0:
			depth = max(0, depth-1)
		}
	}
	return false
}

// dialect is the shell that a script is written for; 0 for one that is not
// parsed here.
func dialect(p, first string) syntax.LangVariant {
	if line, ok := strings.CutPrefix(first, "#!"); ok {
		fields := strings.Fields(line)
		for i, f := range fields {
			if name := path.Base(f); i == 0 && name == "env" || strings.HasPrefix(f, "-") {
				continue
			} else {
				return map[string]syntax.LangVariant{
					"sh": syntax.LangPOSIX, "dash": syntax.LangPOSIX, "ash": syntax.LangPOSIX, "bash": syntax.LangBash,
					"ksh": syntax.LangMirBSDKorn, "mksh": syntax.LangMirBSDKorn, "bats": syntax.LangBats,
				}[name]
			}
		}
		return 0
	}
	switch path.Ext(p) {
	case ".sh", ".bash":
		return syntax.LangBash
	case ".bats":
		return syntax.LangBats
	case ".ksh":
		return syntax.LangMirBSDKorn
	}
	return 0
}

// parseShell parses a script as its own shell would, and as bash, which takes
// more: a script under #!/bin/sh may be run by a sh that is bash.
func parseShell(p, text string) *mistake {
	first, _, _ := strings.Cut(text, "\n")
	own := dialect(p, first)
	if own == 0 || deeper(text, "({[", ")}]", maxDepth) || strings.Count(text, "`")+wordsOf(text) > maxNested {
		return nil
	}
	var wrong *mistake
	for _, lang := range []syntax.LangVariant{own, syntax.LangBash} {
		_, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
		if err == nil {
			return nil
		}
		if _, other := errors.AsType[syntax.LangError](err); other {
			return nil // it is right in some other shell, and may ask which it runs in
		}
		if strings.Contains(err.Error(), "arithmetic") {
			return nil // shells take "$((" for a command in a command too
		}
		if wrong != nil {
			break
		}
		wrong = &mistake{message: err.Error()}
		if at, ok := errors.AsType[syntax.ParseError](err); ok {
			wrong = &mistake{int(at.Pos.Line()), at.Text}
		}
	}
	return wrong
}

// maxNested bounds what can stand within each other in a script other than
// brackets.
const maxNested = 5000

// wordsOf counts the words that begin something that ends later.
func wordsOf(text string) int {
	return len(openers.FindAllStringIndex(text, maxNested+1))
}

var openers = regexp.MustCompile(`\b(?:if|while|until|for|case|select)\b|!|&&|\|`)

// parseGo parses a file of Go. Its parser bounds its depth itself.
func parseGo(p, text string) *mistake {
	if strings.HasPrefix(p, "_") || strings.Contains(p, "/_") || strings.HasPrefix(path.Base(p), ".") {
		return nil // the go command does not read these
	}
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err == nil {
		return nil
	}
	if list, ok := errors.AsType[scanner.ErrorList](err); ok && len(list) > 0 {
		return &mistake{list[0].Pos.Line, list[0].Msg}
	}
	return &mistake{message: err.Error()}
}

// lineAt is the 1-based line that holds the offset.
func lineAt(text string, offset int) int {
	return strings.Count(text[:max(0, min(offset, len(text)))], "\n") + 1
}
