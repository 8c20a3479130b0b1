// Package sandbox runs one program on one directory, and keeps it there.
//
// The program may come from the operator, but what it reads comes from a pull
// request: a linter loads plugins and a build tool runs scripts that a stranger
// has written. So the program sees its directory, a private directory for
// temporary files and the system's own programs and libraries, read-only; it
// reaches no network, no other process and no secret of the service; its time,
// memory, disk, output and number of processes are bounded; and when it ends,
// nothing it started is left.
//
// How: the service starts itself anew as a stage (see Main), which sets limits
// on itself, and on one thread Landlock rules and a seccomp filter, and starts
// the program from that thread as another user where it can. The stage itself
// stays outside, watches what the program and its children use, and ends them.
// There is no fallback: where the kernel lacks a part, Run refuses.
//
// What is run, on what, and what its output means is left to others.
package sandbox

import (
	"errors"
	"time"
)

// Command is a program to run.
type Command struct {
	// Args are the program and its arguments. The program is looked up in the
	// system's directories and in Path; no shell reads any of it.
	Args []string
	// Read are directories and files that the program may read and run things
	// from, beside the system's: toolchains, caches. Absolute paths.
	Read []string
	// Path are directories that are looked in before the system's.
	Path []string
	Limits
}

// Limits bound a program and all that it starts, together unless a field says
// otherwise. A zero value is the default.
type Limits struct {
	// Time is from start to end, CPU the time of all processors.
	Time, CPU time.Duration
	// Memory is in bytes, of all processes together.
	Memory int64
	// Disk is how many bytes may be written in the directories, FileSize how
	// large one file may be.
	Disk, FileSize int64
	// Output is how many bytes are kept of each of standard output and standard
	// error; what is over is counted.
	Output int64
	// Processes, threads among them, may be at once; Files may be open in one.
	Processes, Files int
}

// Defaults of Limits.
const (
	DefaultTime      = 2 * time.Minute
	DefaultCPU       = 4 * time.Minute
	DefaultMemory    = 2 << 30
	DefaultDisk      = 1 << 30
	DefaultFileSize  = 256 << 20
	DefaultOutput    = 8 << 20
	DefaultProcesses = 256
	DefaultFiles     = 1024
)

// Result is how a program ended.
type Result struct {
	// ExitCode is the program's; -1 when it was ended by a signal or a limit.
	ExitCode int `json:"exit_code"`
	// Signal is the name of the signal that ended the program; empty for none.
	Signal string `json:"signal,omitempty"`
	// Over is the limit for which the program was ended; empty for none.
	Over Limit `json:"over,omitempty"`
	// Stdout and Stderr are what the program wrote, the first bytes of it; the
	// cuts are how many bytes are missing after them.
	Stdout, Stderr       []byte `json:"-"`
	StdoutCut, StderrCut int64  `json:"-"`
	// Wall and CPU are what it took; MaxMemory the most memory it was seen with,
	// in bytes.
	Wall      time.Duration `json:"wall"`
	CPU       time.Duration `json:"cpu"`
	MaxMemory int64         `json:"max_memory"`
}

// Limit is a limit that a program can be ended for.
type Limit string

// The limits.
const (
	OverTime     Limit = "time"
	OverCPU      Limit = "CPU time"
	OverMemory   Limit = "memory"
	OverDisk     Limit = "disk space"
	OverFileSize Limit = "file size"
)

// ErrUnavailable says that this machine cannot keep a program in; the error that
// wraps it says what is missing.
var ErrUnavailable = errors.New("commands cannot be run safely on this machine")

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	for _, t := range []struct {
		v *time.Duration
		d time.Duration
	}{{&l.Time, DefaultTime}, {&l.CPU, DefaultCPU}} {
		if *t.v <= 0 {
			*t.v = t.d
		}
	}
	def(&l.Memory, DefaultMemory)
	def(&l.Disk, DefaultDisk)
	def(&l.FileSize, DefaultFileSize)
	def(&l.Output, DefaultOutput)
	if l.Processes <= 0 {
		l.Processes = DefaultProcesses
	}
	if l.Files <= 0 {
		l.Files = DefaultFiles
	}
	return l
}
