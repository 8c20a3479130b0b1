package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// workspace is one with the test binary in it, as what is kept in.
func workspace(t testing.TB) *Workspace {
	t.Helper()
	if err := Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must be able to prove the sandbox: %v", err)
		}
		t.Skip(err)
	}
	w, err := NewWorkspace("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := copyFile(self, filepath.Join(w.Dir, "attack")); err != nil {
		t.Fatal(err)
	}
	return w
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (w *Workspace) attack(t testing.TB, l Limits, args ...string) Result {
	t.Helper()
	r, err := w.Run(t.Context(), Command{Args: append([]string{filepath.Join(w.Dir, "attack"), attackArg}, args...), Limits: l})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunsPrograms(t *testing.T) {
	w := workspace(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"echo", "a b", "$HOME;c"}, "a b $HOME;c\n"},
		{[]string{"sh", "-c", "pwd; cd /; ls -d usr; echo hi >$TMPDIR/x; cat $TMPDIR/x; echo $0 | cat"}, w.Dir + "\nusr\nhi\nsh\n"},
		{[]string{"sh", "-c", "git init -q . 2>&1 && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --format=%s"}, "x\n"},
	} {
		r, err := w.Run(t.Context(), Command{Args: tt.args})
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Stdout) != tt.want || r.ExitCode != 0 || r.Over != "" {
			t.Errorf("%q: %q, %q, %+v", tt.args, r.Stdout, r.Stderr, r)
		}
	}
}

// TestRunsLanguages holds that what linters are written in runs where it is
// installed.
func TestRunsLanguages(t *testing.T) {
	w := workspace(t)
	for program, c := range map[string]Command{
		"python3": {Args: []string{"/usr/bin/python3", "-c", "import subprocess, threading, tempfile; tempfile.TemporaryFile(); print(subprocess.check_output(['echo','py']).decode())"}},
		"node":    {Args: []string{"node", "-e", "console.log(require('child_process').execFileSync('echo',['py']).toString())"}},
		"go":      {Args: []string{"/usr/local/go/bin/go", "env", "GOVERSION"}},
	} {
		if _, err := lookUp(c.Args, systemPath); err != nil {
			continue
		}
		r, err := w.Run(t.Context(), c)
		if err != nil || r.ExitCode != 0 || len(r.Stdout) == 0 {
			t.Errorf("%s: %v %+v\n%s\n%s", program, err, r, r.Stdout, r.Stderr)
		}
	}
}

func TestResult(t *testing.T) {
	w := workspace(t)
	r, err := w.Run(t.Context(), Command{Args: []string{"sh", "-c", "echo bad >&2; exit 7"}})
	if err != nil || r.ExitCode != 7 || string(r.Stderr) != "bad\n" || r.Wall <= 0 {
		t.Errorf("%v, %+v", err, r)
	}
	r, err = w.Run(t.Context(), Command{Args: []string{"sh", "-c", "kill -SEGV $$"}})
	if err != nil || r.ExitCode != -1 || r.Signal != "SIGSEGV" || r.Over != "" {
		t.Errorf("%v, %+v", err, r)
	}
	for _, args := range [][]string{nil, {""}, {"no-such-program"}, {"./attack"}, {"/etc/passwd"}} {
		if r, err := w.Run(t.Context(), Command{Args: args}); err == nil {
			t.Errorf("%q ran: %+v", args, r)
		}
	}
	if _, err := w.Run(t.Context(), Command{Args: []string{"true"}, Read: []string{"/no/such/dir"}}); err == nil || !strings.Contains(err.Error(), "/no/such/dir") {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestEnvironmentIsClean(t *testing.T) {
	w := workspace(t)
	t.Setenv("GITHUB_APP_PRIVATE_KEY", "secret")
	r := w.attack(t, Limits{}, "env")
	var names []string
	for _, line := range strings.Fields(string(r.Stdout)) {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, name)
	}
	if got := strings.Join(names, " "); got != "PATH HOME TMPDIR LANG GIT_CONFIG_NOSYSTEM" {
		t.Errorf("environment: %s", r.Stdout)
	}
}

// TestEscapes holds each way out shut.
func TestEscapes(t *testing.T) {
	w := workspace(t)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	// Open to all, so that it is the sandbox that keeps them.
	for dir := outside; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o777)
	}
	if err := os.WriteFile(secret, []byte("s"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(secret, 0o666); err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	path := filepath.Join(outside, "sock")
	local, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close() }()
	_ = os.Chmod(path, 0o777)
	abstract, err := net.Listen("unix", "@assay-sandbox-test-"+strconv.Itoa(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = abstract.Close() }()

	me := strconv.Itoa(os.Getpid())
	number := func(n int) string { return strconv.Itoa(n) }
	for _, args := range [][]string{
		{"read", secret}, {"read", "/etc/shadow"}, {"read", "/etc/hostname"}, {"list", "/root"}, {"list", "/home"}, {"list", "/"}, {"list", outside}, {"list", w.base}, {"list", "/tmp"},
		{"write", secret}, {"write", filepath.Join(outside, "new")}, {"write", "/usr/x"}, {"write", "/tmp/assay-x"}, {"write", "/dev/shm/assay-x"},
		{"link", secret}, {"symlink", secret}, {"symlink", "/etc/hostname"},
		{"read", "/proc/" + me + "/environ"}, {"read", "/proc/" + me + "/cmdline"}, {"read", "/proc/1/environ"}, {"read", "/proc/self/environ"}, {"list", "/proc"},
		{"read", "/proc/self/root/etc/hostname"}, {"read", "/proc/" + me + "/root" + secret},
		{"dial", "tcp", tcp.Addr().String()}, {"dial", "udp", udp.LocalAddr().String()}, {"dial", "udp", "192.0.2.1:53"}, {"resolve"},
		{"dial", "unix", path}, {"dial", "unix", abstract.Addr().String()}, {"dial", "unixgram", path},
		{"socket", number(unix.AF_INET), number(unix.SOCK_STREAM)}, {"socket", number(unix.AF_INET6), number(unix.SOCK_DGRAM)},
		{"socket", number(unix.AF_NETLINK), number(unix.SOCK_RAW)}, {"socket", number(unix.AF_PACKET), number(unix.SOCK_RAW)}, {"socket", number(unix.AF_VSOCK), number(unix.SOCK_STREAM)},
		{"socket", number(unix.AF_ALG), number(unix.SOCK_SEQPACKET)}, {"socket", number(unix.AF_UNIX), number(unix.SOCK_DGRAM)},
		// The kernel reads the lower half of the family alone.
		{"call", number(unix.SYS_SOCKET), "0x100000002", "1", "0"},
		{"kill", "0"}, {"kill", me}, {"setuid"}, {"sudo"},
		{"call", number(unix.SYS_UNSHARE), "0x10000000"}, {"call", number(unix.SYS_UNSHARE), "0x20000"}, {"call", number(unix.SYS_SETNS), "0", "0"},
		{"call", number(unix.SYS_CLONE), "0x10000011"}, {"call", number(unix.SYS_CLONE3), "0", "88"},
		{"call", number(unix.SYS_PTRACE), "0"}, {"call", number(unix.SYS_BPF), "0"}, {"call", number(unix.SYS_PERF_EVENT_OPEN), "0"}, {"call", number(unix.SYS_IO_URING_SETUP), "1", "0"},
		{"call", number(unix.SYS_KEYCTL), "0", "0xfffffffd", "1"}, {"call", number(unix.SYS_KEXEC_LOAD), "0"}, {"call", number(unix.SYS_MOUNT), "0"}, {"call", number(unix.SYS_USERFAULTFD), "0"},
		{"call", number(unix.SYS_MEMFD_CREATE), "0"}, {"limits"},
	} {
		name := strings.Join(args, " ")
		r := w.attack(t, Limits{Time: 20 * time.Second}, args...)
		if out := string(r.Stdout); !strings.HasPrefix(out, "kept:") || r.ExitCode != 1 {
			t.Errorf("%s: %q %q %+v", name, out, r.Stderr, r)
		}
	}
	for _, args := range [][]string{{"pair"}, {"read", "/usr/bin/env"}, {"read", "/dev/urandom.not"}, {"write", "here"}, {"write", filepath.Join(w.tmp(), "x")}} {
		r := w.attack(t, Limits{Time: 20 * time.Second}, args...)
		if want := args[len(args)-1] != "/dev/urandom.not"; strings.HasPrefix(string(r.Stdout), "escaped:") != want {
			t.Errorf("what is allowed: %q: %s", args, r.Stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "new")); err == nil {
		t.Error("a file was written outside")
	}
}

// TestOtherArchitecture holds that the filter is not passed by making calls as a
// 32-bit program.
func TestOtherArchitecture(t *testing.T) {
	if unix.SYS_SOCKET != 41 {
		t.Skip("the program is made of x86-64 code")
	}
	w := workspace(t)
	if err := os.WriteFile(filepath.Join(w.Dir, "compat"), compatSocket(), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := w.Run(t.Context(), Command{Args: []string{filepath.Join(w.Dir, "compat")}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Signal != "SIGSYS" {
		t.Errorf("a call by int 0x80: %+v", r)
	}
}

// compatSocket is an ELF program that makes an internet socket by the 32-bit
// entry of the kernel, and exits with the negated answer.
func compatSocket() []byte {
	code := []byte{
		0xb8, 0x67, 0x01, 0, 0, // mov eax, 359 (socket of i386)
		0xbb, 2, 0, 0, 0, // mov ebx, AF_INET
		0xb9, 1, 0, 0, 0, // mov ecx, SOCK_STREAM
		0x31, 0xd2, // xor edx, edx
		0xcd, 0x80, // int 0x80
		0x89, 0xc7, // mov edi, eax
		0xf7, 0xdf, // neg edi
		0xb8, 60, 0, 0, 0, // mov eax, 60 (exit of x86-64)
		0x0f, 0x05, // syscall
	}
	const base, header = 0x400000, 120
	elf := make([]byte, header, header+len(code))
	copy(elf, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(elf[16:], 2)  // executable
	le.PutUint16(elf[18:], 62) // x86-64
	le.PutUint32(elf[20:], 1)
	le.PutUint64(elf[24:], base+header)
	le.PutUint64(elf[32:], 64) // the program header follows
	le.PutUint16(elf[52:], 64)
	le.PutUint16(elf[54:], 56)
	le.PutUint16(elf[56:], 1)
	p := elf[64:]
	le.PutUint32(p, 1)     // load
	le.PutUint32(p[4:], 5) // read, execute
	le.PutUint64(p[16:], base)
	le.PutUint64(p[24:], base)
	le.PutUint64(p[32:], uint64(header+len(code)))
	le.PutUint64(p[40:], uint64(header+len(code)))
	le.PutUint64(p[48:], 0x1000)
	return append(elf, code...)
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit Limits
		args  []string
		over  Limit
	}{
		{"time", Limits{Time: 300 * time.Millisecond}, []string{"sleep"}, OverTime},
		{"CPU", Limits{CPU: time.Second}, []string{"spin"}, OverCPU},
		{"shared memory", Limits{Memory: 256 << 20}, []string{"shared"}, OverMemory},
		{"disk", Limits{Disk: 20 << 20}, []string{"disk", "."}, OverDisk},
		{"fork bomb", Limits{Time: time.Second, Processes: 60}, []string{"bomb"}, OverTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := workspace(t)
			r := w.attack(t, tt.limit, tt.args...)
			if r.Over != tt.over || r.ExitCode != -1 {
				t.Errorf("%+v %s", r, r.Stderr)
			}
			if left := running(w); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	w := workspace(t)
	if r := w.attack(t, Limits{Memory: 300 << 20}, "memory"); r.ExitCode == 0 || r.MaxMemory > 400<<20 {
		t.Errorf("memory: %+v", r)
	}
	if r := w.attack(t, Limits{FileSize: 4 << 20}, "bigfile"); !strings.Contains(string(r.Stdout), "file too large") {
		t.Errorf("file size: %+v %s", r, r.Stdout)
	}
	if r := w.attack(t, Limits{Files: 64}, "files"); !strings.Contains(string(r.Stdout), "too many open files") {
		t.Errorf("open files: %+v %s", r, r.Stdout)
	}
	if r := w.attack(t, Limits{Output: 1 << 20}, "output", "100"); len(r.Stdout) != 1<<20 || r.StdoutCut != 100<<16-1<<20 || r.StderrCut != r.StdoutCut {
		t.Errorf("output: %d bytes and %d cut, %d cut", len(r.Stdout), r.StdoutCut, r.StderrCut)
	}
	r, err := w.Run(t.Context(), Command{Args: []string{"sh", "-c", "ulimit -c; head -c 9M /dev/zero >f"}, Limits: Limits{FileSize: 4 << 20}})
	if err != nil || r.Over != "" && r.Over != OverFileSize || !strings.HasPrefix(string(r.Stdout), "0\n") || r.ExitCode == 0 {
		t.Errorf("a program that is not ready for it: %v %+v %s", err, r, r.Stdout)
	}
}

// running are the processes that have to do with the workspace.
func running(w *Workspace) (left []string) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if cwd, err := os.Readlink(dir + "/cwd"); err == nil && strings.HasPrefix(cwd, w.base) {
			line, _ := os.ReadFile(dir + "/cmdline")
			left = append(left, filepath.Base(dir)+" "+string(line))
		}
	}
	return left
}

func TestNothingIsLeftBehind(t *testing.T) {
	w := workspace(t)
	if r := w.attack(t, Limits{}, "orphan", "1000"); string(r.Stdout) != "left behind\n" || r.Wall > 30*time.Second {
		t.Errorf("%+v %s", r, r.Stdout)
	}
	if left := running(w); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	w.attack(t, Limits{}, "lock")
}

func TestCancelled(t *testing.T) {
	w := workspace(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.Run(ctx, Command{Args: []string{"sh", "-c", "setsid sleep 1000 & touch started; sleep 1000"}})
		done <- err
	}()
	awaitFile(t, filepath.Join(w.Dir, "started"))
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("did not end")
	}
	if left := running(w); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("the program did not start")
}

// TestParentDies holds that a service that is killed leaves nothing running.
func TestParentDies(t *testing.T) {
	w := workspace(t)
	parent := exec.Command(self, "-test.run=^TestHelperParent$")
	parent.Env = append(os.Environ(), "SANDBOX_BASE="+w.base)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(w.Dir, "started"))
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for left := running(w); len(left) > 0; left = running(w) {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", left)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestHelperParent(t *testing.T) {
	base := os.Getenv("SANDBOX_BASE")
	if base == "" {
		t.Skip("for TestParentDies")
	}
	w := &Workspace{base: base, Dir: filepath.Join(base, "work")}
	if os.Geteuid() == 0 {
		w.user = firstUser
	}
	_, _ = w.Run(t.Context(), Command{Args: []string{"sh", "-c", "setsid sleep 1000 & touch started; sleep 1000"}})
}

// TestAsNobody runs the tests above as a user without rights, where they were
// run as root.
func TestAsNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("already somebody else")
	}
	if testing.Short() {
		t.Skip("twice the time")
	}
	dir, err := os.MkdirTemp("", "assay-sandbox-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "test")
	if err := errors.Join(copyFile(self, binary), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^Test(Runs|Result|Env|Esc|Other|Limits|Nothing|Cancel|ParentDies)", "-test.count=1")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "CI=" + os.Getenv("CI")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func TestParseStat(t *testing.T) {
	line := "12 (a) R (b) S 7 1 1 0 -1 4194560 1 0 0 0 10 20 30 40 20 0 1 0 5 1000 3 18446744073709551615"
	p, ok := parseStat([]byte(line))
	want := process{pid: 12, parent: 7, cpu: time.Second, memory: 3 * int64(os.Getpagesize())}
	if !ok || p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	for _, bad := range []string{"", "12", "x (a) S", "12 (a)", "12 (a) S 1 2"} {
		if p, ok := parseStat([]byte(bad)); ok {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}

// BenchmarkRun is the cost of a command in the sandbox; BenchmarkExec that of
// the same without it.
func BenchmarkRun(b *testing.B) {
	w := workspace(b)
	for b.Loop() {
		if _, err := w.Run(b.Context(), Command{Args: []string{"true"}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExec(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
