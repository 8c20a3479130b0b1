package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"assay/agents/reviewer"
	"assay/internal/app"
	"assay/internal/config"
	"assay/internal/pipeline"
	"assay/strategy"
)

type configCmd struct {
	Validate validateCmd `cmd:"" help:"Check a config file."`
	Explain  explainCmd  `cmd:"" help:"Say which pipelines an event would start, which not, and why."`
	Show     showCmd     `cmd:"" help:"Print the config in force, with where each value is from."`
	Schema   schemaCmd   `cmd:"" help:"Print the JSON Schema of the language, for editors."`
}

// layerFlags name the files of the layers on this machine.
type layerFlags struct {
	Config         string `help:"The repository's file; .github/assay.yml when it is there." placeholder:"FILE"`
	OrgConfig      string `help:"The organisation's file: assay.yml of its repository .github." placeholder:"FILE"`
	OperatorConfig string `help:"The operator's file." placeholder:"FILE"`
}

// layers reads the files that are named and, with here, the file of the
// repository in this directory where there is one.
func (f layerFlags) layers(stdin io.Reader, here bool) ([]strategy.Layer, error) {
	var layers []strategy.Layer
	for _, l := range []struct {
		kind strategy.LayerKind
		path string
	}{{strategy.Operator, f.OperatorConfig}, {strategy.Organisation, f.OrgConfig}, {strategy.Repository, f.Config}} {
		path := l.path
		if path == "" {
			if l.kind != strategy.Repository || !here {
				continue
			}
			path = pipeline.ConfigPath
		}
		data, err := readFile(path, stdin)
		if errors.Is(err, fs.ErrNotExist) && l.path == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read config of the %s: %w", l.kind, err)
		}
		layers = append(layers, strategy.Layer{Kind: l.kind, Path: path, Data: data})
	}
	return layers, nil
}

// readFile reads a file, or standard input where it is called "-". What is
// over the language's limit is cut off behind it: it is refused as too large.
func readFile(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(stdin, strategy.MaxConfigBytes+1))
	}
	return os.ReadFile(path)
}

// vocabulary is what configs may choose from in this build. What the
// environment adds for the service counts where it is good: nothing here needs
// it.
func vocabulary(cmd command) (strategy.Vocabulary, error) {
	built, err := app.NewReviewer(app.ReviewerConfig{})
	if err != nil {
		return strategy.Vocabulary{}, err
	}
	cfg, err := config.Load(cmd.env)
	if err != nil {
		cfg = config.Config{}
	}
	return app.Vocabulary(built, cfg), nil
}

// serviceVocabulary is what configs may choose from in a service of this build,
// which depends on its operator: models for the reviewer, and programs for the
// agents that run them.
func serviceVocabulary(cmd command) (strategy.Vocabulary, error) {
	v, err := vocabulary(cmd)
	v.Kinds = append(v.Kinds, strategy.KindCommand)
	if !slices.Contains(v.Agents, reviewer.Name) {
		v.Agents = append(v.Agents, reviewer.Name)
		v.Instructed = append(v.Instructed, reviewer.Name)
	}
	return v, err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
