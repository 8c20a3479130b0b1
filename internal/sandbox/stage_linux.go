package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Main must be called first thing in the program's main (and in TestMain of
// tests that run sandboxes). It returns at once, except in a stage, which it
// never leaves.
func Main() {
	if len(os.Args) != 2 || os.Args[1] != stageName {
		return
	}
	out := os.NewFile(answerFD, "answer")
	if out == nil {
		os.Exit(2)
	}
	syscall.CloseOnExec(answerFD)
	result, err := stage(os.Stdin)
	a := answer{Result: result}
	if err != nil {
		a.Error = err.Error()
	}
	if err := json.NewEncoder(out).Encode(a); err != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

// stage is the life of a stage.
func stage(in io.Reader) (Result, error) {
	// Before anything is started: told to end, there may be something to end.
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return Result{}, fmt.Errorf("read the order: %w", err)
	}
	// Children of children that are left behind become ours.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return Result{}, fmt.Errorf("become the reaper: %w", err)
	}
	restore, err := keepLimits()
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	started, ended := make(chan error, 1), make(chan error, 1)
	cmd := o.command()
	go program(cmd, o, started, ended)
	if err := errors.Join(<-started, restore()); err != nil {
		return Result{}, err
	}
	watcher := newWatcher(cmd.Process.Pid, o)
	over, err := watcher.watch(told, ended)
	if left := endAll(cmd.Process.Pid, ended, err == errStillRunning); left != nil {
		return Result{}, left
	}
	r := Result{ExitCode: -1, Over: over, Wall: time.Since(began), MaxMemory: watcher.maxMemory}
	describe(&r, cmd.ProcessState)
	return r, nil
}

// program starts the program on a thread of its own, which is restricted and
// dies with it, and waits for it.
func program(cmd *exec.Cmd, o order, started, ended chan<- error) {
	runtime.LockOSThread() // never unlocked: nothing else may run on it
	if err := o.restrict(); err != nil {
		started <- err
		return
	}
	err := cmd.Start()
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w (the sandbox may not read it: name its directory in the command's read, or put workspaces where another user can reach them)", err)
	}
	started <- err
	if err == nil {
		ended <- cmd.Wait()
	}
}

func (o order) command() *exec.Cmd {
	cmd := &exec.Cmd{Path: o.Program, Args: o.Args, Env: o.Env, Dir: o.Dir, Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if o.User != 0 {
		id := uint32(o.User)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	}
	return cmd
}

// restrict sets the limits of this process, and the rules of this thread. All
// of it is handed down to the program.
func (o order) restrict() error {
	if err := o.setLimits(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if err := o.confine(); err != nil {
		return err
	}
	return filterCalls()
}

// shared are the limits that the stage, too, would trip over: they are set for
// as long as the program starts, and the filter keeps it from raising them.
var shared = []int{unix.RLIMIT_NPROC, unix.RLIMIT_DATA}

// keepLimits makes what restores those limits of this process.
func keepLimits() (restore func() error, err error) {
	had := make([]unix.Rlimit, len(shared))
	for i, what := range shared {
		if err := unix.Getrlimit(what, &had[i]); err != nil {
			return nil, fmt.Errorf("read limit %d: %w", what, err)
		}
	}
	return func() error {
		for i, what := range shared {
			if err := unix.Setrlimit(what, &had[i]); err != nil {
				return fmt.Errorf("restore limit %d: %w", what, err)
			}
		}
		return nil
	}, nil
}

func (o order) setLimits() error {
	cpu := uint64(o.Limits.CPU.Round(time.Second)/time.Second) + 1
	taken := 0
	if o.User == 0 {
		taken = threadsOf(os.Getuid()) // the limit counts all that the user has
	}
	for _, l := range []struct {
		what       int
		soft, hard uint64
	}{
		{unix.RLIMIT_CORE, 0, 0},
		{unix.RLIMIT_CPU, cpu, cpu + 1},
		{unix.RLIMIT_FSIZE, uint64(o.Limits.FileSize), uint64(o.Limits.FileSize)},
		{unix.RLIMIT_NOFILE, uint64(o.Limits.Files), uint64(o.Limits.Files)},
		{unix.RLIMIT_NPROC, uint64(o.Limits.Processes + taken), uint64(o.Limits.Processes + taken)},
		// Not the address space: Go and Node reserve far more than they use.
		{unix.RLIMIT_DATA, uint64(o.Limits.Memory), uint64(o.Limits.Memory)},
	} {
		var had unix.Rlimit
		if err := unix.Getrlimit(l.what, &had); err != nil {
			return fmt.Errorf("read limit %d: %w", l.what, err)
		}
		set := unix.Rlimit{Cur: min(l.soft, had.Max), Max: min(l.hard, had.Max)}
		if slices.Contains(shared, l.what) {
			set.Max = had.Max
		}
		if err := unix.Setrlimit(l.what, &set); err != nil {
			return fmt.Errorf("set limit %d: %w", l.what, err)
		}
	}
	return nil
}

// describe says how the program ended.
func describe(r *Result, state *os.ProcessState) {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &used) == nil {
		r.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano())
		r.MaxMemory = max(r.MaxMemory, used.Maxrss<<10)
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return
	}
	if status.Exited() {
		r.ExitCode = status.ExitStatus()
	}
	if status.Signaled() {
		r.Signal = signalName(status.Signal())
		switch {
		case r.Over != "":
		case status.Signal() == syscall.SIGXCPU:
			r.Over = OverCPU
		case status.Signal() == syscall.SIGXFSZ:
			r.Over = OverFileSize
		}
	}
	if r.Over != "" {
		r.ExitCode = -1
	}
}
