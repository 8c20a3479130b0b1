package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"assay/internal/fault"
)

// minGit is the oldest git that is accepted: 2.31 is the first to take its
// configuration from GIT_CONFIG_COUNT, without which none of the overrides
// below would hold.
var minGit = [2]int{2, 31}

// keptEnv are the variables that git is given of ours: what it needs to find
// its programs, its user's configuration and a directory for temporary files.
// GIT_DIR, GIT_INDEX_FILE and their like, which a hook that calls us has set,
// are not among them, and no secret of ours is.
var keptEnv = []string{
	"PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "TMPDIR",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES", "GIT_EXEC_PATH",
	// Windows and macOS.
	"SYSTEMROOT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "TEMP", "TMP", "PATHEXT", "DEVELOPER_DIR",
}

// fixedEnv is set for every git.
var fixedEnv = []string{
	"LC_ALL=C",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_OPTIONAL_LOCKS=0",
	"GIT_LITERAL_PATHSPECS=1",
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_PAGER=cat",
	// No network, and no program that a remote's configuration names. The list
	// goes before protocol.<name>.allow, which a repository could set.
	"GIT_ALLOW_PROTOCOL=",
	"GIT_NO_LAZY_FETCH=1",
}

// overrides goes before all configuration. Each key either makes git start a
// program or changes the output that is parsed here.
var overrides = []override{
	{"core.fsmonitor", "false"},
	{"core.hooksPath", os.DevNull},
	{"core.pager", "cat"},
	{"core.splitIndex", "false"},
	{"credential.helper", ""},
	{"protocol.allow", "never"},
	{"diff.external", ""},
	{"log.showSignature", "false"},
	{"core.quotePath", "false"},
	{"core.bigFileThreshold", strconv.Itoa(MaxFile)},
	{"diff.suppressBlankEmpty", "false"},
}

type override struct{ key, value string }

// git starts the git program, hardened: whatever the configuration of the
// repository says, git starts no program but itself.
type git struct {
	program string
	dir     string
	env     []string
	config  []override
}

func newGit(dir string) (git, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return git{}, fault.New(fault.Invalid, fmt.Errorf("find git: %w; install git %d.%d or newer", err, minGit[0], minGit[1]))
	}
	g := git{program: program, dir: dir, env: fixedEnv, config: overrides}
	// The environment of a child is the one thing that is taken from ours
	// outside internal/config.
	for _, entry := range (&exec.Cmd{}).Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		for _, kept := range keptEnv {
			if name == kept {
				g.env = append(g.env[:len(g.env):len(g.env)], entry)
			}
		}
	}
	return g, nil
}

// with returns a git that has further variables set.
func (g git) with(env ...string) git {
	g.env = append(g.env[:len(g.env):len(g.env)], env...)
	return g
}

// configured returns a git with further overrides.
func (g git) configured(more ...override) git {
	g.config = append(g.config[:len(g.config):len(g.config)], more...)
	return g
}

func (g git) in(dir string) git {
	g.dir = dir
	return g
}

// command makes the command; cancelling ctx kills it.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.program, append([]string{"--no-pager"}, args...)...)
	cmd.Dir = g.dir
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(g.env[:len(g.env):len(g.env)], "GIT_CONFIG_COUNT="+strconv.Itoa(len(g.config)))
	for i, o := range g.config {
		n := strconv.Itoa(i)
		cmd.Env = append(cmd.Env, "GIT_CONFIG_KEY_"+n+"="+o.key, "GIT_CONFIG_VALUE_"+n+"="+o.value)
	}
	return cmd
}

// output runs git and returns what it wrote.
func (g git) output(ctx context.Context, args ...string) (string, error) {
	return g.pipe(ctx, nil, args...)
}

// pipe runs git with input and returns what it wrote.
func (g git) pipe(ctx context.Context, input io.Reader, args ...string) (string, error) {
	cmd := g.command(ctx, args...)
	var out bytes.Buffer
	stderr := &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &out, stderr
	err := cmd.Run()
	return out.String(), explain(ctx, err, args[0], stderr)
}

// explain makes the error of a git that failed out of its own words.
func explain(ctx context.Context, err error, command string, stderr *tail) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", command, ctx.Err())
	}
	if words := stderr.String(); words != "" {
		return fmt.Errorf("git %s: %s: %w", command, words, err)
	}
	return fmt.Errorf("git %s: %w", command, err)
}

// exitCode is the exit code in err's chain; -1 when there is none.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.text)) }

// checkVersion refuses a git that would not heed the overrides.
func (g git) checkVersion(ctx context.Context) error {
	out, err := g.output(ctx, "version")
	if err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(out, "git version %d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read git's version %q: %w", strings.TrimSpace(out), err)
	}
	if major < minGit[0] || major == minGit[0] && minor < minGit[1] {
		return fault.New(fault.Invalid, fmt.Errorf("git %d.%d is too old: install %d.%d or newer", major, minor, minGit[0], minGit[1]))
	}
	return nil
}
