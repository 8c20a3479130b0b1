package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attack is what a hostile program tries, in the sandbox. It prints "escaped"
// with what it got where it got something, and "kept" where not.
func attack(name string, args []string) int {
	var got string
	var err error
	switch name {
	case "read":
		var b []byte
		b, err = os.ReadFile(args[0])
		got = fmt.Sprint(len(b), " bytes")
	case "list":
		var entries []os.DirEntry
		entries, err = os.ReadDir(args[0])
		got = fmt.Sprint(len(entries), " entries")
	case "write":
		err = os.WriteFile(args[0], []byte("x"), 0o600)
	case "link":
		err = os.Link(args[0], "stolen")
	case "symlink":
		if err = os.Symlink(args[0], "link"); err == nil {
			_, err = os.ReadFile("link")
		}
	case "chmod":
		err = os.Chmod(args[0], 0o777)
	case "dial":
		var c net.Conn
		if c, err = net.DialTimeout(args[0], args[1], time.Second); err == nil {
			_, err = c.Write([]byte("x"))
		}
	case "resolve":
		_, err = net.LookupHost("example.com")
	case "socket":
		family, _ := strconv.Atoi(args[0])
		kind, _ := strconv.Atoi(args[1])
		_, err = unix.Socket(family, kind, 0)
	case "pair":
		_, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	case "kill":
		pid, _ := strconv.Atoi(args[0])
		if pid == 0 {
			pid = os.Getppid()
		}
		err = syscall.Kill(pid, syscall.Signal(0))
	case "limits":
		var l unix.Rlimit
		_ = unix.Getrlimit(unix.RLIMIT_NPROC, &l)
		l.Cur = l.Max
		err = unix.Prlimit(0, unix.RLIMIT_NPROC, &l, nil)
	case "setuid":
		err = syscall.Setuid(0)
	case "sudo":
		err = exec.Command("/usr/bin/su", "-c", "true").Run()
	case "call":
		number, _ := strconv.Atoi(args[0])
		var a [3]uintptr
		for i, s := range args[1:] {
			v, _ := strconv.ParseUint(s, 0, 64)
			a[i] = uintptr(v)
		}
		if _, _, errno := unix.RawSyscall(uintptr(number), a[0], a[1], a[2]); errno != 0 {
			err = errno
		}
	case "exec":
		var out []byte
		out, err = exec.Command(args[0], args[1:]...).CombinedOutput()
		got = strings.TrimSpace(string(out))
	default:
		return flood(name, args)
	}
	if err != nil {
		fmt.Println("kept:", err)
		return 1
	}
	fmt.Println("escaped:", got)
	return 0
}

// flood uses up what there is of something.
func flood(name string, args []string) int {
	switch name {
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "spin":
		for {
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "output":
		line := bytes.Repeat([]byte("y"), 1<<16)
		n, _ := strconv.Atoi(args[0])
		for range n {
			_, _ = os.Stdout.Write(line)
			_, _ = os.Stderr.Write(line)
		}
	case "memory":
		var all [][]byte
		for {
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
			time.Sleep(time.Duration(len(all)) * time.Microsecond)
		}
	case "shared":
		for {
			b, err := unix.Mmap(-1, 0, 8<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
			if err != nil {
				fmt.Println("kept:", err)
				return 1
			}
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			time.Sleep(time.Millisecond)
		}
	case "bigfile":
		signal.Ignore(syscall.SIGXFSZ)
		f, err := os.Create("big")
		for err == nil {
			_, err = f.Write(make([]byte, 1<<20))
		}
		fmt.Println("kept:", err)
		return 1
	case "disk":
		for i := 0; ; i++ {
			if os.WriteFile(filepath.Join(args[0], strconv.Itoa(i)), make([]byte, 1<<20), 0o600) != nil {
				return 1
			}
		}
	case "files":
		var open []*os.File
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				fmt.Println("kept after", len(open), err)
				return 1
			}
			open = append(open, f)
		}
	case "bomb":
		for {
			cmd := exec.Command(os.Args[0], attackArg, "bomb")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); errors.Is(err, syscall.EAGAIN) {
				time.Sleep(time.Millisecond)
			}
		}
	case "orphan":
		cmd := exec.Command("/bin/sleep", args[0])
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			fmt.Println("kept:", err)
			return 1
		}
		fmt.Println("left behind")
	case "lock":
		_ = os.Mkdir("closed", 0o700)
		_ = os.WriteFile("closed/file", nil, 0o600)
		_ = os.Chmod("closed", 0)
	}
	return 0
}
