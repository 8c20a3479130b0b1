// Package pgtest starts a throwaway PostgreSQL cluster for tests. It needs
// PostgreSQL's own programs (initdb, pg_ctl) and nothing else.
package pgtest

import (
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Cluster is a running PostgreSQL that ends with its test.
type Cluster struct {
	addr string
	n    atomic.Int64
}

// Start starts a cluster on a free port of the loopback interface. Where
// PostgreSQL is not installed the test is skipped, and fails when CI=true.
func Start(t testing.TB) *Cluster {
	t.Helper()
	initdb, pgctl := program(t, "initdb"), program(t, "pg_ctl")
	dir, err := os.MkdirTemp("", "assay-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := credential(t, dir)
	data := filepath.Join(dir, "data")
	run(t, as, initdb, "--no-sync", "--auth=trust", "--username=assay", "--encoding=UTF8", "--locale=C", "-D", data)
	port := freePort(t)
	// Durability is not what these tests are about; the stronger settings of
	// the product are.
	opts := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=200", port)
	run(t, as, pgctl, "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", opts, "start")
	t.Cleanup(func() { run(t, as, pgctl, "-D", data, "-m", "immediate", "-w", "stop") })
	return &Cluster{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
}

// Database makes a fresh, empty database and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	admin, err := sql.Open("pgx", c.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := fmt.Sprintf("test_%d", c.n.Add(1))
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return c.url(name)
}

func (c *Cluster) url(database string) string {
	return "postgres://assay@" + c.addr + "/" + database + "?sslmode=disable"
}

func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	// Debian keeps them out of the PATH.
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return found[len(found)-1]
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: install PostgreSQL's server (Debian: apt-get install postgresql)", name)
	}
	t.Skipf("%s is not installed: PostgreSQL's half of the suite needs its server (Debian: apt-get install postgresql)", name)
	return ""
}

// credential is who runs the server: PostgreSQL refuses to run as root.
func credential(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("PostgreSQL does not run as root, and there is no user nobody: %v", err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func run(t testing.TB, as *syscall.SysProcAttr, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.SysProcAttr = "/", as
	// The server outlives pg_ctl and must not hold a pipe of ours open.
	out, err := os.CreateTemp("", "assay-pg-out-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("%s: %v\n%s", filepath.Base(program), err, bytes.TrimSpace(text))
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
