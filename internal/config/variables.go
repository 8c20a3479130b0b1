package config

import (
	"slices"
	"strings"
	"time"
)

// Variable describes one variable of the environment. Everything that is said
// about it, in errors and in docs/environment.md, is said from here.
type Variable struct {
	Group string
	Name  string
	// Aliases are other names for it, of tools people come from.
	Aliases []string
	// Secret values are never shown, and may come from the file that NAME_FILE
	// names.
	Secret bool
	// PathNames are further names for NAME_FILE.
	PathNames []string
	// Default is the value when it is not set; empty when there is none.
	Default string
	// Derived says in words what the default is where it follows from others.
	Derived string
	// Want says which values it takes, as the end of "want …".
	Want string
	// Purpose says what it is for.
	Purpose string

	// set checks text and puts it into the config. Its error says what is wrong
	// with text; of a secret variable it must not quote it.
	set func(c *Config, text string) error
}

// Bounds of the numbers below.
const (
	maxPort = 65535
	// maxWorkers keeps a typo from opening thousands of connections; a run
	// waits for GitHub and models most of its time.
	maxWorkers = 256
	// maxWrites is what an installation's writer remembers at most.
	maxWrites = 10_000
	// minToken is the least length of a secret that strangers can try: 16
	// characters of hexadecimal digits are 64 bits, out of reach over HTTP.
	minToken = 16
)

// variables is the table, in the order of the documentation.
var variables = slices.Concat([]Variable{
	{
		Group: "GitHub App", Name: "GITHUB_APP_ID", Aliases: []string{"APP_ID"},
		Want:    "the app's ID, a whole number from 1",
		Purpose: "The GitHub App that Assay acts as. On the app's settings page.",
		set:     setAppID,
	},
	{
		Group: "GitHub App", Name: "GITHUB_APP_PRIVATE_KEY", Aliases: []string{"PRIVATE_KEY"}, Secret: true,
		PathNames: []string{"GITHUB_APP_PRIVATE_KEY_PATH", "PRIVATE_KEY_PATH"},
		Want:      "an RSA key of at least 2048 bits: PEM, PEM with `\\n` for line ends, or either in base64",
		Purpose:   "The app's private key.",
		set:       setPrivateKey,
	},
	{
		Group: "GitHub App", Name: "GITHUB_WEBHOOK_SECRET", Aliases: []string{"WEBHOOK_SECRET"}, Secret: true,
		Want:    "at least 16 characters each; several with commas between them",
		Purpose: "The secret that deliveries are signed with. During a rotation set the new and the old one; both are accepted.",
		set:     setWebhookSecrets,
	},
	{
		Group: "GitHub App", Name: "GITHUB_URL",
		Derived: "`https://github.com`, or that of `GITHUB_API_URL`",
		Want:    "an https URL (http on this machine only)",
		Purpose: "Where GitHub is; set it for GitHub Enterprise.",
		set:     func(c *Config, text string) (err error) { c.GitHub.URL, err = baseURL(text); return err },
	},
	{
		Group: "GitHub App", Name: "GITHUB_API_URL",
		Derived: "of `GITHUB_URL`: `https://api.github.com/`, `https://HOST/api/v3/` for GitHub Enterprise Server",
		Want:    "an https URL (http on this machine only)",
		Purpose: "Where GitHub's REST API is.",
		set:     setAPIURL,
	},
	{
		Group: "GitHub App", Name: "GITHUB_WRITE_INTERVAL", Default: "1s",
		Want:    "a duration from 1ms to 1m, as `1s`",
		Purpose: "How far apart comments are posted, per installation. github.com asks for a second; an Enterprise Server has no such limit unless it is set there.",
		set: func(c *Config, text string) (err error) {
			c.GitHub.WriteInterval, err = duration(text, time.Millisecond, time.Minute)
			return err
		},
	},
	{
		Group: "GitHub App", Name: "GITHUB_WRITES_PER_MINUTE", Default: "80",
		Want:    "a whole number from 0 to 10000; 0 for no bound",
		Purpose: "How many comments are posted in a minute, per installation. github.com allows 80.",
		set: func(c *Config, text string) (err error) {
			c.GitHub.WritesPerMinute, err = number(text, 0, maxWrites)
			return err
		},
	},
	{
		Group: "GitHub App", Name: "GITHUB_WRITES_PER_HOUR", Default: "500",
		Want:    "a whole number from 0 to 10000; 0 for no bound",
		Purpose: "How many comments are posted in an hour, per installation. github.com allows 500.",
		set: func(c *Config, text string) (err error) {
			c.GitHub.WritesPerHour, err = number(text, 0, maxWrites)
			return err
		},
	},
	{
		Group: "Service", Name: "PUBLIC_URL",
		Derived: "`http://localhost:PORT`",
		Want:    "an https URL (http on this machine only)",
		Purpose: "Where people and GitHub reach this service; the links on check runs lead there.",
		set:     func(c *Config, text string) (err error) { c.Server.PublicURL, err = baseURL(text); return err },
	},
	{
		Group: "Service", Name: "PORT", Default: "8080",
		Want:    "a whole number from 0 to 65535; 0 takes any free port",
		Purpose: "The port to listen on.",
		set:     func(c *Config, text string) (err error) { c.Server.Port, err = number(text, 0, maxPort); return err },
	},
	{
		Group: "Service", Name: "HOST", Derived: "all interfaces",
		Want:    "an IP address or a host name, without a port",
		Purpose: "The address to listen on.",
		set:     setHost,
	},
	{
		Group: "Service", Name: "ASSAY_ADMIN_TOKEN", Secret: true, Derived: "none: those routes answer this machine only, and nobody when `PUBLIC_URL` leads to others",
		Want:    "at least 16 characters without white space",
		Purpose: "Opens the operator's routes, as `Authorization: Bearer TOKEN`.",
		set:     setAdminToken,
	},
	{
		Group: "Service", Name: "ASSAY_SARIF_SECRET", Secret: true, Derived: "none: uploads are not taken",
		Want:    "at least 32 characters",
		Purpose: "Makes the keys with which the CI of repositories signs uploads of results; `assay sarif key OWNER/REPO` prints one. A new secret makes all keys void.",
		set:     setSARIFSecret,
	},
	{
		Group: "Service", Name: fileVariable, Derived: "none",
		Want:    "the path of a file in the config language, of at most 256 KiB",
		Purpose: "The operator's config file: pipelines for all repositories, and under `operator` what no repository may say (locks, endpoints and models, budgets, breakers, caches). It is read at the start alone; a mistake in it keeps the service from starting. Variables go before it.",
		set:     func(*Config, string) error { return nil }, // read before all others
	},
	{
		Group: "Storage", Name: "DATA_DIR", Default: "./data",
		Want:    "a directory",
		Purpose: "Where files are kept. It is made when it does not exist.",
		set:     setDataDir,
	},
	{
		Group: "Storage", Name: "DATABASE_URL", Secret: true, Derived: "`sqlite:DATA_DIR/assay.db`",
		Want:    "`sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`",
		Purpose: "The database. With PostgreSQL, several processes share the work.",
		set:     func(c *Config, text string) (err error) { c.Storage.Database, err = parseDatabase(text); return err },
	},
	{
		Group: "Work", Name: "ASSAY_ROLES", Default: "accept,work",
		Want:    "`accept`, `work`, or both with a comma between them",
		Purpose: "What this process does: take deliveries, or work on them.",
		set:     setRoles,
	},
	{
		Group: "Work", Name: "ASSAY_WORKERS", Default: "8",
		Want:    "a whole number from 1 to 256",
		Purpose: "How many pull requests are reviewed at a time.",
		set: func(c *Config, text string) (err error) {
			c.Work.Workers, err = number(text, 1, maxWorkers)
			return err
		},
	},
	{
		Group: "Work", Name: "ASSAY_SHUTDOWN_TIMEOUT", Default: "25s",
		Want:    "a duration from 1s to 10m, as `25s`",
		Purpose: "How long a stop waits for work under way. Keep it under what the platform gives (Kubernetes: 30 s).",
		set: func(c *Config, text string) (err error) {
			c.Work.ShutdownTimeout, err = duration(text, time.Second, 10*time.Minute)
			return err
		},
	},
	{
		Group: "Work", Name: "ASSAY_RECONCILE_INTERVAL", Default: "5m",
		Want:    "a duration from 1s to 24h, as `5m`, or `off`",
		Purpose: "How often lost webhooks are asked for again, and open pull requests without a check looked for. Each costs a request for every repository; stay in minutes on github.com.",
		set:     setReconcileInterval,
	},
	{
		Group: "Work", Name: "ASSAY_SCHEDULE_INTERVAL", Default: "15s",
		Want:    "a duration from 10ms to 1h, as `15s`, or `off`",
		Purpose: "How often it is looked which schedules are due. Nothing is asked of GitHub for that.",
		set: func(c *Config, text string) (err error) {
			if text != "off" {
				c.Work.ScheduleInterval, err = duration(text, 10*time.Millisecond, time.Hour)
			}
			return err
		},
	},
	{
		Group: "Work", Name: "ASSAY_CRASH_AT", Derived: "never",
		Want:    "the name of a point, as `judged`, or with a count, as `judged:3`",
		Purpose: "Kills the process at that point, as a power cut would. For tests of what a crash leaves behind.",
		set: func(c *Config, text string) error {
			c.Work.CrashAt = text
			return nil
		},
	},
	{
		Group: "Agents", Name: "ASSAY_OSV", Default: "off",
		Want:    "`off`, `api`, or the path of a directory with a copy of the OSV database (it holds a `/`)",
		Purpose: "Where the agent `dependencies` looks up known vulnerabilities. `api` asks https://api.osv.dev, and so tells it the names and versions of the packages that pull requests bring in, of private repositories too; a copy is asked in silence.",
		set:     setOSV,
	},
}, modelVariables(), outsideVariables(), []Variable{
	{
		Group: "Logs", Name: "LOG_LEVEL", Default: "info",
		Want:    "`debug`, `info`, `warn` or `error`",
		Purpose: "The least level that is logged.",
		set:     setLogLevel,
	},
	{
		Group: "Logs", Name: "LOG_FORMAT", Default: "json",
		Want:    "`json` or `text`",
		Purpose: "The form of log lines.",
		set:     setLogFormat,
	},
	{
		Group: "Traces", Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Derived: "none: no traces",
		Want:    "an http or https URL; `/v1/traces` is added to it",
		Purpose: "The OpenTelemetry collector that traces are sent to, over OTLP/HTTP.",
		set:     setTracesEndpoint,
	},
	{
		Group: "Traces", Name: "OTEL_EXPORTER_OTLP_HEADERS", Secret: true,
		Want:    "`NAME=VALUE`, values percent-encoded; several with commas between them",
		Purpose: "Headers that the collector wants, as its credentials.",
		set:     setTracesHeaders,
	},
	{
		Group: "Traces", Name: "OTEL_TRACES_EXPORTER", Derived: "`otlp` where there is an endpoint",
		Want:    "`otlp` or `none`",
		Purpose: "`otlp` without an endpoint sends traces to `http://localhost:4318`; `none` sends none.",
		set:     setTracesExporter,
	},
	{
		Group: "Traces", Name: "OTEL_SERVICE_NAME", Default: "assay",
		Want:    "a name",
		Purpose: "The name that traces are filed under.",
		set:     func(c *Config, text string) error { c.Traces.Service = text; return nil },
	},
})

// names are the names under which the value itself may be set.
func (v Variable) names() []string { return append([]string{v.Name}, v.Aliases...) }

// fileNames are the names under which the path of a file with the value may be
// set.
func (v Variable) fileNames() []string {
	if !v.Secret {
		return nil
	}
	var files []string
	for _, name := range v.names() {
		files = append(files, name+"_FILE")
	}
	return append(files, v.PathNames...)
}

// want is Want for an error message, where markdown's quotes only disturb.
func (v Variable) want() string { return strings.ReplaceAll(v.Want, "`", "") }
