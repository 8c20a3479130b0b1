package sandbox

import (
	"errors"
	"fmt"
	"io/fs"

	landlock "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// What may be done with a file, and what more with a directory.
const (
	readFile  = landlock.AccessFSExecute | landlock.AccessFSReadFile
	readDir   = readFile | landlock.AccessFSReadDir
	writeFile = landlock.AccessFSReadFile | landlock.AccessFSWriteFile | landlock.AccessFSTruncate
	// No device files: all else a program may make in its own directories.
	writeDir = readDir | writeFile | landlock.AccessFSRemoveDir | landlock.AccessFSRemoveFile | landlock.AccessFSMakeDir |
		landlock.AccessFSMakeReg | landlock.AccessFSMakeSock | landlock.AccessFSMakeFifo | landlock.AccessFSMakeSym | landlock.AccessFSRefer
)

// systemDirs and systemFiles are what programs need of a system to run: code,
// and facts that are no secrets. Nothing of /home, /root, /var, /run or /srv,
// and of /etc and /proc only what is named.
var (
	systemDirs = []string{
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
		"/etc/alternatives", "/etc/ld.so.conf.d", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/ca-certificates",
		"/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage",
	}
	systemFiles = []string{
		"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.preload", "/etc/ld-musl-x86_64.path", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
		"/etc/localtime", "/etc/os-release", "/etc/debian_version", "/etc/mime.types", "/etc/ssl/openssl.cnf",
		"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems",
		"/proc/sys/kernel/ngroups_max", "/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/osrelease", "/proc/sys/vm/overcommit_memory",
	}
	// devices may be written too.
	devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
)

// confine lets this thread see nothing of the file system but what the order
// names and a program needs.
func (o order) confine() error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	attr := rulesetFor(abi)
	ruleset, err := landlock.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return fmt.Errorf("make Landlock rules: %w", err)
	}
	defer func() { _ = unix.Close(ruleset) }()
	for _, rule := range []struct {
		paths    []string
		access   uint64
		required bool
	}{
		{systemDirs, readDir, false}, {systemFiles, readFile, false}, {devices, writeFile, false},
		{o.Read, readDir, true}, {[]string{o.Program}, readFile, true}, {o.Write, writeDir, true},
	} {
		for _, path := range rule.paths {
			if err := allow(ruleset, path, rule.access&attr.HandledAccessFS, rule.required); err != nil {
				return err
			}
		}
	}
	if err := landlock.LandlockRestrictSelf(ruleset, 0); err != nil {
		return fmt.Errorf("enforce Landlock rules: %w", err)
	}
	return nil
}

// rulesetFor handles all that the kernel can keep from a program.
func rulesetFor(abi int) landlock.RulesetAttr {
	// The rights of ABI 1 are the first 13 bits
	// (https://docs.kernel.org/userspace-api/landlock.html).
	attr := landlock.RulesetAttr{HandledAccessFS: landlock.AccessFSMakeSym<<1 - 1}
	if abi >= 2 {
		attr.HandledAccessFS |= landlock.AccessFSRefer
	}
	if abi >= 3 {
		attr.HandledAccessFS |= landlock.AccessFSTruncate
	}
	if abi >= 4 {
		attr.HandledAccessNet = landlock.AccessNetBindTCP | landlock.AccessNetConnectTCP
	}
	if abi >= 5 {
		attr.HandledAccessFS |= landlock.AccessFSIoctlDev
	}
	if abi >= 6 {
		attr.Scoped = landlock.ScopeAbstractUnixSocket | landlock.ScopeSignal
	}
	if abi >= 9 {
		attr.HandledAccessFS |= landlock.AccessFSResolveUnix
	}
	return attr
}

func allow(ruleset int, path string, access uint64, required bool) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		if !required && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
			return nil
		}
		return fmt.Errorf("allow %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("allow %s: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= readFile | writeFile
	}
	if err := landlock.LandlockAddPathBeneathRule(ruleset, &landlock.PathBeneathAttr{ParentFd: fd, AllowedAccess: access}, 0); err != nil {
		return fmt.Errorf("allow %s: %w", path, err)
	}
	return nil
}

// landlockABI is the kernel's version of Landlock, at least 1.
func landlockABI() (int, error) {
	abi, err := landlock.LandlockGetABIVersion()
	switch {
	case errors.Is(err, unix.ENOSYS):
		return 0, fmt.Errorf("%w: the kernel has no Landlock: it takes Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK", ErrUnavailable)
	case errors.Is(err, unix.EOPNOTSUPP):
		return 0, fmt.Errorf("%w: Landlock is built into the kernel and turned off: start it with lsm=landlock,…", ErrUnavailable)
	case errors.Is(err, unix.EPERM):
		return 0, fmt.Errorf("%w: the container's seccomp profile forbids Landlock: allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self", ErrUnavailable)
	case err != nil:
		return 0, fmt.Errorf("%w: Landlock: %w", ErrUnavailable, err)
	case abi < 1:
		return 0, fmt.Errorf("%w: the kernel's Landlock has version %d, and it takes 1", ErrUnavailable, abi)
	}
	return abi, nil
}
