package config

import (
	"fmt"
	"strings"
)

const preamble = `# Environment

<!-- Made from internal/config/variables.go by ` + "`go test ./internal/config -update`" + `; do not edit. -->

Assay is configured by variables of the environment; pipelines and agents are configured in ` + "`.github/assay.yml`" + `.
A command-line flag wins over its variable, and a variable over the operator's file (` + "`ASSAY_CONFIG`" + `). A variable set to nothing counts as not set. A secret can also be
read from a file: set the variable's name with ` + "`_FILE`" + ` at its end to the file's path. Setting both, or two
names of one setting to different values, is an error. All problems are reported at once, before anything starts.
`

// Markdown is the reference of the environment, as docs/environment.md has it.
func Markdown() string {
	var b strings.Builder
	b.WriteString(preamble)
	group := ""
	for _, v := range variables {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n## %s\n\n| Variable | What for | Values | Default |\n| --- | --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(v.nameCell()), cell(v.Purpose), cell(upperFirst(v.Want)), cell(v.defaultCell()))
	}
	return b.String()
}

func (v Variable) nameCell() string {
	cell := "`" + v.Name + "`"
	if len(v.Aliases) > 0 {
		cell += ", or `" + strings.Join(v.Aliases, "`, `") + "`"
	}
	if v.Secret {
		cell += "<br>secret; from a file: `" + v.Name + "_FILE`"
		for _, name := range v.PathNames {
			cell += ", `" + name + "`"
		}
	}
	return cell
}

func (v Variable) defaultCell() string {
	switch {
	case v.Default != "":
		return "`" + v.Default + "`"
	case v.Derived != "":
		return v.Derived
	}
	return "none"
}

// cell keeps text in its table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
