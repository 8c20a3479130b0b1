package main

import (
	"fmt"
	"text/tabwriter"

	"assay/strategy"
)

type showCmd struct {
	layerFlags

	Format string `help:"${enum}." enum:"text,json" default:"text" short:"f"`
	All    bool   `help:"Also what no file says, with its built-in value."`
}

// Help is shown by assay config show --help.
func (showCmd) Help() string {
	return `Puts the layers together as the service does, the repository's file over the
organisation's over the operator's over what is built in, and prints each value
with the file and line that it is from. A file with problems is left out, and
they are printed; exit code 1 then.

Examples:
  assay config show --all
  assay config show --org-config ../.github/assay.yml --operator-config operator.yml`
}

func (c showCmd) Run(cmd command) error {
	v, err := serviceVocabulary(cmd)
	if err != nil {
		return err
	}
	layers, err := c.layers(cmd.stdin, true)
	if err != nil {
		return err
	}
	settings := strategy.Load(v, layers...)
	values := []strategy.Value{}
	for _, value := range settings.Config.Values() {
		if c.All || value.Origin.Layer != strategy.BuiltIn {
			values = append(values, value)
		}
	}
	if c.Format == "json" {
		err = writeJSON(cmd.stdout, struct {
			Values []strategy.Value `json:"values"`
			validated
		}{values, validated{len(settings.Problems) == 0, orEmpty(settings.Problems), orEmpty(settings.Config.Notices)}})
	} else {
		err = c.print(cmd, values)
	}
	if err == nil && len(settings.Problems) > 0 {
		for _, p := range settings.Problems {
			printProblem(cmd.stderr, "", p)
		}
		return gateError{"a file with problems is left out"}
	}
	return err
}

func (c showCmd) print(cmd command, values []strategy.Value) error {
	if len(values) == 0 {
		_, err := fmt.Fprintln(cmd.stdout, "No file says anything: the built-in config is in force (--all shows it).")
		return err
	}
	t := tabwriter.NewWriter(cmd.stdout, 0, 8, 2, ' ', 0)
	for _, value := range values {
		fmt.Fprintf(t, "%s\t%s\t%s\n", value.Key, value.Text, value.Origin)
	}
	return t.Flush()
}
