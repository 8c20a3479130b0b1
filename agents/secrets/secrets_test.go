package secrets_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/secrets"
	"assay/review"
)

// Look-alike secrets are put together here, so that no scanner takes this file
// for a leak.
var (
	random    = rand.New(rand.NewPCG(1, 2))
	githubPAT = "gh" + "p_" + word(36, alnum)
	awsKey    = "AK" + "IA" + word(16, "ABCDEFGHJKLMNPQRSTUVWXYZ234567")
	stripe    = "sk_" + "live_" + word(24, alnum)
	stripeTst = "sk_" + "test_" + word(24, alnum)
	password  = word(24, alnum) + "1"
	pem       = "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + word(64, alnum) + "\n" + word(64, alnum) + "\n" + word(20, alnum) + "\n-----END RSA PRIV" + "ATE KEY-----"
	jwt       = "ey" + "J" + word(30, alnum) + ".ey" + "J" + word(40, alnum) + "." + word(43, alnum)
)

const alnum = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

func word(n int, of string) string {
	var b strings.Builder
	for range n {
		b.WriteByte(of[random.IntN(len(of))])
	}
	return b.String()
}

// added is a file with the text added from the line given.
func added(path string, from int, text string) review.File {
	f := review.File{Path: path, Status: review.Added}
	h := review.Hunk{NewStart: from}
	for i, l := range strings.Split(text, "\n") {
		h.Lines = append(h.Lines, review.Line{Op: review.Add, New: from + i, Text: l})
	}
	h.NewLines, f.Additions = len(h.Lines), len(h.Lines)
	f.Hunks = []review.Hunk{h}
	return f
}

func newAgent(t testing.TB) *secrets.Agent {
	t.Helper()
	a, err := secrets.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func run(t testing.TB, files ...review.File) agents.Result {
	t.Helper()
	out, err := newAgent(t).Run(t.Context(), agents.Input{Change: &review.Change{Files: files}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFinds(t *testing.T) {
	tests := []struct {
		name, path, text, secret string
		want                     string // "rule severity start-end"
	}{
		{"github token", "main.go", "package main\n\nconst t = \"" + githubPAT + "\"", githubPAT, "github-pat critical 12-12"},
		{"in a test", "main_test.go", "const t = \"" + githubPAT + "\"", githubPAT, "github-pat low 10-10"},
		{"aws key", "deploy.sh", "export AWS_ACCESS_KEY_ID=" + awsKey, awsKey, "aws-access-token critical 10-10"},
		{"stripe live", "pay.py", "stripe.api_key = '" + stripe + "'", stripe, "stripe-access-token critical 10-10"},
		{"stripe test mode", "pay.py", "stripe.api_key = '" + stripeTst + "'", stripeTst, "stripe-access-token low 10-10"},
		{"private key", "key.pem", "first\n" + pem + "\nlast", strings.Split(pem, "\n")[2], "private-key critical 11-15"},
		{"password", "config.yml", "db_password: \"" + password + "\"", password, "generic-api-key medium 10-10"},
		{"jwt", "notes.txt", "Bearer " + jwt, jwt, "jwt medium 10-10"},
		{"named by a vendor", "a.env", "SNYK_TOKEN=" + "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "snyk-api-token high 10-10"},
		{"windows line ends", "a.env", "x\r\nTOKEN=" + githubPAT + "\r\n", githubPAT, "github-pat critical 11-11"},
		{"after a very long line", "a.js", strings.Repeat("x;", 20000) + "\nt='" + githubPAT + "'", githubPAT, "github-pat critical 11-11"},
		{"in the middle of a very long line", "a.js", strings.Repeat("x;", 20000) + "t='" + githubPAT + "';" + strings.Repeat("y;", 20000), githubPAT, "github-pat critical 10-10"},
		{"among broken bytes", "a.txt", "\xff\x00\xfe " + githubPAT + " \x00", githubPAT, "github-pat critical 10-10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, added(tt.path, 10, tt.text))
			if len(out.Findings) != 1 {
				t.Fatalf("findings: %+v", out.Findings)
			}
			f := out.Findings[0]
			got := fmt.Sprintf("%s %s %d-%d", strings.TrimPrefix(f.Rule, "secrets/"), f.Severity, f.StartLine, f.EndLine)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if f.Category != review.Security || f.Path != tt.path || !strings.Contains(f.Evidence, "********") {
				t.Errorf("finding: %+v", f)
			}
			leaks(t, f, tt.secret)
		})
	}
}

// leaks fails when the finding tells more of the secret than its rule does.
func leaks(t *testing.T, f review.Finding, secret string) {
	t.Helper()
	for i := 0; i+6 <= len(secret); i++ {
		if part := secret[i : i+6]; strings.Contains(f.Evidence+f.Message+f.Rule, part) {
			t.Errorf("%q of the secret is in the finding: %+v", part, f)
			return
		}
	}
}

func TestKeepsQuiet(t *testing.T) {
	removed := added("old.go", 1, "x")
	removed.Hunks[0].Lines[0] = review.Line{Op: review.Delete, Old: 1, Text: githubPAT}
	unchanged := added("ctx.go", 1, "x")
	unchanged.Hunks[0].Lines[0] = review.Line{Op: review.Context, Old: 1, New: 1, Text: githubPAT}
	gone := added("gone.go", 1, githubPAT)
	gone.Status = review.Removed
	tests := map[string]review.File{
		"removed line":    removed,
		"context line":    unchanged,
		"removed file":    gone,
		"marked":          added("a.go", 1, `t := "`+githubPAT+`" // gitleaks:allow`),
		"placeholder":     added("a.go", 1, `password = "${DB_PASSWORD}"`),
		"example key":     added("a.go", 1, "aws = "+"AKIA"+"IOSFODNN7"+"EXAMPLE"),
		"low entropy":     added("a.go", 1, "gh"+"p_"+strings.Repeat("a", 36)),
		"lock file":       added("package-lock.json", 1, `"token": "`+githubPAT+`"`),
		"ordinary code":   added("a.go", 1, "func (k *key) token(secret string) error { return access(k.api, secret) }"),
		"commit hash":     added("ci.yml", 1, "- uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"),
		"stop word":       added("a.go", 1, `api_key = "my-development-`+word(8, alnum)+`"`),
		"keyboard":        added("keys.go", 1, `KeyCtrlShiftEnd: "ctrl+shift+end"`),
		"sums":            added("vendor.sum", 1, "github.com/moby/moby/api v1.56.1 h1:"+word(43, alnum)+"="),
		"key of a test":   added("lib/_fixture/key.pem", 1, pem),
		"import of names": added("a.ts", 1, `import { tokenA, secretB } from 'auth-key-1234567890abc'`),
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			if out := run(t, f); len(out.Findings) != 0 {
				t.Errorf("findings: %+v", out.Findings)
			}
		})
	}
}

func TestEvidenceMasksEverything(t *testing.T) {
	tests := []struct {
		name, line, want string
	}{
		{"format", `t := "` + githubPAT + `"`, `t := "ghp_********"`},
		{"password", `db_password: "` + password + `"`, `db_password: "********"`},
		{"two on a line", `a := "` + githubPAT + `"; b := "` + stripe + `"`, `a := "ghp_********"; b := "sk_l********"`},
		{"twice", `a := "` + githubPAT + `" // x` + githubPAT, `a := "ghp_********" // ********`},
		{"again where no rule finds it", `db_password: "` + password + `" # not ` + password, `db_password: "********" # not ********`},
		{"only its beginning matched", `t := "` + githubPAT + `TAIL99"`, `t := "ghp_********"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, added("a.go", 1, tt.line))
			if len(out.Findings) == 0 {
				t.Fatal("no findings")
			}
			for _, f := range out.Findings {
				if got := f.Evidence[:strings.LastIndex(f.Evidence, " #")]; got != tt.want {
					t.Errorf("evidence %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestFingerprintTellsSecretsApart holds that what was said of one secret does
// not hold for another in its place, and that it stays when the line moves.
func TestFingerprintTellsSecretsApart(t *testing.T) {
	id := func(path, secret string, line int) string {
		out := run(t, added(path, line, `t := "`+secret+`"`))
		review.Fingerprint(out.Findings)
		return out.Findings[0].ID
	}
	if id("a.go", githubPAT, 1) == id("a.go", "gh"+"p_"+word(36, alnum), 1) {
		t.Error("two secrets in one place have the same fingerprint")
	}
	if id("a.go", githubPAT, 1) != id("a.go", githubPAT, 9) {
		t.Error("the fingerprint changes when the line moves")
	}
	tail := func(path, secret string) string {
		e := run(t, added(path, 1, `db_password: "`+secret+`"`)).Findings[0].Evidence
		return e[strings.LastIndexByte(e, '#'):]
	}
	if got := tail("a.yml", githubPAT); len(got) != 6 {
		t.Errorf("mark of a token: %q, want 20 bits", got)
	}
	if got := tail("a.yml", password[:12]+"1"); len(got) != 3 {
		t.Errorf("mark of a password: %q, want 8 bits", got)
	}
	if tail("a.yml", githubPAT) == tail("b.yml", githubPAT) {
		t.Error("marks tell that a secret stands in two places")
	}
}

func TestCoverage(t *testing.T) {
	binary := review.File{Path: "a.bin2", Status: review.Added, Binary: true}
	p12 := review.File{Path: "deploy/cert.p12", Status: review.Added, Binary: true}
	unread := review.File{Path: "big.go", Status: review.Modified, Unread: "GitHub sent no patch"}
	partly := added("part.go", 1, `t := "`+githubPAT+`"`)
	partly.Unread = "cut off"
	out := run(t, added("a.go", 1, "x"), binary, p12, unread, partly,
		review.File{Path: "logo.png", Status: review.Added, Binary: true},
		review.File{Path: "gone.go", Status: review.Removed},
		review.File{Path: "new.go", OldPath: "old.go", Status: review.Renamed})
	var got []string
	for _, c := range out.Coverage {
		got = append(got, fmt.Sprintf("%s %s %s", c.Path, c.Level, c.Reason))
	}
	want := []string{
		"a.go full ",
		"a.bin2 not_applicable binary: only its path was checked",
		"deploy/cert.p12 not_applicable binary: only its path was checked",
		"big.go skipped GitHub sent no patch",
		"part.go partial cut off",
		"logo.png not_applicable files of this kind hold no secrets, or only look-alikes",
		"gone.go not_applicable ",
		"new.go full ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var rules []string
	for _, f := range out.Findings {
		rules = append(rules, f.Rule+" "+f.Location())
	}
	if d := cmp.Diff([]string{"secrets/pkcs12-file deploy/cert.p12", "secrets/github-pat part.go:1"}, rules); d != "" {
		t.Error(d)
	}
}

func TestRulesAreWhole(t *testing.T) {
	a := newAgent(t)
	if n := len(a.Rules()); n != 222 {
		t.Errorf("%d rules, want the 222 of gitleaks v8.30.1", n)
	}
	for _, r := range a.Rules() {
		if !strings.HasPrefix(r.ID, "secrets/") || r.Severity == 0 || r.What == "" || r.Why == "" || r.Fix == "" {
			t.Errorf("rule is not documented: %+v", r)
		}
	}
	if err := secrets.CompileAll(a); err != nil {
		t.Error(err)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newAgent(t).Run(ctx, agents.Input{Change: &review.Change{Files: []review.File{added("a.go", 1, "x")}}}); err == nil {
		t.Error("a cancelled run was not an error")
	}
}

// TestHostile holds the time that text made to be slow can take. The bounds are
// generous for slow machines: without them it would be minutes.
func TestHostile(t *testing.T) {
	var every strings.Builder // every keyword, over and over
	for every.Len() < 48<<10 {
		every.WriteString(secrets.Keywords(newAgent(t)) + "\n")
	}
	tests := map[string]string{
		"every keyword":      every.String(),
		"one line of words":  strings.ReplaceAll(every.String(), "\n", " "),
		"100k short lines":   strings.Repeat("key\n", 100_000),
		"100k look-alikes":   strings.Repeat("api_key='"+password+"'\n", 20_000),
		"one line of tokens": strings.Repeat(githubPAT+" ", 5_000),
		"curl":               strings.Repeat("curl -u ", 40_000),
		"begin only":         strings.Repeat("-----BEGIN PRIVATE"+" KEY-----\n", 8_000),
		"zeros":              strings.Repeat("\x00", 1<<20),
		"broken bytes":       strings.Repeat("key=\xff\xfe", 50_000),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			out := run(t, added("a.txt", 1, text))
			took := time.Since(start)
			t.Logf("%d KB in %s, %d findings, %v", len(text)>>10, took.Round(time.Millisecond), len(out.Findings), out.Coverage[0])
			if took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{githubPAT, pem, jwt, "api_key: '" + password + "'", "curl -u a:bcdef http://x", "\xff\x00key=", "kind: Secret\ndata:\n  a: YWJjZGVmZ2hpag=="} {
		f.Add([]byte(s), "a.yml")
	}
	agent := newAgent(f)
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		file := added(path, 1, string(text))
		out, err := agent.Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{file}}})
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, fd := range out.Findings {
			if fd.StartLine == 0 && fd.Rule == "secrets/pkcs12-file" {
				continue
			}
			if fd.StartLine < 1 || fd.EndLine < fd.StartLine || fd.EndLine > lines {
				t.Errorf("lines %d-%d of %d", fd.StartLine, fd.EndLine, lines)
			}
			if !strings.Contains(fd.Evidence, "****") {
				t.Errorf("evidence is not masked: %q", fd.Evidence)
			}
		}
		if len(out.Coverage) != 1 {
			t.Errorf("coverage: %v", out.Coverage)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newAgent(b)
	}
}
