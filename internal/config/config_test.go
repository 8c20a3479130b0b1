package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/internal/secret"
)

var update = flag.Bool("update", false, "write docs/environment.md")

// environ is an environment for tests.
type environ map[string]string

func (e environ) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// testKeys makes keys once: they take a while.
var testKeys = sync.OnceValue(func() (keys struct{ pkcs1, pkcs8, short, ec string }) {
	encode := func(kind string, der []byte, err error) string {
		if err != nil {
			panic(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	keys.pkcs1 = encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	keys.pkcs8 = encode("PRIVATE KEY", der, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	keys.short = encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short), nil)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err = x509.MarshalPKCS8PrivateKey(ec)
	keys.ec = encode("PRIVATE KEY", der, err)
	return keys
})

const goodSecret = "0123456789abcdef0123456789abcdef"

var (
	defaultBreaker = Breaker{FailureThreshold: 5, ResetTimeout: 30 * time.Second, MaxResetTimeout: 10 * time.Minute}
	defaultModels  = Models{FirstToken: time.Minute, Idle: 30 * time.Second, Timeout: 5 * time.Minute, Concurrent: 16}
)

func TestDefaults(t *testing.T) {
	got, err := Load(environ{}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		GitHub:  GitHub{URL: "https://github.com", APIURL: "https://api.github.com/", WriteInterval: time.Second, WritesPerMinute: 80, WritesPerHour: 500},
		Server:  Server{Port: 8080, PublicURL: "http://localhost:8080", Local: true},
		Storage: Storage{DataDir: "data", Database: Database{Kind: SQLite, Path: filepath.Join("data", "assay.db")}},
		Work:    Work{Accept: true, Run: true, Workers: 8, ShutdownTimeout: 25 * time.Second, ReconcileInterval: 5 * time.Minute, ScheduleInterval: 15 * time.Second},
		Models:  defaultModels,
		Breakers: Breakers{
			GitHub: defaultBreaker, GitHubToken: defaultBreaker, GitHubGraphQL: defaultBreaker, OSV: defaultBreaker,
			OpenAI: defaultBreaker, Anthropic: defaultBreaker, Gemini: defaultBreaker, Ollama: defaultBreaker,
		},
		Caches: Caches{
			Tokens: Cache{Size: 4096}, Config: Cache{TTL: time.Hour, Size: 1024},
			Contents: Cache{TTL: 10 * time.Minute, Size: 4096}, Answers: Cache{TTL: time.Hour, Size: 4096},
			Results: Cache{TTL: time.Hour, Size: 1024}, OrgConfig: Cache{TTL: time.Minute, Size: 1024},
		},
		Log:    Log{Level: slog.LevelInfo, Format: JSON},
		Traces: Traces{Service: "assay"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got.Server.Addr() != ":8080" {
		t.Errorf("Addr() = %q", got.Server.Addr())
	}
}

func TestEverythingSet(t *testing.T) {
	key := testKeys().pkcs1
	got, err := Load(environ{
		"GITHUB_APP_ID": "12345", "GITHUB_APP_PRIVATE_KEY": key, "GITHUB_WEBHOOK_SECRET": goodSecret + " , " + goodSecret + "x",
		"GITHUB_URL": "https://ghe.example.com/", "PUBLIC_URL": "https://assay.example.com/base/", "PORT": "443", "HOST": "[::1]",
		"DATA_DIR": "/var/lib/assay/", "DATABASE_URL": "postgres://u:p@db/assay", "ASSAY_ADMIN_TOKEN": goodSecret, "ASSAY_SARIF_SECRET": goodSecret + goodSecret,
		"ASSAY_ROLES": "work", "ASSAY_WORKERS": "32", "ASSAY_SHUTDOWN_TIMEOUT": "90s", "ASSAY_RECONCILE_INTERVAL": "off", "ASSAY_SCHEDULE_INTERVAL": "off", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text",
		"GITHUB_WRITE_INTERVAL": "1ms", "GITHUB_WRITES_PER_MINUTE": "0", "GITHUB_WRITES_PER_HOUR": "5",
		"ASSAY_BREAKER_GITHUB_FAILURE_THRESHOLD": "7", "ASSAY_BREAKER_GITHUB_RESET_TIMEOUT": "20m",
		"ASSAY_BREAKER_GITHUB_TOKEN_RESET_TIMEOUT": "1s", "ASSAY_BREAKER_GITHUB_TOKEN_MAX_RESET_TIMEOUT": "1s",
		"ASSAY_BREAKER_GITHUB_GRAPHQL_FAILURE_THRESHOLD": "9", "ASSAY_BREAKER_GITHUB_GRAPHQL_RESET_TIMEOUT": "2s", "ASSAY_BREAKER_GITHUB_GRAPHQL_MAX_RESET_TIMEOUT": "3s",
		"ASSAY_OSV": "/var/lib/osv/", "ASSAY_BREAKER_OSV_FAILURE_THRESHOLD": "9",
		"ASSAY_CACHE_TOKENS_SIZE": "1", "ASSAY_CACHE_CONFIG_TTL": "2s", "ASSAY_CACHE_CONFIG_SIZE": "3",
		"ASSAY_CACHE_CONTENTS_TTL": "4s", "ASSAY_CACHE_CONTENTS_SIZE": "5", "ASSAY_CACHE_ANSWERS_TTL": "6s", "ASSAY_CACHE_ANSWERS_SIZE": "7",
		"ASSAY_CACHE_RESULTS_TTL": "8s", "ASSAY_CACHE_RESULTS_SIZE": "9", "ASSAY_CACHE_ORG_CONFIG_TTL": "10s", "ASSAY_CACHE_ORG_CONFIG_SIZE": "11",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/base/", "OTEL_SERVICE_NAME": "reviews",
		"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20" + goodSecret + ", x-team = a=b",
	}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		App: App{
			ID: 12345, PrivateKey: secret.New(key),
			WebhookSecrets: []secret.Secret{secret.New(goodSecret), secret.New(goodSecret + "x")},
		},
		GitHub:  GitHub{URL: "https://ghe.example.com", APIURL: "https://ghe.example.com/api/v3/", WriteInterval: time.Millisecond, WritesPerHour: 5},
		Server:  Server{Host: "::1", Port: 443, PublicURL: "https://assay.example.com/base", AdminToken: secret.New(goodSecret), SARIFSecret: secret.New(goodSecret + goodSecret)},
		Storage: Storage{DataDir: "/var/lib/assay", Database: Database{Kind: Postgres, URL: secret.New("postgres://u:p@db/assay")}},
		Work:    Work{Run: true, Workers: 32, ShutdownTimeout: 90 * time.Second},
		Models:  defaultModels,
		Breakers: Breakers{
			GitHub:        Breaker{FailureThreshold: 7, ResetTimeout: 20 * time.Minute, MaxResetTimeout: 20 * time.Minute},
			GitHubToken:   Breaker{FailureThreshold: 5, ResetTimeout: time.Second, MaxResetTimeout: time.Second},
			GitHubGraphQL: Breaker{FailureThreshold: 9, ResetTimeout: 2 * time.Second, MaxResetTimeout: 3 * time.Second},
			OpenAI:        defaultBreaker, Anthropic: defaultBreaker, Gemini: defaultBreaker, Ollama: defaultBreaker,
			OSV: Breaker{FailureThreshold: 9, ResetTimeout: 30 * time.Second, MaxResetTimeout: 10 * time.Minute},
		},
		Advisories: Advisories{Dir: "/var/lib/osv"},
		Caches: Caches{
			Tokens: Cache{Size: 1}, Config: Cache{TTL: 2 * time.Second, Size: 3},
			Contents: Cache{TTL: 4 * time.Second, Size: 5}, Answers: Cache{TTL: 6 * time.Second, Size: 7},
			Results: Cache{TTL: 8 * time.Second, Size: 9}, OrgConfig: Cache{TTL: 10 * time.Second, Size: 11},
		},
		Log: Log{Level: slog.LevelDebug, Format: Text},
		Traces: Traces{
			URL: "http://collector:4318/base/v1/traces", Service: "reviews",
			Headers: map[string]secret.Secret{"authorization": secret.New("Bearer " + goodSecret), "x-team": secret.New("a=b")},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got.Server.Addr() != "[::1]:443" {
		t.Errorf("Addr() = %q", got.Server.Addr())
	}
	if err := got.RequireApp(); err != nil {
		t.Errorf("RequireApp: %v", err)
	}
}

func TestBadValues(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"GITHUB_APP_ID", "abc", `GITHUB_APP_ID="abc" is not a whole number`},
		{"GITHUB_APP_ID", "Iv1.8a61f9b3a7aba766", "client ID"},
		{"APP_ID", "0", `APP_ID="0" is out of range`},
		{"GITHUB_APP_ID", "99999999999999999999", "out of range"},
		{"GITHUB_WEBHOOK_SECRET", "development", "too short"},
		{"GITHUB_WEBHOOK_SECRET", goodSecret + ",", "empty part"},
		{"GITHUB_WEBHOOK_SECRET", goodSecret + ",short", "too short"},
		{"GITHUB_URL", "github.com", "not a URL"},
		{"GITHUB_URL", "http://ghe.example.com", "in the clear"},
		{"GITHUB_URL", "https://user:hunter22@ghe.example.com", "user or password"},
		{"GITHUB_URL", "ftp://ghe.example.com", "neither"},
		{"GITHUB_API_URL", "https://ghe.example.com/api/v3?x=1", "query"},
		{"GITHUB_API_URL", "http://169.254.169.254/", "in the clear"},
		{"PUBLIC_URL", "https://", "not a URL"},
		{"PUBLIC_URL", "https://:443", "not a URL"},
		{"PUBLIC_URL", "https://a/#f", "fragment"},
		{"PUBLIC_URL", "http://localhost.example.com", "in the clear"},
		{"PORT", "http", "not a whole number"},
		{"PORT", "65536", "out of range; want a whole number from 0 to 65535"},
		{"PORT", "-1", "out of range"},
		{"HOST", "0.0.0.0:80", "not a host"},
		{"HOST", "http://x", "not a host"},
		{"DATABASE_URL", "mysql://u:hunter22@h/d", "unknown kind"},
		{"DATABASE_URL", "/data/assay.db", "no scheme"},
		{"DATABASE_URL", "sqlite:", "no file"},
		{"DATABASE_URL", "sqlite::memory:", "lose accepted deliveries"},
		{"DATABASE_URL", "sqlite:a.db?_sync=off", "options"},
		{"DATABASE_URL", "postgres://u:hunter22@/", "no host"},
		{"DATABASE_URL", "postgres://u:hunter22@h", "no database"},
		{"DATABASE_URL", "postgres://u:hunter22%zz@h/d", "not a URL"},
		{"ASSAY_ADMIN_TOKEN", "hunter22", "too short"},
		{"ASSAY_SARIF_SECRET", "hunter22 hunter22 hunter22 hunt", "too short"},
		{"ASSAY_ADMIN_TOKEN", "hunter22 hunter22 hunter22", "white space"},
		{"ASSAY_ROLES", "accept,serve", `unknown role "serve"`},
		{"ASSAY_ROLES", ",", `unknown role ""`},
		{"ASSAY_WORKERS", "0", "from 1 to 256"},
		{"ASSAY_WORKERS", "257", "out of range"},
		{"ASSAY_SHUTDOWN_TIMEOUT", "30", "not a duration"},
		{"ASSAY_SHUTDOWN_TIMEOUT", "11m", "out of range"},
		{"ASSAY_RECONCILE_INTERVAL", "0", "out of range"},
		{"ASSAY_RECONCILE_INTERVAL", "25h", "out of range"},
		{"ASSAY_RECONCILE_INTERVAL", "often", "not a duration"},
		{"ASSAY_OSV", "on", "none of these words"},
		{"LOG_LEVEL", "loud", "not a level"},
		{"LOG_LEVEL", "info+2", "not a level"},
		{"LOG_FORMAT", "xml", "not a form"},
		{"DATA_DIR", "a\x00b", "NUL"},
		{"GITHUB_WRITES_PER_MINUTE", "-1", "from 0 to 10000"},
		{"GITHUB_WRITES_PER_HOUR", "many", "not a whole number"},
		{"ASSAY_BREAKER_GITHUB_FAILURE_THRESHOLD", "0", "from 1 to 10000"},
		{"ASSAY_BREAKER_GITHUB_RESET_TIMEOUT", "25h", "from 1ms to 24h"},
		{"ASSAY_BREAKER_GITHUB_TOKEN_MAX_RESET_TIMEOUT", "29s", "from that of ASSAY_BREAKER_GITHUB_TOKEN_RESET_TIMEOUT"},
		{"ASSAY_CACHE_CONTENTS_TTL", "0", "from 1ms to 720h"},
		{"ASSAY_CACHE_TOKENS_SIZE", "0", "from 1 to 10000000"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "not a URL"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317", "neither"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:hunter22@collector", "user or password"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector?x=1", "query"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "hunter22", "not a list"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=hunter22%zz", "not a list"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=hunter22,,", "not a list"},
		{"OTEL_TRACES_EXPORTER", "zipkin", "does not have"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			c, err := Load(environ{tt.name: tt.value}.lookup)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(Config{}, c); d != "" {
				t.Errorf("config beside an error: %s", d)
			}
			mustName(t, err, tt.name, tt.want, "; want ")
			mustNotQuote(t, err, "hunter22", goodSecret)
		})
	}
}

func TestURLs(t *testing.T) {
	tests := []struct{ web, api, wantWeb, wantAPI string }{
		{"", "", "https://github.com", "https://api.github.com/"},
		{"https://github.com/", "", "https://github.com", "https://api.github.com/"},
		{"https://GitHub.com", "", "https://GitHub.com", "https://api.github.com/"},
		{"https://octo.ghe.com", "", "https://octo.ghe.com", "https://api.octo.ghe.com/"},
		{"https://ghe.example.com:8443", "", "https://ghe.example.com:8443", "https://ghe.example.com:8443/api/v3/"},
		{"", "https://api.github.com", "https://github.com", "https://api.github.com/"},
		{"", "https://api.octo.ghe.com/", "https://octo.ghe.com", "https://api.octo.ghe.com/"},
		{"", "https://ghe.example.com/api/v3", "https://ghe.example.com", "https://ghe.example.com/api/v3/"},
		{"", "http://127.0.0.1:4000", "http://127.0.0.1:4000", "http://127.0.0.1:4000/"},
		{"", "http://[::1]:4000/api/v3/", "http://[::1]:4000", "http://[::1]:4000/api/v3/"},
		{"https://a.example.com", "https://b.example.com/x", "https://a.example.com", "https://b.example.com/x/"},
	}
	for _, tt := range tests {
		c, err := Load(environ{"GITHUB_URL": tt.web, "GITHUB_API_URL": tt.api}.lookup)
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if c.GitHub.URL != tt.wantWeb || c.GitHub.APIURL != tt.wantAPI {
			t.Errorf("%+v: %+v", tt, c.GitHub)
		}
	}
	for public, local := range map[string]bool{
		"http://localhost:3000": true, "http://assay.localhost": true, "http://127.8.8.8": true, "http://[::ffff:127.0.0.1]": true,
		"https://assay.example.com": false, "https://127.0.0.1.example.com": false,
	} {
		c, err := Load(environ{"PUBLIC_URL": public}.lookup)
		if err != nil || c.Server.Local != local {
			t.Errorf("PUBLIC_URL=%s: local %v, error %v", public, c.Server.Local, err)
		}
	}
}

func TestDatabases(t *testing.T) {
	pg := "postgresql:///assay?host=/run/postgresql"
	for text, want := range map[string]Database{
		"sqlite:x/../assay.db":   {Kind: SQLite, Path: "assay.db"},
		"sqlite:/data/a.db":      {Kind: SQLite, Path: "/data/a.db"},
		"sqlite:///data/a.db":    {Kind: SQLite, Path: "/data/a.db"},
		pg:                       {Kind: Postgres, URL: secret.New(pg)},
		"postgres://h/?dbname=a": {Kind: Postgres, URL: secret.New("postgres://h/?dbname=a")},
	} {
		c, err := Load(environ{"DATABASE_URL": text}.lookup)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, c.Storage.Database); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestPrivateKeys(t *testing.T) {
	keys := testKeys()
	body := strings.Split(keys.pkcs1, "\n")[1]
	good := map[string]struct{ text, want string }{
		"as GitHub gives it": {keys.pkcs1, keys.pkcs1},
		"PKCS #8":            {keys.pkcs8, keys.pkcs8},
		"escaped line ends":  {strings.ReplaceAll(keys.pkcs1, "\n", `\n`), keys.pkcs1},
		"escaped, in quotes": {`"` + strings.ReplaceAll(keys.pkcs1, "\n", `\r\n`) + `"`, keys.pkcs1},
		"Windows line ends":  {strings.ReplaceAll(keys.pkcs1, "\n", "\r\n"), keys.pkcs1},
		"base64":             {base64.StdEncoding.EncodeToString([]byte(keys.pkcs1)), keys.pkcs1},
		"base64 in lines":    {wrap(base64.StdEncoding.EncodeToString([]byte(keys.pkcs1)), 76), keys.pkcs1},
	}
	for name, tt := range good {
		t.Run(name, func(t *testing.T) {
			c, err := Load(environ{"PRIVATE_KEY": tt.text}.lookup)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.App.PrivateKey.Reveal(); got != tt.want {
				t.Errorf("key became %q", got)
			}
		})
	}
	bad := map[string]struct{ text, want string }{
		"path":          {"/run/secrets/key.pem", "set GITHUB_APP_PRIVATE_KEY_PATH"},
		"nonsense":      {"hunter22", "not a PEM block"},
		"no line ends":  {strings.ReplaceAll(keys.pkcs1, "\n", ""), "not a whole PEM block"},
		"cut off":       {keys.pkcs1[:200], "not a whole PEM block"},
		"damaged":       {strings.Replace(keys.pkcs1, body, strings.Repeat("A", len(body)), 1), "damaged"},
		"short":         {keys.short, "too short"},
		"elliptic":      {keys.ec, "not an RSA key"},
		"public":        {strings.ReplaceAll(keys.pkcs1, "RSA PRIVATE", "PUBLIC"), "something else"},
		"with password": {strings.ReplaceAll(keys.pkcs8, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "encrypted"},
	}
	for name, tt := range bad {
		t.Run(name, func(t *testing.T) {
			_, err := Load(environ{"GITHUB_APP_PRIVATE_KEY": tt.text}.lookup)
			mustName(t, err, "GITHUB_APP_PRIVATE_KEY", tt.want)
			mustNotQuote(t, err, body, "hunter22")
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keyFile, secretFile, windows := write("key.pem", testKeys().pkcs1), write("secret", goodSecret+"\n"), write("token", goodSecret+"\r\n")

	for _, name := range []string{"GITHUB_APP_PRIVATE_KEY_PATH", "GITHUB_APP_PRIVATE_KEY_FILE", "PRIVATE_KEY_PATH", "PRIVATE_KEY_FILE"} {
		c, err := Load(environ{name: keyFile, "WEBHOOK_SECRET_FILE": secretFile, "ASSAY_ADMIN_TOKEN_FILE": windows}.lookup)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := App{PrivateKey: secret.New(testKeys().pkcs1), WebhookSecrets: []secret.Secret{secret.New(goodSecret)}}
		if d := cmp.Diff(want, c.App); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if got := c.Server.AdminToken.Reveal(); got != goodSecret {
			t.Errorf("token read as %q", got)
		}
	}

	tests := []struct {
		name string
		env  environ
		want []string
	}{
		{"no such file", environ{"DATABASE_URL_FILE": filepath.Join(dir, "hunter22")}, []string{"DATABASE_URL_FILE", "no such file"}},
		{"secret for its path", environ{"GITHUB_APP_PRIVATE_KEY_PATH": testKeys().pkcs1 + "hunter22"}, []string{"GITHUB_APP_PRIVATE_KEY_PATH", "path of a file"}},
		{"empty file", environ{"WEBHOOK_SECRET_FILE": write("empty", "\n")}, []string{"WEBHOOK_SECRET_FILE", "empty"}},
		{"huge file", environ{"WEBHOOK_SECRET_FILE": write("huge", strings.Repeat("x", maxFile+1))}, []string{"WEBHOOK_SECRET_FILE", "64 KiB"}},
		{"directory", environ{"WEBHOOK_SECRET_FILE": dir}, []string{"WEBHOOK_SECRET_FILE", "cannot read"}},
		{"bad content", environ{"WEBHOOK_SECRET_FILE": write("short", "hunter22\n")}, []string{"WEBHOOK_SECRET_FILE", "too short"}},
		{"value and file", environ{"ASSAY_ADMIN_TOKEN": goodSecret, "ASSAY_ADMIN_TOKEN_FILE": secretFile}, []string{"ASSAY_ADMIN_TOKEN and ASSAY_ADMIN_TOKEN_FILE are both set"}},
		{"alias and file", environ{"WEBHOOK_SECRET": goodSecret, "GITHUB_WEBHOOK_SECRET_FILE": secretFile}, []string{"WEBHOOK_SECRET and GITHUB_WEBHOOK_SECRET_FILE are both set"}},
		{"two files", environ{"PRIVATE_KEY_PATH": keyFile, "GITHUB_APP_PRIVATE_KEY_PATH": secretFile}, []string{"GITHUB_APP_PRIVATE_KEY_PATH and PRIVATE_KEY_PATH", "different"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.env.lookup)
			mustName(t, err, tt.want...)
			mustNotQuote(t, err, "hunter22", goodSecret, "-----BEGIN")
		})
	}
}

func TestAliases(t *testing.T) {
	c, err := Load(environ{"APP_ID": "7", "GITHUB_APP_ID": "7", "WEBHOOK_SECRET": goodSecret, "HOST": ""}.lookup)
	if err != nil || c.App.ID != 7 || len(c.App.WebhookSecrets) != 1 {
		t.Errorf("config %+v, error %v", c.App, err)
	}
	_, err = Load(environ{"APP_ID": "7", "GITHUB_APP_ID": "8"}.lookup)
	mustName(t, err, "GITHUB_APP_ID and APP_ID", "different")
	_, err = Load(environ{"WEBHOOK_SECRET": goodSecret, "GITHUB_WEBHOOK_SECRET": goodSecret + "x"}.lookup)
	mustName(t, err, "GITHUB_WEBHOOK_SECRET and WEBHOOK_SECRET", "different")
	mustNotQuote(t, err, goodSecret)
}

func TestOverride(t *testing.T) {
	env := environ{"PORT": "1", "APP_ID": "7", "ASSAY_ADMIN_TOKEN_FILE": "/nowhere", "LOG_FORMAT": "text"}
	flags := map[string]string{"PORT": "2", "GITHUB_APP_ID": "8", "ASSAY_ADMIN_TOKEN": goodSecret, "LOG_FORMAT": ""}
	c, err := Load(Override(flags, env.lookup))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Port != 2 || c.App.ID != 8 || c.Log.Format != Text || c.Server.AdminToken.Reveal() != goodSecret {
		t.Errorf("flags did not go first: %+v", c)
	}
}

func TestProblemsComeTogether(t *testing.T) {
	_, err := Load(environ{"PORT": "x", "LOG_LEVEL": "loud", "GITHUB_WEBHOOK_SECRET": "short"}.lookup)
	mustName(t, err, "PORT", "LOG_LEVEL", "GITHUB_WEBHOOK_SECRET")

	c, err := Load(environ{}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	mustName(t, c.RequireApp(), "GITHUB_APP_ID is not set", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "openssl rand")
}

// TestConfigHidesSecrets holds that a whole Config may be logged.
func TestConfigHidesSecrets(t *testing.T) {
	c, err := Load(environ{
		"GITHUB_APP_PRIVATE_KEY": testKeys().pkcs1, "WEBHOOK_SECRET": goodSecret, "ASSAY_ADMIN_TOKEN": goodSecret,
		"DATABASE_URL": "postgres://u:" + goodSecret + "@h/d",
	}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		shown := fmt.Sprintf(verb, c)
		if strings.Contains(shown, goodSecret) || strings.Contains(shown, strings.Split(testKeys().pkcs1, "\n")[1]) {
			t.Errorf("%s shows a secret: %s", verb, shown)
		}
	}
}

// TestSecrets holds that every secret that a Config can have is listed, with
// the password of the database's URL: a new field that is not fails.
func TestSecrets(t *testing.T) {
	c, err := Load(environ{
		"GITHUB_APP_PRIVATE_KEY": testKeys().pkcs1, "GITHUB_WEBHOOK_SECRET": goodSecret + "1," + goodSecret + "2", "ASSAY_ADMIN_TOKEN": goodSecret + "3",
		"DATABASE_URL": "postgres://u:p%40" + goodSecret + "@h/d?sslpassword=" + goodSecret + "4", "OTEL_EXPORTER_OTLP_HEADERS": "k=" + goodSecret + "5",
		"OPENAI_API_KEY": goodSecret + "6", "ANTHROPIC_API_KEY": goodSecret + "7", "GEMINI_API_KEY": goodSecret + "8", "OLLAMA_API_KEY": goodSecret + "9",
		"ASSAY_SARIF_SECRET": goodSecret + "10" + goodSecret,
	}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, s := range c.Secrets() {
		listed[s.Reveal()] = true
	}
	found := 0
	for _, s := range secretsIn(t, reflect.ValueOf(c), "Config") {
		if found++; !listed[s.Reveal()] {
			t.Error("a secret of the config is not listed")
		}
	}
	if found != 11 {
		t.Errorf("%d secrets found in the config, want 11", found)
	}
	for _, password := range []string{"p@" + goodSecret, goodSecret + "4"} {
		if !listed[password] {
			t.Error("a password of the database's URL is not listed")
		}
	}
}

// secretsIn finds all secrets in a value, and fails for those that are not set.
func secretsIn(t *testing.T, v reflect.Value, path string) (found []secret.Secret) {
	if s, ok := v.Interface().(secret.Secret); ok {
		if s.IsZero() {
			t.Errorf("%s is not set by this test: set it", path)
		}
		return []secret.Secret{s}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, secretsIn(t, v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, secretsIn(t, v.Index(i), path+"[]")...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = append(found, secretsIn(t, v.MapIndex(key), path+"[]")...)
		}
	}
	return found
}

func TestTraces(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for name, tt := range map[string]struct {
		env  environ
		want string
	}{
		"nothing set":         {environ{}, ""},
		"an endpoint":         {environ{endpoint: "https://c.example"}, "https://c.example/v1/traces"},
		"asked for":           {environ{"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318/v1/traces"},
		"asked for, endpoint": {environ{"OTEL_TRACES_EXPORTER": "otlp", endpoint: "http://c:1"}, "http://c:1/v1/traces"},
		"turned off":          {environ{"OTEL_TRACES_EXPORTER": "none", endpoint: "http://c:1"}, ""},
	} {
		c, err := Load(tt.env.lookup)
		if err != nil || c.Traces.URL != tt.want {
			t.Errorf("%s: traces go to %q, %v; want %q", name, c.Traces.URL, err, tt.want)
		}
	}
}

func TestVariables(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range variables {
		if v.Purpose == "" || v.Want == "" || v.Group == "" || v.set == nil {
			t.Errorf("%s is not described", v.Name)
		}
		if v.Secret && v.Default != "" {
			t.Errorf("%s: a secret has no default", v.Name)
		}
		for _, name := range append(v.names(), v.fileNames()...) {
			if seen[name] {
				t.Errorf("%s is the name of two variables", name)
			}
			seen[name] = true
		}
	}
}

func TestDocumentation(t *testing.T) {
	const path = "../../docs/environment.md"
	if *update {
		if err := os.WriteFile(path, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), Markdown()); d != "" {
		t.Errorf("%s is not what variables.go says; run go test ./internal/config -update\n%s", path, d)
	}
}

// FuzzLoad holds that no value of a secret makes a panic or shows in an error.
func FuzzLoad(f *testing.F) {
	f.Add("GITHUB_APP_PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
	f.Add("DATABASE_URL", "postgres://user:pa ss@host/db")
	f.Add("GITHUB_WEBHOOK_SECRET", ",,,")
	f.Fuzz(func(t *testing.T, name, value string) {
		_, err := Load(environ{name: "~" + value + "~"}.lookup)
		if err == nil {
			return
		}
		for _, v := range variables {
			if v.Secret && v.Name == name {
				mustNotQuote(t, err, "~"+value+"~")
			}
		}
	})
}

func mustName(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func mustNotQuote(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("error %q shows %q", err, s)
		}
	}
}

func wrap(s string, width int) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + "\n")
		s = s[width:]
	}
	return b.String() + s
}
