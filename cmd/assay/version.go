package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version is set when a release is built: -ldflags "-X main.version=v1.2.3".
var version string

type versionCmd struct{}

// versionFlag is --version, as people expect it.
type versionFlag bool

// BeforeReset prints the version in the place of any command.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	if err := (versionCmd{}).Run(command{stdout: app.Stdout}); err != nil {
		return err
	}
	app.Exit(exitOK)
	return nil
}

func (versionCmd) Run(cmd command) error {
	_, err := fmt.Fprintf(cmd.stdout, "assay %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// buildVersion is the release, else the commit that was built, else "dev".
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
