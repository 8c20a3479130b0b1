package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show is a package in one line: what the tests compare.
func show(p Package) string {
	s := fmt.Sprintf("%d:%d %s %s", p.Line, p.VersionLine, p.Name, p.Version)
	for _, fact := range []struct {
		is   bool
		text string
	}{
		{p.Range != "" && p.Range != p.Version, "range=" + p.Range},
		{p.Source != "", "source=" + p.Source},
		{p.As != "", "as=" + p.As},
		{p.Licence != "", "licence=" + p.Licence},
		{p.Direct, "direct"},
		{p.Local, "local"},
		{p.Optional, "optional"},
		{p.Pinned, "pinned"},
		{p.InstallScript, "script"},
	} {
		if fact.is {
			s += " " + fact.text
		}
	}
	return s
}

var good = []struct {
	path, text string
	want       []string
}{
	{"go.mod", `module example.com/m

go 1.26

require github.com/a/b v1.2.3

require (
	example.com/fork v1.0.0 // indirect
	example.com/local v0.1.0
	golang.org/x/text v0.3.0
)

replace example.com/local => ../local
replace golang.org/x/text => example.com/text v0.4.0
exclude github.com/a/b v1.2.2
`, []string{
		"5:5 github.com/a/b v1.2.3 direct",
		"8:8 example.com/fork v1.0.0",
		"9:9 ../local  direct local",
		"10:10 example.com/text v0.4.0 direct",
	}},
	{"web/package.json", `{
  "dependencies": {
    "lodash": "^4.17.0",
    "react": "18.2.0",
    "old": "npm:new@1.0.0",
    "@s/p": "~1",
    "fork": "me/fork#main",
    "url": "git+https://host/x.git#` + strings.Repeat("a", 40) + `",
    "here": "file:../here"
  },
  "devDependencies": {"jest": "29.0.0"},
  "peerDependencies": {"vue": ">=3"}
}`, []string{
		"3:3 lodash  range=^4.17.0 direct",
		"4:4 react 18.2.0 direct",
		"5:5 new 1.0.0 as=old direct",
		"6:6 @s/p  range=~1 direct",
		"7:7 fork  range=me/fork#main source=me/fork#main direct",
		"8:8 url  range=git+https://host/x.git#" + strings.Repeat("a", 40) + " source=git+https://host/x.git#" + strings.Repeat("a", 40) + " direct",
		"9:9 here  range=file:../here direct local",
		"11:11 jest 29.0.0 direct",
		"12:12 vue  range=>=3 direct optional",
	}},
	{"package-lock.json", `{
  "lockfileVersion": 3,
  "packages": {
    "": {"dependencies": {"a": "^1.0.0", "w": "*"}},
    "node_modules/a": {
      "version": "1.2.3",
      "resolved": "https://registry.npmjs.org/a/-/a-1.2.3.tgz",
      "license": "MIT",
      "hasInstallScript": true
    },
    "node_modules/a/node_modules/@s/b": {
      "version": "2.0.0",
      "resolved": "http://insecure.example/b.tgz"
    },
    "node_modules/al": {"name": "real", "version": "3.0.0"},
    "node_modules/w": {"link": true, "resolved": "w"},
    "w": {"version": "0.0.1"}
  }
}`, []string{
		"5:6 a 1.2.3 licence=MIT direct script",
		"11:13 @s/b 2.0.0 source=http://insecure.example/b.tgz",
		"15:15 real 3.0.0",
	}},
	{"npm-shrinkwrap.json", `{"lockfileVersion": 1, "dependencies": {
  "a": {"version": "1.0.0", "dependencies": {
    "b": {"version": "2.0.0"}}},
  "g": {"version": "git+ssh://git@host/g.git#abc"}}}`, []string{
		"2:2 a 1.0.0",
		"3:3 b 2.0.0",
		"4:4 g  source=git+ssh://git@host/g.git#abc",
	}},
	{"yarn.lock", `# yarn lockfile v1


"@babel/core@^7.0.0", "@babel/core@^7.1.0":
  version "7.2.0"
  resolved "https://registry.yarnpkg.com/@babel/core/-/core-7.2.0.tgz#abc"
  dependencies:
    lodash "^4.0.0"

alias@npm:real@^1.0.0:
  version "1.1.0"
`, []string{
		"4:5 @babel/core 7.2.0 range=^7.0.0",
		"4:5 @babel/core 7.2.0 range=^7.1.0",
		"10:11 real 1.1.0 range=^1.0.0",
	}},
	{"yarn.lock", `__metadata:
  version: 8

"lodash@npm:^4.17.0, lodash@npm:^4.1.0":
  version: 4.17.21
  resolution: "lodash@npm:4.17.21"

"me@workspace:.":
  version: 0.0.0-use.local
  resolution: "me@workspace:."
`, []string{
		"4:5 lodash 4.17.21 range=^4.17.0",
		"4:5 lodash 4.17.21 range=^4.1.0",
		"8:9 me 0.0.0-use.local range=workspace:. local",
	}},
	{"pnpm-lock.yaml", `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      react:
        specifier: ^18.0.0
        version: 18.3.1

packages:

  '@s/a@1.0.0':
    resolution: {integrity: sha512-x}
    deprecated: |
      version: 9.9.9
    engines: {node: '>=8'}

  react@18.3.1:
    resolution: {integrity: sha512-y}

snapshots:

  react@18.3.1(peer@1.0.0): {}
`, []string{
		"13:13 @s/a 1.0.0",
		"19:19 react 18.3.1 direct",
	}},
	{"pnpm-lock.yaml", `lockfileVersion: 5.4
specifiers:
  vue: ^3.0.0
dependencies:
  vue: 3.2.0
packages:
  /vue/3.2.0:
    dev: false
  /@a/b/1.0.0_typescript@4.6.2:
    requiresBuild: true
`, []string{"7:7 vue 3.2.0 direct", "9:9 @a/b 1.0.0 script"}},
	{"requirements-dev.txt", `# comment
-r other.txt
Django==4.2.0
my_pkg[extra] >= 1.0 ; python_version < "3.9"
exact===1.0.0  # why
wild==1.*
hashed==1.0 \
    --hash=sha256:aaaa
-e git+https://host/x.git@main#egg=X_y&subdirectory=z
direct @ https://host/direct.whl
./local
`, []string{
		"3:3 django 4.2.0 range===4.2.0 direct",
		"4:4 my-pkg  range=>= 1.0 direct",
		"5:5 exact 1.0.0 range====1.0.0 direct",
		"6:6 wild  range===1.* direct",
		"7:7 hashed 1.0 range===1.0 direct",
		"9:9 x-y  source=git+https://host/x.git@main#egg=X_y&subdirectory=z direct",
		"10:10 direct  source=https://host/direct.whl direct",
	}},
	{"requirements.txt", "flask==2.0.0\n", []string{"1:1 flask 2.0.0 range===2.0.0 direct pinned"}},
	{"requirements.txt", "# This file is autogenerated by pip-compile\nflask==2.0.0\n", []string{"2:2 flask 2.0.0 range===2.0.0"}},
	{"pyproject.toml", `[project]
dependencies = [
  "requests>=2.0",
  "flask==2.0.0",
]
[project.optional-dependencies]
dev = ["pytest"]
[dependency-groups]
lint = ["ruff==0.1.0", {include-group = "dev"}]
[tool.poetry.dependencies]
python = "^3.9"
numpy = "^1.0"
mine = {git = "https://host/mine.git", branch = "main"}
`, []string{
		"3:3 requests  range=>=2.0 direct",
		"4:4 flask 2.0.0 range===2.0.0 direct",
		"7:7 pytest  direct",
		"9:9 ruff 0.1.0 range===0.1.0 direct",
		"12:12 numpy  range=^1.0 direct",
		"13:13 mine  source=git+https://host/mine.git@main direct",
	}},
	{"poetry.lock", "[[package]]\nname = \"Py_YAML\"\nversion = \"5.1\"\n\n[[package]]\nname = \"g\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\nurl = \"https://h/g\"\nresolved_reference = \"abc\"\n", []string{
		"2:3 py-yaml 5.1", "6:7 g 1 source=git+https://h/g@abc",
	}},
	{"uv.lock", "version = 1\n[[package]]\nname = \"idna\"\nversion = \"3.7\"\nsource = { registry = \"https://pypi.org/simple\" }\n[[package]]\nname = \"me\"\nversion = \"0\"\nsource = { editable = \".\" }\n", []string{
		"3:4 idna 3.7", "7:8 me 0 local",
	}},
	{"Pipfile.lock", "{\"default\": {\n \"django\": {\n  \"version\": \"==4.2\"}},\n \"develop\": {\"g\": {\"git\": \"https://h/g\", \"ref\": \"abc\"}}}", []string{
		"2:3 django 4.2", "4:4 g  source=git+https://h/g@abc",
	}},
	{"Cargo.toml", `[package]
name = "me"
[dependencies]
serde = "1.0"
rand = { version = "=0.8.5", features = ["std"] }
ren = { package = "real", version = "1" }
loc = { path = "../loc" }
[dependencies.git-dep]
git = "https://h/g"
rev = "abc"
[target.'cfg(unix)'.dev-dependencies]
libc = "0.2"
[workspace.dependencies]
shared = "2"
`, []string{
		"12:12 libc  range=0.2 direct",
		"4:4 serde  range=1.0 direct",
		"5:5 rand 0.8.5 range==0.8.5 direct",
		"6:6 real  range=1 as=ren direct",
		"7:7 loc  direct local",
		"8:8 git-dep  source=git+https://h/g@abc direct",
		"14:14 shared  range=2 direct optional",
	}},
	{"Cargo.lock", "version = 3\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[[package]]\nname = \"me\"\nversion = \"0.1.0\"\n", []string{
		"4:5 serde 1.0.1", "9:10 me 0.1.0 local",
	}},
	{"pom.xml", `<project>
  <properties><jackson.version>2.9.8</jackson.version></properties>
  <dependencies>
    <dependency>
      <groupId>org.apache</groupId>
      <artifactId>a</artifactId>
      <version>1.2</version>
    </dependency>
    <dependency><groupId>com.j</groupId><artifactId>b</artifactId><version>${jackson.version}</version></dependency>
    <dependency><groupId>com.j</groupId><artifactId>c</artifactId><version>${elsewhere}</version></dependency>
    <dependency><groupId>com.j</groupId><artifactId>d</artifactId><version>[1,2)</version></dependency>
    <dependency><groupId>com.j</groupId><artifactId>managed</artifactId></dependency>
  </dependencies>
</project>`, []string{
		"4:7 org.apache:a 1.2 direct pinned",
		"9:2 com.j:b 2.9.8 range=${jackson.version} direct pinned",
	}},
	{"gradle.lockfile", "# comment\norg.a:b:1.0=compileClasspath,runtimeClasspath\nempty=x\n", []string{"2:2 org.a:b 1.0"}},
	{"Gemfile.lock", `GIT
  remote: https://github.com/x/y.git
  revision: abc
  specs:
    y (0.1)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)
    rails (7.0.0)

DEPENDENCIES
  rails (= 7.0.0)
  y!
`, []string{
		"5:5 y 0.1 source=git+https://github.com/x/y.git@abc direct",
		"10:10 nokogiri 1.16.0",
		"12:12 rails 7.0.0 direct",
	}},
	{"packages.lock.json", "{\"version\": 1, \"dependencies\": {\"net8.0\": {\n\"Serilog\": {\"type\": \"Direct\",\n\"resolved\": \"3.0.0\"},\n\"mine\": {\"type\": \"Project\"}}}}", []string{
		"2:3 Serilog 3.0.0 direct", "4:4 mine  local",
	}},
	{"composer.json", "{\"require\": {\n\"php\": \">=8\", \"ext-json\": \"*\",\n\"Monolog/Monolog\": \"^3.0\"}}", []string{"3:3 monolog/monolog  range=^3.0 direct"}},
	{"composer.lock", "{\"packages\": [{\n\"name\": \"twig/twig\",\n\"version\": \"v3.0.0\",\n\"license\": [\"MIT\", \"GPL-3.0-only\"]}]}", []string{"2:3 twig/twig v3.0.0 licence=MIT OR GPL-3.0-only"}},
}

func TestParse(t *testing.T) {
	seen := make(map[string]bool)
	for _, tt := range good {
		t.Run(tt.path, func(t *testing.T) {
			for _, text := range []string{tt.text, "\xef\xbb\xbf" + tt.text, strings.ReplaceAll(tt.text, "\n", "\r\n")} {
				f, err := Parse(tt.path, []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				seen[f.Format] = true
				var got []string
				for _, p := range f.Packages {
					got = append(got, show(p))
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Fatal(d)
				}
			}
		})
	}
	for _, name := range Names() {
		if !seen[name] && name != "go.sum" {
			t.Errorf("no test reads %s", name)
		}
	}
}

func TestLockFacts(t *testing.T) {
	f, err := Parse("go.sum", []byte("a.b/c v1.0.0 h1:x=\na.b/c v1.0.0/go.mod h1:y=\nd.e/f v0.1.0/go.mod h1:z=\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]bool{"a.b/c v1.0.0": true, "d.e/f v0.1.0": true}, f.Sums); d != "" {
		t.Error(d)
	}
	for _, tt := range []struct {
		path string
		text string
		want map[string]string
	}{
		{"package-lock.json", good[2].text, map[string]string{"a": "^1.0.0", "w": "*"}},
		{"pnpm-lock.yaml", good[6].text, map[string]string{"react": "^18.0.0"}},
		{"pnpm-lock.yaml", good[7].text, map[string]string{"vue": "^3.0.0"}},
	} {
		f, err := Parse(tt.path, []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, f.Asked); d != "" {
			t.Errorf("%s: %s", tt.path, d)
		}
	}
	f, err = Parse("package.json", []byte(`{"workspaces": ["a"], "pnpm": {"overrides": {"x": "1"}}}`))
	if err != nil || !f.Workspaces || !f.Overrides {
		t.Errorf("workspaces %v, overrides %v, err %v", f.Workspaces, f.Overrides, err)
	}
}

// TestHostile: what is broken, huge or deep is refused with words, never with
// a panic or a list that looks whole.
func TestHostile(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	tests := []struct{ name, path, text, want string }{
		{"cut off", "package-lock.json", `{"packages": {"node_modules/a": {"version": "1`, "not valid JSON"},
		{"conflict markers", "package.json", "{\n<<<<<<< HEAD\n\"a\": 1\n}", "line 1: not valid JSON"},
		{"two documents", "package.json", `{} {}`, "more than one"},
		{"array", "composer.lock", `[]`, "not an object"},
		{"null", "Pipfile.lock", `null`, "not an object"},
		{"deep JSON", "package.json", deep, "nested too deeply"},
		{"deep objects", "package-lock.json", strings.Repeat(`{"dependencies":`, 10_000), "nested too deeply"},
		{"deep TOML", "Cargo.toml", "a = " + deep, "not valid TOML"},
		{"deep TOML key", "Cargo.toml", strings.Repeat("a.", 1000) + "a = 1", "nested too deeply"},
		{"deep TOML tables", "poetry.lock", "a = " + strings.Repeat("{a=", 200) + "1" + strings.Repeat("}", 200), "nested too deeply"},
		{"deep XML", "pom.xml", strings.Repeat("<a>", 1000), "nested too deeply"},
		{"entities", "pom.xml", `<!DOCTYPE x [<!ENTITY a "aaaa">]><project>&a;</project>`, "not valid XML"},
		{"binary", "go.mod", "\x00\xff\xfe", "not a valid go.mod"},
		{"go.sum", "go.sum", "one two\n", "not a valid go.sum"},
		{"yarn", "yarn.lock", "no colon here\n", "not a valid yarn.lock"},
		{"gradle", "gradle.lockfile", "a:b\n", "not a valid gradle.lockfile"},
		{"too large", "requirements.txt", strings.Repeat("#", MaxFile+1), "larger than"},
		{"too many nodes", "package.json", "[" + strings.Repeat("0,", maxNodes) + "0]", "too many values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(tt.path, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			if len(f.Packages) != 0 {
				t.Errorf("%d packages beside an error", len(f.Packages))
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	f, err := Parse("gradle.lockfile", []byte(strings.Repeat("a:b:1=x\n", MaxPackages+1)))
	if !errors.Is(err, ErrTooMany) || len(f.Packages) != MaxPackages {
		t.Errorf("%d packages, error %v", len(f.Packages), err)
	}
	if f, err = Parse("gradle.lockfile", []byte("a:"+strings.Repeat("b", maxName)+":1=x\n")); err != nil || len(f.Packages) != 0 {
		t.Errorf("a name of %d bytes is kept: %v, error %v", maxName+2, f.Packages, err)
	}
}

// TestManyTables: what grows with the square of a file's size is an attack.
func TestManyTables(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "[t%d]\nk=1\n", i)
	}
	if _, err := Parse("Cargo.toml", []byte(b.String())); err != nil {
		t.Fatal(err)
	}
}

func TestKnown(t *testing.T) {
	for p, want := range map[string]bool{
		"go.mod": true, "a/b/package-lock.json": true, "requirements/dev.txt": false, "dev-requirements.txt": true, "requirements_test.txt": true,
		"requirements.txt.bak": false, "x/node_modules/a/package.json": false, "vendor/x/go.mod": false, "GO.MOD": false, "main.go": false,
	} {
		if Known(p) != want {
			t.Errorf("Known(%q) is %v", p, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for i, name := range Names() {
		for _, tt := range good {
			if g, ok := formatOf(tt.path); ok && g.name == name {
				f.Add(uint8(i), []byte(tt.text))
			}
		}
	}
	f.Add(uint8(1), []byte("a v1 h1:x\n"))
	names := Names()
	f.Fuzz(func(t *testing.T, format uint8, text []byte) {
		parsed, err := Parse(names[int(format)%len(names)], text)
		if err != nil && !errors.Is(err, ErrTooMany) && len(parsed.Packages) > 0 {
			t.Fatal("packages beside an error")
		}
		lines := strings.Count(string(text), "\n") + 1
		for _, p := range parsed.Packages {
			if p.Name == "" || p.Line < 1 || p.Line > lines || p.VersionLine < 1 || p.VersionLine > lines {
				t.Fatalf("%+v in a file of %d lines", p, lines)
			}
		}
	})
}

// BenchmarkPackageLock reads a lock file of about 1 MB.
func BenchmarkPackageLock(b *testing.B) {
	text := LockOfSize(1 << 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("package-lock.json", text); err != nil {
			b.Fatal(err)
		}
	}
}

// LockOfSize makes a package-lock.json of about that many bytes.
func LockOfSize(bytes int) []byte {
	var s strings.Builder
	s.WriteString("{\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"name\": \"me\"}")
	for i := 0; s.Len() < bytes; i++ {
		fmt.Fprintf(&s, ",\n    \"node_modules/package-%d\": {\n      \"version\": \"1.%d.0\",\n      \"resolved\": \"https://registry.npmjs.org/package-%d/-/package-%d-1.%d.0.tgz\",\n      \"integrity\": \"sha512-%088d\",\n      \"license\": \"MIT\",\n      \"dependencies\": {\"a\": \"^1.0.0\", \"b\": \"^2.0.0\"}\n    }", i, i, i, i, i, i)
	}
	s.WriteString("\n  }\n}\n")
	return []byte(s.String())
}
