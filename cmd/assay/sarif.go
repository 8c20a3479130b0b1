package main

import (
	"errors"
	"fmt"

	"assay/internal/config"
	"assay/internal/intake"
)

type sarifCmd struct {
	Key sarifKeyCmd `cmd:"" help:"Print the key with which a repository's CI signs its uploads."`
}

type sarifKeyCmd struct {
	Repository string `arg:"" help:"The repository, as OWNER/REPO."`
}

// Help is shown by assay sarif key --help.
func (sarifKeyCmd) Help() string {
	return `The key is made from ASSAY_SARIF_SECRET and the repository's name. Store it as a
secret of that repository's CI, never elsewhere: docs/sarif.md has the rest.`
}

func (c sarifKeyCmd) Run(cmd command) error {
	cfg, err := config.Load(cmd.env)
	if err != nil {
		return err
	}
	if cfg.Server.SARIFSecret.IsZero() {
		return errors.New("ASSAY_SARIF_SECRET is not set: make one with `openssl rand -hex 32`, and give the service the same")
	}
	key, err := intake.Key(cfg.Server.SARIFSecret.Reveal(), c.Repository)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.stdout, key)
	return err
}
