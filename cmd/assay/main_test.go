package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// result is what a command leaves behind.
type result struct {
	code           int
	stdout, stderr string
}

// assay runs a command as main does, with an environment of its own.
func assay(t *testing.T, env map[string]string, stdin string, args ...string) result {
	t.Helper()
	vars := map[string]string{"DATA_DIR": filepath.Join(t.TempDir(), "data")}
	maps.Copy(vars, env)
	var stdout, stderr bytes.Buffer
	code := run(command{
		ctx: t.Context(), stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		env: func(name string) (string, bool) { value, ok := vars[name]; return value, ok },
	}, args)
	return result{code, stdout.String(), stderr.String()}
}

func (r result) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || !strings.Contains(r.stderr, stderr) {
		t.Errorf("exit %d, want %d\nstdout: %s\nwant: %s\nstderr: %s\nwant: %s", r.code, code, r.stdout, stdout, r.stderr, stderr)
	}
}

func TestUsage(t *testing.T) {
	assay(t, nil, "", "--help").want(t, exitOK, "config validate", "")
	assay(t, nil, "", "nonsense").want(t, exitError, "", "unexpected argument nonsense")
}

func TestConfigValidate(t *testing.T) {
	assay(t, nil, "version: 1\n", "config", "validate", "-").want(t, exitOK, "standard input is valid: 1 pipeline\n", "")
	assay(t, nil, "version: 2\n", "config", "validate", "-").want(t, exitGate, "-:1:10: version", "standard input has 1 problem; what is below it")
	assay(t, nil, "a: 1\n", "config", "validate", "-").want(t, exitGate, `unknown key "a"`, "has 2 problems")
	assay(t, nil, "", "config", "validate", filepath.Join(t.TempDir(), "none.yml")).want(t, exitError, "", "no such file")
}

// TestNoDatabase holds that a command that looks at the service's database does
// not make one where there is none.
func TestNoDatabase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"DATA_DIR": dir}
	assay(t, env, "", "runs").want(t, exitError, "", "there is no database at "+dir)
	assay(t, env, "", "replay", "guid").want(t, exitError, "", "there is no database at "+dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the data directory was made")
	}
}

func TestReview(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=u", "-c", "user.email=u@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q", "-b", "main")
	write("a.txt", "a\n")
	git("add", ".")
	git("commit", "-qm", "Start")
	// Without a change: an error when the base was found by itself, an empty
	// report when it was named.
	assay(t, nil, "", "review", dir).want(t, exitError, "", "nothing to review")
	assay(t, nil, "", "review", dir, "--base", "HEAD", "--format", "sarif").want(t, exitOK, `"results": []`, "nothing to review")
	write("b.go", "package b\n")
	assay(t, nil, "", "review", dir).want(t, exitOK, "No problems in 1 file", "")
	write("b.go", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")
	assay(t, nil, "", "review", dir).want(t, exitGate, "hygiene/conflict-marker", "")
	assay(t, nil, "", "review", dir, "--pipeline", "other").want(t, exitError, "", `starts no pipeline "other"; it would start: review`)
	assay(t, nil, "", "review", dir, "--base", "nope").want(t, exitError, "", `"nope" is not a revision`)
	config := filepath.Join(t.TempDir(), "assay.yml")
	if err := os.WriteFile(config, []byte("version: 1\npaths: {ignore: ['**']}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	assay(t, nil, "", "review", dir, "--config", config).want(t, exitOK, "Nothing to review in 1 file", "")
}

// TestDemo holds that the demo plays to its end and stays on this machine,
// whatever the environment has for a real service.
func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	env := map[string]string{"PORT": "0", "HOST": "", "PUBLIC_URL": "https://assay.invalid", "GITHUB_APP_ID": "junk"}
	r := assay(t, env, "", "demo", "--once")
	r.want(t, exitOK, "conclusion failure   report http://localhost:", "")
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("the demo leaves %v behind", left)
	}
}
