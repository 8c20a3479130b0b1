// Package command makes agents of the linters that a team already uses: a
// command of the operator's, run on a checkout of the head in a sandbox, whose
// output becomes findings.
//
// Which programs there are, and with which arguments, the operator's file alone
// says; a repository's config, of the base branch, chooses one by its name and
// says how its output reads. Nothing of the pull request becomes an argument,
// and no shell is involved. What a program cannot do is the business of package
// sandbox.
//
// A linter that fails, or whose output does not read, has found nothing out: it
// is an error, and never a clean change.
package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"assay/agents"
	"assay/internal/fault"
	"assay/internal/sandbox"
	"assay/internal/tarball"
	"assay/review"
)

// Kind is what configs call agents of this package.
const Kind = "command"

// Command is a program that configs may choose.
type Command struct {
	Name string
	// Run is the program and its arguments.
	Run []string
	// Read are directories that it may read beside the system's.
	Read   []string
	Limits sandbox.Limits
}

// Maker makes agents that run commands. It is safe for concurrent use.
type Maker struct {
	commands map[string]Command
	dir      string
}

// NewMaker returns a maker for the operator's commands. dir is where checkouts
// are unpacked for as long as a command runs; empty is the directory for
// temporary files.
func NewMaker(commands []Command, dir string) (*Maker, error) {
	m := &Maker{commands: make(map[string]Command, len(commands)), dir: dir}
	for _, c := range commands {
		if c.Name == "" || len(c.Run) == 0 || c.Run[0] == "" {
			return nil, fmt.Errorf("command %q: a command needs a name and a program", c.Name)
		}
		if _, taken := m.commands[c.Name]; taken {
			return nil, fmt.Errorf("two commands are named %q", c.Name)
		}
		m.commands[c.Name] = c
	}
	return m, nil
}

// Kind is "command".
func (m *Maker) Kind() string { return Kind }

// Make makes an agent that runs the command which the policy's options name.
func (m *Maker) Make(name string, policy review.Policy, _ string) (agents.Agent, error) {
	o, err := readOptions(policy.Options)
	if err != nil {
		return nil, fmt.Errorf("agents.%s.options.%w", name, err)
	}
	c, ok := m.commands[o.command]
	if !ok {
		return nil, fmt.Errorf("agents.%s.options.command: the operator offers no command %q", name, o.command)
	}
	return &Agent{name: name, command: c, options: o, dir: m.dir}, nil
}

// Agent runs one command.
type Agent struct {
	name    string
	command Command
	options options
	dir     string
}

// Name is the name that the config gives the agent.
func (a *Agent) Name() string { return a.name }

// Run runs the command on a checkout of the head.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	if err := sandbox.Available(); err != nil {
		return agents.Result{}, fault.New(fault.Invalid, err)
	}
	w, err := sandbox.NewWorkspace(a.dir)
	if err != nil {
		return agents.Result{}, err
	}
	result, err := a.run(ctx, in.Change, w)
	return result, errors.Join(err, w.Close())
}

func (a *Agent) run(ctx context.Context, change *review.Change, w *sandbox.Workspace) (agents.Result, error) {
	if err := checkOut(ctx, change, w.Dir); err != nil {
		return agents.Result{}, err
	}
	coverage := a.coverage(change, w.Dir) // of what was there before it ran
	said, err := w.Run(ctx, sandbox.Command{Args: a.command.Run, Read: a.command.Read, Limits: a.command.Limits})
	if err != nil {
		return agents.Result{}, err
	}
	if err := a.ended(said); err != nil {
		return agents.Result{}, err
	}
	problems, err := a.parse(said)
	if err != nil {
		return agents.Result{}, fault.New(fault.Invalid, err)
	}
	findings, note := a.findings(ctx, change, problems, w.Dir)
	return agents.Result{Findings: findings, Coverage: coverage, Note: note}, nil
}

// checkOut unpacks the head.
func checkOut(ctx context.Context, change *review.Change, dir string) error {
	if change.Archive == nil {
		return fault.New(fault.Invalid, errors.New("there is no checkout of this change to run a command on"))
	}
	archive, err := change.Archive.Open(ctx, review.Head)
	if err != nil {
		return fmt.Errorf("get a checkout of the head: %w", err)
	}
	_, err = tarball.Unpack(ctx, archive, dir, true, tarball.Limits{})
	return errors.Join(err, archive.Close())
}

// ended says in words why a command's output is not to be relied on; nil when
// it is.
func (a *Agent) ended(r sandbox.Result) error {
	name := filepath.Base(a.command.Run[0])
	limits := a.command.Limits
	var why string
	switch {
	case r.Over == sandbox.OverTime:
		why = fmt.Sprintf("did not end within %s", cmp.Or(limits.Time, sandbox.DefaultTime))
	case r.Over != "":
		why = fmt.Sprintf("was ended: it used more %s than it may", r.Over)
	case r.Signal != "":
		why = "was ended by " + r.Signal
	case !a.options.expects(r.ExitCode):
		why = fmt.Sprintf("exited with %d, and %s was expected", r.ExitCode, a.options.exitWords())
	case a.options.reads(stdout) && r.StdoutCut > 0 || a.options.reads(stderr) && r.StderrCut > 0:
		why = "wrote more than is read"
	default:
		return nil
	}
	if words := lastWords(r.Stderr, r.Stdout); words != "" {
		why += ": " + words
	}
	return fault.New(fault.Invalid, fmt.Errorf("%s %s", name, why))
}

// parse reads the output.
func (a *Agent) parse(r sandbox.Result) ([]problem, error) {
	var output []byte
	if a.options.reads(stdout) {
		output = append(output, r.Stdout...)
	}
	if a.options.reads(stderr) {
		output = append(output, r.Stderr...)
	}
	problems, err := a.options.parse(output)
	name := filepath.Base(a.command.Run[0])
	if err != nil {
		return nil, fmt.Errorf("the output of %s is not %s: %w", name, a.options.format, err)
	}
	if len(problems) == 0 && r.ExitCode != 0 {
		return nil, fmt.Errorf("%s exited with %d and reported nothing: %s", name, r.ExitCode, lastWords(r.Stderr, r.Stdout))
	}
	return problems, nil
}

// lastWords are the last line of the first output that has one.
func lastWords(outputs ...[]byte) string {
	const most = 200
	for _, out := range outputs {
		lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(out), "\uFFFD")), "\n")
		if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
			if r := []rune(last); len(r) > most {
				last = string(r[:most]) + "…"
			}
			return last
		}
	}
	return ""
}

// coverage is what the command was given to look at.
func (a *Agent) coverage(change *review.Change, dir string) []review.Coverage {
	all := make([]review.Coverage, 0, len(change.Files))
	for _, f := range change.Files {
		c := review.Coverage{Path: f.Path, Level: review.Full}
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case f.Status == review.Removed:
			c.Level, c.Reason = review.NotApplicable, "the file is removed"
		case !a.options.about(f.Path):
			c.Level, c.Reason = review.NotApplicable, "the command does not look at such files"
		case f.Mode == "160000":
			c.Level, c.Reason = review.NotApplicable, "a submodule"
		case err != nil || !info.Mode().IsRegular():
			c.Level, c.Reason = review.Skipped, "the file is not in the checkout"
		}
		all = append(all, c)
	}
	return all
}
