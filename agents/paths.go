package agents

import (
	"path"
	"regexp"
	"strings"
)

// TestPath reports whether the path looks like a test, a fixture or an
// example: code that does not run in production and often holds made-up data.
func TestPath(p string) bool { return testPath.MatchString(p) }

var testPath = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`(?:^|/)_*(?:tests?|spec|specs|mocks?|testing|testutils?|testdata|test[-_]data|(?:[a-z0-9]+[-_])?fixtures?|snapshots|golden|cassettes|samples?|examples?|demos?|e2e|cypress)_*/`,
	`(?:^|/)(?:test_[^/]*|conftest)\.py$`,
	`[._-](?:test|tests|spec|e2e|cy|stories|fixture|fixtures|mock|example|sample)\.[a-z0-9.]+$`,
	`\.(?:example|sample|golden|snap)$`,
	`(?:^|/)src/(?:test|integrationTest|androidTest)/`,
	`(?:^|/)[^/]*\.tests?/`, // Acme.Tests/ in .NET
}, "|") + `|(?-i:[a-z0-9](?:Test|Tests|TestCase|IT|Spec|Specs)\.(?:java|kt|kts|scala|groovy|cs|vb|fs|swift|php|m|mm|dart|hs)$)`)

// GeneratedPath reports whether the path is known to hold files that people do
// not write: lock files, vendored trees, build output, generated code.
func GeneratedPath(p string) bool {
	return lockFiles[strings.ToLower(path.Base(p))] || generatedPath.MatchString(p)
}

var lockFiles = map[string]bool{
	"go.sum": true, "go.work.sum": true, "vendor.sum": true, "package-lock.json": true, "npm-shrinkwrap.json": true, "yarn.lock": true,
	"pnpm-lock.yaml": true, "bun.lock": true, "bun.lockb": true, "deno.lock": true, "cargo.lock": true, "gemfile.lock": true, "composer.lock": true,
	"poetry.lock": true, "pipfile.lock": true, "pdm.lock": true, "uv.lock": true, "mix.lock": true, "pubspec.lock": true,
	"podfile.lock": true, "package.resolved": true, "flake.lock": true, "packages.lock.json": true, "gradle.lockfile": true,
	".terraform.lock.hcl": true, "conda-lock.yml": true, "requirements.lock": true, "module.bazel.lock": true,
}

var generatedPath = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`(?:^|/)(?:vendor|third_party|node_modules|bower_components|dist|__generated__|generated|__snapshots__)/`,
	`\.pb(?:\.gw|\.validate)?\.(?:go|cc|h|swift|dart)$|_pb2(?:_grpc)?\.pyi?$|_pb\.(?:js|ts|d\.ts)$`,
	`[._](?:gen|generated|g|freezed|designer)\.[a-z0-9]+$|(?:^|/)zz_generated[^/]*$|_string\.go$|_templ\.go$`,
	`\.min\.(?:js|css|mjs)$|[.-]bundle\.js$|\.(?:js|css|mjs)\.map$`,
	`\.(?:snap|golden|svg|ipynb|sum|po|pot|xlf|csv|tsv|geojson)$`,
}, "|"))
