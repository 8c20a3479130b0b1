package sandbox

import (
	"fmt"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// denied are system calls that no linter needs and that lead out of a sandbox,
// or have led out through bugs of kernels.
var denied = []string{
	// Into other processes.
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	// Out of the file system.
	"mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	"open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd", "swapon", "swapoff",
	// Into other namespaces; clone's flags are looked at below.
	"unshare", "setns",
	// Into the kernel.
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load", "kexec_file_load",
	"init_module", "finit_module", "delete_module", "create_module", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "lookup_dcookie", "syslog", "acct", "uselib", "nfsservctl", "fanotify_init",
	// Keys.
	"keyctl", "add_key", "request_key",
	// The machine itself.
	"reboot", "sethostname", "setdomainname", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "vhangup",
	// To sockets with a name, which Landlock knows from its version 9 on only;
	// socket pairs need none of it.
	"connect",
	// Memory that no limit counts.
	"memfd_create", "memfd_secret", "shmget", "shmat",
	// Limits.
	"setrlimit",
}

// namespaces are the flags of clone that make namespaces.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// filterCalls puts the filter on this thread.
func filterCalls() error {
	program, err := filter()
	if err != nil {
		return fmt.Errorf("make the seccomp filter: %w", err)
	}
	raw := make([]unix.SockFilter, len(program))
	for i, in := range program {
		raw[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return fmt.Errorf("enforce the seccomp filter: %w", errno)
	}
	return nil
}

// filter is the filter as instructions.
func filter() ([]bpf.RawInstruction, error) {
	here, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: rulesOf(here)}
	checks, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	// The library lets calls of other architectures pass, by which a 64-bit
	// program could make any call as a 32-bit one.
	const archOffset = 4
	guarded := append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(here.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(seccomp.ActionKillProcess)},
	}, checks...)
	return bpf.Assemble(guarded)
}

// rulesOf are the rules in the order in which they are looked at. Those with
// conditions must come last, since the library compares what it read of an
// argument with the calls that come after.
func rulesOf(here *arch.Info) []seccomp.SyscallGroup {
	deny := func(e unix.Errno) seccomp.Action { return seccomp.ActionErrno | seccomp.Action(e) }
	plain := seccomp.SyscallGroup{Action: deny(unix.EPERM)}
	for _, name := range denied {
		if _, ok := here.SyscallNames[name]; ok {
			plain.Names = append(plain.Names, name)
		}
	}
	groups := []seccomp.SyscallGroup{
		plain,
		// Its flags are in memory, where a filter cannot look; without it,
		// everybody uses clone.
		{Names: []string{"clone3"}, Action: deny(unix.ENOSYS)},
	}
	eq := func(argument uint32, op seccomp.Operation, value uint64) seccomp.ArgumentConditions {
		return seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}}
	}
	// Datagrams are sent to names without connecting. The kernel reads the lower
	// half of family and type alone; a family with more set is refused too.
	family, datagrams := eq(0, seccomp.NotEqual, unix.AF_UNIX), eq(1, seccomp.BitsSet, unix.SOCK_DGRAM)
	for _, c := range []struct {
		name   string
		action seccomp.Action
		when   []seccomp.ArgumentConditions // any of them
	}{
		{"socket", deny(unix.EAFNOSUPPORT), []seccomp.ArgumentConditions{family, datagrams}},
		{"socketpair", deny(unix.EAFNOSUPPORT), []seccomp.ArgumentConditions{family, datagrams}},
		{"clone", deny(unix.EPERM), []seccomp.ArgumentConditions{eq(0, seccomp.BitsSet, namespaces)}},
		// Reading limits stays allowed. Some are not hard; see setLimits.
		{"prlimit64", deny(unix.EPERM), []seccomp.ArgumentConditions{eq(2, seccomp.NotEqual, 0)}},
	} {
		var group seccomp.SyscallGroup
		for _, when := range c.when {
			group.NamesWithCondtions = append(group.NamesWithCondtions, seccomp.NameWithConditions{Name: c.name, Conditions: when})
		}
		group.Action = c.action
		groups = append(groups, group)
	}
	return groups
}
