package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// process is what /proc says of a process.
type process struct {
	pid, parent int
	zombie      bool
	memory      int64
	// cpu is its own time and that of its children that were waited for.
	cpu time.Duration
}

// clockTick is the unit of times in /proc/PID/stat, 1/100 s on every
// architecture of Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// descendants are the processes below this one.
func descendants() []process {
	all := processes()
	ours := map[int]bool{os.Getpid(): true}
	var found []process
	for grown := true; grown; {
		grown = false
		for i, p := range all {
			if p.pid != 0 && ours[p.parent] {
				ours[p.pid], grown = true, true
				found = append(found, p)
				all[i].pid = 0
			}
		}
	}
	return found
}

func processes() []process {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = proc.Close() }()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var all []process
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if stat, err := os.ReadFile("/proc/" + name + "/stat"); err == nil {
			if p, ok := parseStat(stat); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// parseStat reads /proc/PID/stat
// (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). The name in it
// is the program's to choose, parentheses and spaces too.
func parseStat(stat []byte) (process, bool) {
	before, _, ok := bytes.Cut(stat, []byte(" ("))
	end := bytes.LastIndexByte(stat, ')')
	if !ok || end < 0 || end+2 > len(stat) {
		return process{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	const first = 3 // the number of the first field after the name
	number := func(n int) int64 {
		if n-first >= len(fields) {
			return 0
		}
		v, _ := strconv.ParseInt(string(fields[n-first]), 10, 64)
		return v
	}
	pid, err := strconv.Atoi(string(before))
	if err != nil || len(fields) < 22 {
		return process{}, false
	}
	state := fields[0][0]
	return process{
		pid: pid, parent: int(number(4)), zombie: state == 'Z' || state == 'X',
		cpu:    time.Duration(number(14)+number(15)+number(16)+number(17)) * clockTick,
		memory: number(24) * int64(os.Getpagesize()),
	}, true
}

// threadsOf counts the threads of a user.
func threadsOf(uid int) int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	count := 0
	for _, e := range entries {
		if name := e.Name(); name[0] < '0' || name[0] > '9' {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != uid {
			continue
		}
		if tasks, err := os.ReadDir("/proc/" + e.Name() + "/task"); err == nil {
			count += len(tasks)
		}
	}
	return count
}
