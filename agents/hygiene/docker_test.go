package hygiene_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/hygiene"
	"assay/review"
)

func TestDockerfile(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"good", "# syntax=docker/dockerfile:1\nARG GO=1.26\nFROM golang:${GO} AS build\nRUN --mount=type=secret,id=x \\\n  # why\n\n  go build\nFROM build AS more\nFROM gcr.io/distroless/static:nonroot\nCOPY --from=build /a /a\nWORKDIR /x\nWORKDIR y\nCMD [\"/a\"]", nil},
		{"from a stage", "FROM a:1 AS Build\nFROM build\nUSER 1000:1000\nENTRYPOINT [\"a\"]\nCMD [\"b\"]", nil},
		{"scratch", "FROM scratch\nCOPY a /", nil},
		{"digest", "FROM a@sha256:abc\nUSER app", nil},
		{"no backslash", "FROM a:1\nUSER x\nRUN a \\\n  && b\n  && c", []string{"dockerfile-instruction medium 5-5"}},
		{"before the first", "RUN x\nFROM a:1\nUSER x", []string{"dockerfile-instruction medium 1-1"}},
		{"here-document", "FROM a:1\nUSER x\nRUN <<EOF\nfoo bar\nEOF\nCOPY <<-'X' /y\n  any thing\n  X\nRUN z", nil},
		{"other escape", "# syntax=docker/dockerfile:1\n# Escape=`\nFROM a:1\nUSER x\nRUN a `\n  b\nCOPY a C:\\", nil},
		{"secret", "FROM a:1\nUSER x\nENV A=1 DB_PASSWORD=\"s3c r3t\"", []string{"dockerfile-secret high 3-3"}},
		{"secret, old way", "FROM a:1\nUSER x\nENV API_KEY abcd efgh", []string{"dockerfile-secret high 3-3"}},
		{"secret argument", "ARG GITHUB_TOKEN=abc123x\nFROM a:1\nUSER x", []string{"dockerfile-secret high 1-1"}},
		{"no secrets", "FROM a:1\nUSER x\nARG TOKEN\nENV TOKEN=$TOKEN PASSWORD_FILE=/run/x SECRET= API_KEY=changeme TOKEN_TTL=60 PASSWORD=/run/secrets/p KEYBOARD=us", nil},
		{"two commands", "FROM a:1\nUSER x\nCMD a\nCMD b", []string{"dockerfile-double-command low 3-3"}},
		{"a command a stage", "FROM a:1 AS b\nCMD a\nFROM c:1\nUSER x\nCMD b", nil},
		{"no version", "FROM localhost:5000/a\nUSER x", []string{"dockerfile-base-tag low 1-1"}},
		{"latest", "FROM --platform=linux/amd64 a:latest AS b\nUSER x", []string{"dockerfile-base-tag low 1-1"}},
		{"fetched", "FROM a:1\nUSER x\nADD https://a.b/c.tgz /", []string{"dockerfile-add-url medium 3-3"}},
		{"fetched and checked", "FROM a:1\nUSER x\nADD --checksum=sha256:ab https://a.b/c.tgz /\nADD https://a.b/c.git /\nADD a.tgz /", nil},
		{"apt asks", "FROM a:1\nRUN apt-get install git && rm -rf /var/lib/apt/lists/*\nUSER x", []string{"dockerfile-apt-prompt low 2-2"}},
		{"apt answers", "FROM a:1\nRUN apt-get -qq update && \\\n apt-get install --no-install-recommends -yq git && rm -rf /var/lib/apt/lists/*\nUSER x", nil},
		{"apt leaves", "FROM a:1\nRUN apt-get update && apt-get install -y git\nUSER x", []string{"dockerfile-apt-lists info 2-2"}},
		{"root", "FROM a:1\nUSER x\nRUN y\nUSER root", []string{"dockerfile-root low 4-4"}},
		{"nobody named", "FROM a:1\nRUN y", []string{"dockerfile-root low 1-1"}},
		{"relative", "FROM a:1\nUSER x\nWORKDIR app", []string{"dockerfile-relative-workdir low 3-3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, nil, added("build/Dockerfile", strings.Split(tt.text, "\n")...))
			var got []string
			for _, b := range brief(out) {
				got = append(got, strings.Replace(b, "build/Dockerfile:", "", 1))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			still := tt.text + "\n"
			if got := brief(look(t, edited("Dockerfile", tt.text, still), tt.text, still)); len(got) != 0 {
				t.Errorf("it stood before: %v", got)
			}
		})
	}
	for _, secret := range []string{"s3c r3t", "s3c", "r3t"} {
		out := run(t, nil, added("Dockerfile", "FROM a:1", "ENV DB_PASSWORD=\"s3c r3t\""))
		for _, f := range out.Findings {
			if strings.Contains(f.Message+f.Evidence, secret) {
				t.Errorf("the secret is in the finding: %+v", f)
			}
		}
	}
	if got := brief(run(t, nil, added("docs/Dockerfile.md", "RUN x"))); len(got) != 0 {
		t.Errorf("a text about Dockerfiles: %v", got)
	}
}

// TestDockerfileFromAfar holds that a problem that the change brings about on
// a line it does not touch is kept for the file.
func TestDockerfileFromAfar(t *testing.T) {
	base, head := "FROM a:1\nCMD a\nUSER x", "FROM a:1\nCMD a\nUSER x\nCMD b"
	got := brief(look(t, edited("Dockerfile", base, head), base, head))
	if d := cmp.Diff([]string{"dockerfile-double-command low Dockerfile-0"}, got); d != "" {
		t.Error(d)
	}
	if got := brief(look(t, edited("Dockerfile", base, head), "outage", head)); len(got) != 0 {
		t.Errorf("with a base that is not known: %v", got)
	}
}

// tree is review.Tree of a list of paths; a mode may stand before a path.
type tree []string

func (l tree) List(context.Context, review.Side) ([]review.Entry, error) {
	var all []review.Entry
	for _, p := range l {
		if p == "too large" {
			return nil, review.ErrTooLarge
		}
		if p == "outage" {
			return nil, errors.New("502")
		}
		e := review.Entry{Path: p, Mode: "100644"}
		if mode, rest, ok := strings.Cut(p, " "); ok {
			e.Mode, e.Path = mode, rest
		}
		all = append(all, e)
	}
	return all, nil
}

func TestSymlinks(t *testing.T) {
	files := tree{"README.md", "docs/a/b.md", "120000 linked", "160000 sub"}
	tests := []struct {
		name, path, target string
		tree               review.Tree
		want               string
	}{
		{"to a file", "docs/README.md", "../README.md", files, ""},
		{"to a directory", "d", "docs/a", files, ""},
		{"to a directory with a slash", "d", "docs/", files, ""},
		{"to the root", "docs/root", "..", files, ""},
		{"to nothing", "docs/x", "nothing", files, "broken-symlink medium docs/x:1-1"},
		{"to itself as a directory", "docs/x", "../docs/a/c", files, "broken-symlink medium docs/x:1-1"},
		{"through a link", "x", "linked/y", files, ""},
		{"into a submodule", "x", "sub/y/z", files, ""},
		{"out", "docs/x", "../../y", files, "outside-symlink medium docs/x:1-1"},
		{"absolute", "x", "/etc/passwd", files, "outside-symlink medium x:1-1"},
		{"of Windows", "x", `C:\y`, files, "outside-symlink medium x:1-1"},
		{"no tree", "x", "nothing", nil, ""},
		{"tree too large", "x", "nothing", tree{"too large"}, "partial"},
		{"outage", "x", "nothing", tree{"outage"}, "partial"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := added(tt.path, tt.target)
			f.Mode = "120000"
			out, err := hygiene.New().Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{f}, Tree: tt.tree}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(brief(out), "; ")
			if out.Coverage[0].Level == review.Partial {
				got = "partial"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
