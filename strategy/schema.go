package strategy

import (
	"encoding/json"
	"fmt"
	"strings"

	"assay/internal/expr"
)

// Schema is the JSON Schema of the language (draft 2020-12), for editors. It
// takes every file that Load takes; what depends on the service, or on other
// keys, it leaves to Load.
func Schema() []byte {
	s := object[Config]{rows: rootKeys}.describe().schema
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Assay config"
	s["description"] = "What Assay does on which event: .github/assay.yml of a repository, assay.yml of an organisation's .github repository, or the operator's file."
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // made of strings, numbers, lists and maps alone
	}
	return append(data, '\n')
}

// Reference is the reference of the language in Markdown: keys, events and what
// conditions can read.
func Reference() string {
	var b strings.Builder
	b.WriteString("### Keys\n\nA key is where its indentation puts it: `pipelines.<name>.gate.fail_on` stands in `gate` of a pipeline. *Where* says whose file may have it: any, or the operator's alone.\n\n")
	b.WriteString("| key | value | built-in | where | |\n| --- | --- | --- | --- | --- |\n")
	writeKeys(&b, "", object[Config]{rows: rootKeys}.describe().keys, defaults(), false)
	b.WriteString("\n### Events\n\n| event | when |\n| --- | --- |\n")
	for _, e := range events {
		what := e.what
		if e.note != "" {
			what = "*" + e.note + "*"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", e.name, what)
	}
	b.WriteString("| `schedule.<name>` | a schedule of `schedules` is due |\n")
	b.WriteString("\n### Conditions\n\n| name | type | what it is |\n| --- | --- | --- |\n")
	for _, f := range expr.Fields() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.Type, f.What)
	}
	return b.String()
}

func writeKeys(b *strings.Builder, where string, keys []key, built map[string]string, operator bool) {
	for _, k := range keys {
		at := join(where, k.name)
		only := "any"
		if operator || k.operator {
			only = "operator"
		}
		value := k.what
		if k.bound != "" {
			value += ", " + k.bound
		}
		doc := k.doc
		if k.required {
			doc += " **Required.**"
		}
		if k.example != "" {
			doc += " Example: `" + k.example + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", at, cell(value), builtIn(built[at]), only, cell(doc))
		writeKeys(b, at+k.entry, k.keys, built, operator || k.operator)
	}
}

func builtIn(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

// cell is a text within a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// defaults are the values that are in force where no file says anything.
func defaults() map[string]string {
	v := Vocabulary{Agents: []string{"secrets", "workflows", "dependencies", "hygiene", "pull-request"}}
	built := make(map[string]string)
	for _, value := range (object[Pipeline]{rows: pipelineKeys}).values(defaultPipeline("<name>", v), "pipelines.<name>") {
		built[value.Key] = value.Text
	}
	return built
}
