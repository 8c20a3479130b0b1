package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stageName as the one argument makes this program a stage.
	stageName = "__sandbox_stage"
	// self is this program, even when its file was replaced since it started.
	self = "/proc/self/exe"
	// answerFD is where the stage writes how the program ended.
	answerFD = 3
	// stopTime is how long the stage has to end a program and all that it
	// started.
	stopTime = 5 * time.Second
)

// systemPath are the directories that programs are looked up in.
var systemPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// order is what a stage is told.
type order struct {
	Program string   `json:"program"`
	Args    []string `json:"args"`
	Env     []string `json:"env"`
	Dir     string   `json:"dir"`
	Read    []string `json:"read"`
	Write   []string `json:"write"`
	User    int      `json:"user"`
	Limits  Limits   `json:"limits"`
}

// answer is what a stage says when it is done.
type answer struct {
	Result
	// Error is why the program could not be run.
	Error string `json:"error,omitempty"`
}

// Run runs the program in the workspace's directory, and returns when it and
// all that it started have ended. A Result is how the program ended, well or
// badly; an error says that it could not be run, or is the end of ctx.
func (w *Workspace) Run(ctx context.Context, c Command) (Result, error) {
	if err := Available(); err != nil {
		return Result{}, err
	}
	o, err := w.order(c)
	if err != nil {
		return Result{}, err
	}
	if err := w.own(); err != nil {
		return Result{}, fmt.Errorf("prepare the workspace: %w", err)
	}
	// The signal that a parent's death sends is that of the thread which
	// started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return start(ctx, o)
}

func (w *Workspace) order(c Command) (order, error) {
	path := append(c.Path[:len(c.Path):len(c.Path)], systemPath...)
	program, err := lookUp(c.Args, path)
	if err != nil {
		return order{}, err
	}
	return order{
		Program: program, Args: c.Args, Dir: w.Dir, User: w.user, Limits: c.withDefaults(),
		Env: []string{
			"PATH=" + strings.Join(path, ":"), "HOME=" + w.home(), "TMPDIR=" + w.tmp(), "LANG=C.UTF-8",
			"GIT_CONFIG_NOSYSTEM=1", // git gives up where it may not read /etc/gitconfig
		},
		Read:  append(c.Read[:len(c.Read):len(c.Read)], c.Path...),
		Write: []string{w.Dir, w.tmp(), w.home()},
	}, nil
}

// lookUp finds the program. It is never looked for in the workspace, which is
// the pull request's.
func lookUp(args, path []string) (string, error) {
	if len(args) == 0 || args[0] == "" {
		return "", errors.New("no program is named")
	}
	name := args[0]
	if filepath.IsAbs(name) {
		path = []string{""}
	} else if strings.Contains(name, "/") {
		return "", fmt.Errorf("the program %q must be a name or an absolute path", name)
	}
	for _, dir := range path {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("the program %q is not installed", name)
}

// start starts the stage and waits for it.
func start(ctx context.Context, o order) (Result, error) {
	told, err := json.Marshal(o)
	if err != nil {
		return Result{}, err
	}
	answers, answerEnd, err := os.Pipe()
	if err != nil {
		return Result{}, fmt.Errorf("start the sandbox: %w", err)
	}
	defer func() { _ = answers.Close() }()
	defer func() { _ = answerEnd.Close() }()
	stdout, stderr := &bounded{limit: o.Limits.Output}, &bounded{limit: o.Limits.Output}
	cmd := exec.CommandContext(ctx, self, stageName)
	cmd.Args[0] = "assay"
	cmd.Env = []string{"GOMAXPROCS=2", "GOTRACEBACK=none"}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(told), stdout, stderr
	cmd.ExtraFiles = []*os.File{answerEnd}
	// A process group of its own keeps the terminal's signals away.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTime + time.Second
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("start the sandbox: %w", err)
	}
	_ = answerEnd.Close()
	waited := cmd.Wait()
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("run %s: %w", filepath.Base(o.Program), ctx.Err())
	}
	_ = answers.SetReadDeadline(time.Now().Add(time.Second))
	said, err := io.ReadAll(io.LimitReader(answers, 1<<20))
	var a answer
	if err = cmp.Or(err, json.Unmarshal(said, &a)); err != nil {
		return Result{}, fmt.Errorf("the sandbox gave no answer (%v): %w", waited, err)
	}
	if a.Error != "" {
		return Result{}, fmt.Errorf("run %s: %s", filepath.Base(o.Program), a.Error)
	}
	a.Stdout, a.Stderr, a.StdoutCut, a.StderrCut = stdout.kept, stderr.kept, stdout.cut, stderr.cut
	return a.Result, nil
}

// signalName is a signal's name, as SIGKILL.
func signalName(s syscall.Signal) string {
	return cmp.Or(unix.SignalName(s), s.String())
}
