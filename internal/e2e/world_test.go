package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"assay/internal/ghfake"
	"assay/review"
)

// patience is how long a test waits for what must happen; it is no measure of
// speed.
const patience = 60 * time.Second

const webhookSecret = "end-to-end-webhook-secret-0123456789"

var binary string

// TestMain builds the binary that all tests drive.
func TestMain(m *testing.M) {
	if url := os.Getenv(scriptedModel); url != "" {
		os.Exit(serveScripted(url)) // started by a test as the service
	}
	dir, err := os.MkdirTemp("", "assay-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "assay")
	build := exec.Command("go", "build", "-o", binary, "assay/cmd/assay")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build assay: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// world is a fake GitHub with an app, and the settings of a service for it.
type world struct {
	t      *testing.T
	gh     *ghfake.Server
	web    *httptest.Server
	app    *ghfake.App
	repo   *ghfake.Repo
	inst   *ghfake.Installation
	dir    string
	port   int
	client *http.Client
	last   *service
	// binary is another build of the service; assay when empty.
	binary string
	// database is the URL of a PostgreSQL database; SQLite when empty.
	database string
}

// newWorld makes a fake GitHub with one repository, whose every request and
// answer must be as GitHub describes them.
func newWorld(t *testing.T, change ...func(*ghfake.Config)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), port: freePort(t), client: &http.Client{Timeout: patience}}
	cfg := ghfake.Config{
		KeepRequests: 200_000, KeepDeliveries: 50_000,
		OnViolation: func(v ghfake.Violation) { t.Errorf("GitHub would have refused this: %s", v) },
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	w.gh, err = ghfake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.web = httptest.NewServer(w.gh)
	t.Cleanup(func() { w.gh.Close(); w.web.Close() })
	t.Cleanup(func() {
		if t.Failed() && w.last != nil {
			t.Logf("log of the last service:\n%s", tail(w.last.log.String(), 6000))
		}
	})
	if err := w.gh.SetURLs(w.web.URL+"/api/v3", w.web.URL); err != nil {
		t.Fatal(err)
	}
	w.app = w.gh.AddApp(ghfake.App{Slug: "assay", WebhookSecret: webhookSecret, HookURL: w.url("/webhook")})
	w.repo = w.gh.AddRepo("octo-org/shop", ghfake.Files{
		"README.md": ghfake.Text("# shop\n"),
		"main.go":   ghfake.Text("package main\n\nfunc main() {}\n"),
	})
	w.inst = w.gh.Install(w.app, "octo-org", w.repo.FullName())
	return w
}

func (w *world) url(path string) string {
	return "http://127.0.0.1:" + strconv.Itoa(w.port) + path
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// service is a running `assay serve`.
type service struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan struct{}
	err  error
}

type syncBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// env is the environment of commands.
func (w *world) env(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "HOST=127.0.0.1", "PORT=" + strconv.Itoa(w.port),
		"GITHUB_APP_ID=" + strconv.FormatInt(w.app.ID, 10), "GITHUB_APP_PRIVATE_KEY=" + string(w.app.KeyPEM()),
		"GITHUB_WEBHOOK_SECRET=" + webhookSecret, "GITHUB_URL=" + w.web.URL, "GITHUB_API_URL=" + w.web.URL + "/api/v3",
		"PUBLIC_URL=" + w.url(""), "DATA_DIR=" + filepath.Join(w.dir, "data"), "GITHUB_WRITE_INTERVAL=1ms", "GITHUB_WRITES_PER_MINUTE=0", "GITHUB_WRITES_PER_HOUR=0",
		"LOG_FORMAT=text", "DATABASE_URL=" + w.database,
	}, extra...)
}

// serve starts the service and waits until it is ready, or dead.
func (w *world) serve(extra ...string) *service {
	w.t.Helper()
	s := &service{t: w.t, log: &syncBuffer{}, done: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve")
	if w.binary != "" {
		s.cmd = exec.Command(w.binary)
	}
	s.cmd.Env = w.env(extra...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { s.err = s.cmd.Wait(); close(s.done) }()
	w.t.Cleanup(s.kill)
	w.last = s
	w.until("the service is ready", func() bool {
		select {
		case <-s.done:
			return true // a crash test may have ended it already
		default:
		}
		resp, err := w.client.Get(w.url("/readyz"))
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (s *service) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
}

// stop ends the service in order, and holds it to doing so.
func (s *service) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("the service does not stop")
	}
	if s.err != nil {
		s.t.Errorf("the service stopped with %v", s.err)
	}
}

// until waits for something that must happen. It looks often rather than being
// told: what it waits for is in another process.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			w.t.Fatalf("after %s still not: %s", patience, what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// check waits for the head's one check run to be completed.
func (w *world) check(pull *ghfake.PullRequest) ghfake.CheckRun {
	w.t.Helper()
	head := pull.HeadSHA()
	var check ghfake.CheckRun
	w.until("a completed check at the head", func() bool {
		checks := w.gh.CheckRuns(w.repo, head)
		if len(checks) > 1 {
			w.t.Fatalf("%d check runs at one head", len(checks))
		}
		if len(checks) == 1 {
			check = checks[0]
		}
		return check.Status == "completed" && w.settled(check.ExternalID)
	})
	return check
}

// settled reports whether the service has finished with the run.
func (w *world) settled(id string) bool {
	var status review.Status
	db := w.open()
	defer db.Close()
	err := db.QueryRow(`SELECT status FROM runs WHERE id = $1`, id).Scan(&status)
	return err == nil && status.Final()
}

// open opens the service's database to look at it.
func (w *world) open() *sql.DB {
	w.t.Helper()
	driver, url := "pgx", w.database
	if url == "" {
		driver, url = "sqlite", "file:"+filepath.Join(w.dir, "data", "assay.db")+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}

// idle waits until no delivery and no run is unfinished.
func (w *world) idle() {
	w.t.Helper()
	db := w.open()
	defer db.Close()
	w.until("no unfinished delivery or run", func() bool {
		var n int
		err := db.QueryRow(`SELECT (SELECT count(*) FROM deliveries WHERE status = 'accepted') + (SELECT count(*) FROM runs WHERE status IN ('queued', 'running'))
			+ (SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded'))`).Scan(&n)
		return err == nil && n == 0
	})
}

// flush waits until GitHub has tried to deliver everything.
func (w *world) flush() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.gh.Flush(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// send delivers a payload as GitHub would, with a GUID of the caller's.
func (w *world) send(event, guid string, payload []byte) (status int, answer string, err error) {
	req, err := ghfake.HookRequest(w.t.Context(), w.app, event, guid, payload)
	if err != nil {
		return 0, "", err
	}
	req.URL.Host = "127.0.0.1:" + strconv.Itoa(w.port)
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// get fetches a page of the service.
func (w *world) get(path string) (status int, body string) {
	w.t.Helper()
	resp, err := w.client.Get(w.url(path))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// run runs a command to its end.
func (w *world) run(args ...string) (stdout string, code int) {
	w.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Dir = w.env(), w.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out) + stderr.String(), exit.ExitCode()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out), 0
}

// conflict is a change that always has a finding of high severity.
func conflict(name string) ghfake.Files {
	return ghfake.Files{name: ghfake.Text("package main\n\n<<<<<<< HEAD\nvar a = 1\n=======\nvar a = 2\n>>>>>>> other\n")}
}

func clean(name string) ghfake.Files {
	return ghfake.Files{name: ghfake.Text("package main\n\nvar a = 2\n")}
}
