package main

import "assay/strategy"

type schemaCmd struct{}

// Help is shown by assay config schema --help.
func (schemaCmd) Help() string {
	return `Editors with a YAML language server complete and check a file that begins with
  # yaml-language-server: $schema=assay.schema.json

Example:
  assay config schema > .github/assay.schema.json`
}

func (schemaCmd) Run(cmd command) error {
	_, err := cmd.stdout.Write(strategy.Schema())
	return err
}
