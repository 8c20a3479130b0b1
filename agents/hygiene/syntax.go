package hygiene

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"assay/agents"
	"assay/review"
)

// language is a language whose syntax is checked.
type language struct {
	rule, name string
	// most is the largest text that is parsed, in bytes.
	most int
	// parse returns the first mistake; nil for none.
	parse func(p, text string) *mistake
}

// mistake is where a text cannot be parsed. Line is 1-based; 0 where it is not
// known.
type mistake struct {
	line    int
	message string
}

var (
	jsonLanguage  = language{Name + "/json-syntax", "JSON", maxText, parseJSON}
	yamlLanguage  = language{Name + "/yaml-syntax", "YAML", maxText / 2, parseYAML}
	tomlLanguage  = language{Name + "/toml-syntax", "TOML", maxText / 2, parseTOML}
	xmlLanguage   = language{Name + "/xml-syntax", "XML", maxText, parseXML}
	shellLanguage = language{Name + "/shell-syntax", "shell", maxText / 4, parseShell}
	goLanguage    = language{Name + "/go-syntax", "Go", maxText, parseGo}
)

func syntaxRules() []agents.Rule {
	var rules []agents.Rule
	for _, l := range []struct {
		language
		bad, good string
	}{
		{jsonLanguage, `{"a": 1,}`, `{"a": 1}`},
		{yamlLanguage, "a: b: c", `a: "b: c"`},
		{tomlLanguage, "name = assay", `name = "assay"`},
		{xmlLanguage, "<a><b></a>", "<a><b/></a>"},
		{shellLanguage, "if true; then echo x", "if true; then echo x; fi"},
		{goLanguage, "func f( {", "func f() {"},
	} {
		rules = append(rules, agents.Rule{
			ID: l.rule, Severity: review.Medium, Category: review.Correctness,
			What: fmt.Sprintf("A %s file that could be read before, or is new, cannot be parsed.", l.name),
			Why:  "Whatever reads the file fails, often not before it is deployed.", Fix: "Correct the syntax.",
			Example: "bad:\n" + l.bad + "\ngood:\n" + l.good,
			Silence: "Files of tests and templates are not parsed.",
		})
	}
	return rules
}

// languageOf is the language of a file by its name, or by its first line where
// it has none.
func languageOf(f review.File) (language, bool) {
	base := strings.ToLower(path.Base(f.Path))
	switch ext := path.Ext(base); ext {
	case ".json", ".jsonc", ".webmanifest", ".geojson", ".har":
		return jsonLanguage, ext == ".json" || ext == ".webmanifest"
	case ".yml", ".yaml":
		return yamlLanguage, true
	case ".toml":
		return tomlLanguage, true
	case ".xml", ".xsd", ".xsl", ".xslt", ".csproj", ".vbproj", ".fsproj", ".props", ".targets", ".nuspec", ".resx", ".storyboard", ".xib", ".plist", ".wsdl":
		return xmlLanguage, true
	case ".sh", ".bash", ".ksh", ".bats":
		return shellLanguage, true
	case ".go":
		return goLanguage, true
	case "":
		for l := range f.Added() {
			return shellLanguage, l.New == 1 && dialect(f.Path, l.Text) != 0 && strings.HasPrefix(l.Text, "#!")
		}
	}
	return language{}, false
}

// unparsed are files that are wrong on purpose, or made into something else
// before they are read.
var unparsed = regexp.MustCompile(`(?i)(?:^|/)(?:[^/]*fixtures?|test[-_]?(?:files?|data|inputs?|cases?)[^/]*|templates?|_templates|cookiecutter[^/]*|\{\{[^/]*|archetype-resources|skeletons?|scaffold(?:s|ing)?|stubs?|invalid|broken|malformed|bad)/|[._-](?:tmpl|tpl|template|invalid|broken|bad)\.[a-z]+$`)

// templated is text that is a template, whatever its name.
var templated = regexp.MustCompile(`\{\{|\{%|<%|@@[A-Z_]+@@|\$\{\{|__[A-Z_]+__|^<<<<<<<`)

// syntax parses the file if its language is known. Only what the change broke is
// spoken of: the file is new, or could be parsed before.
func (a *Agent) syntax(ctx context.Context, f review.File, files *texts) (found []review.Finding, gap string) {
	lang, ok := languageOf(f)
	if !ok || f.Binary || f.Mode == modeSymlink || agents.TestPath(f.Path) || unparsed.MatchString(f.Path) || len(f.Hunks) == 0 && f.Unread == "" {
		return nil, ""
	}
	text, gap := files.head(ctx, f)
	if gap != "" || len(text) > lang.most || strings.TrimSpace(text) == "" {
		return nil, gap
	}
	wrong := lang.mistake(f.Path, text)
	if wrong == nil || lang.rule != goLanguage.rule && templated.MatchString(text) {
		return nil, ""
	}
	before, known := files.base(ctx, f)
	if known && strings.TrimSpace(before) != "" && lang.mistake(f.Path, before) != nil {
		return nil, ""
	}
	added := agents.AddedLines(f)
	if !known && !added.Any(wrong.line, wrong.line) {
		return nil, ""
	}
	c := a.finding(lang.rule, f.Path, fmt.Sprintf("This file cannot be parsed as %s any more: %s.", lang.name, wrong.message))
	if f.Status == review.Added {
		c.Message = fmt.Sprintf("This file cannot be parsed as %s: %s.", lang.name, wrong.message)
	}
	lines := strings.Split(text, "\n")
	if wrong.line > 0 && wrong.line <= len(lines) {
		c.Evidence = clip(strings.TrimSpace(lines[wrong.line-1]))
		if added.Any(wrong.line, wrong.line) {
			c.StartLine, c.EndLine = wrong.line, wrong.line
		} else {
			c.Message += fmt.Sprintf(" The parser gives up on line %d.", wrong.line)
		}
	}
	if line, fix := commaFix(lang, f.Path, lines, wrong.line, added); fix != nil {
		c.StartLine, c.EndLine, c.Fix = line, line, fix
		c.Evidence = clip(strings.TrimSpace(lines[line-1]))
	}
	return []review.Finding{c}, ""
}

// mistake parses the text. A parser that crashes has found nothing.
func (l language) mistake(p, text string) (wrong *mistake) {
	defer func() {
		if recover() != nil {
			wrong = nil
		}
	}()
	if !utf8.ValidString(text) {
		return nil // some other encoding: not for us to say
	}
	wrong = l.parse(p, strings.TrimPrefix(text, "\uFEFF"))
	if wrong != nil {
		wrong.message = strings.TrimRight(clip(wrong.message), ".")
	}
	return wrong
}

// trailingComma is a comma at the end of the line, or before a closing bracket.
var trailingComma = regexp.MustCompile(`,\s*(?:$|[}\]])`)

// commaFix finds the comma that is one too many, on the line of the mistake or
// the one before it, if that is all that is wrong with the file. It returns the
// line, which the change adds, and the line without the comma.
func commaFix(lang language, p string, lines []string, wrong int, added agents.Lines) (line int, fix *review.Fix) {
	if lang.rule != jsonLanguage.rule {
		return 0, nil
	}
	for _, n := range []int{wrong, wrong - 1} {
		if !added[n] || n > len(lines) || len(lines[n-1]) > maxFixLine {
			continue
		}
		text := lines[n-1]
		for _, m := range trailingComma.FindAllStringIndex(text, 20) {
			fixed := text[:m[0]] + text[m[0]+1:]
			if lang.mistake(p, strings.Join(slices.Concat(lines[:n-1], []string{fixed}, lines[n:]), "\n")) == nil {
				return n, &review.Fix{Replacement: fixed}
			}
		}
	}
	return 0, nil
}
