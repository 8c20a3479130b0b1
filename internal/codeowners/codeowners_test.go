package codeowners_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/internal/codeowners"
	"assay/review"
)

func TestOwnership(t *testing.T) {
	f := codeowners.Parse([]byte("\uFEFF# all\n*.go @ada\n/docs/ docs@example.technology # prose\n\n/docs/gen/\n/api @acme/api_team @bo-b\r\nbuild/ @ops\n"))
	if len(f.Problems) != 0 || f.Unread != 0 {
		t.Fatalf("problems %+v, unread %d", f.Problems, f.Unread)
	}
	tests := map[string]codeowners.Ownership{
		"main.go": codeowners.Owned, "a/b/c.go": codeowners.Owned, "docs/a.md": codeowners.Owned, "api/v1/x.yml": codeowners.Owned,
		"a/build/x": codeowners.Owned, "docs/gen/a.md": codeowners.Disowned, "README.md": codeowners.Unmatched, "apiary/x.yml": codeowners.Unmatched,
	}
	for path, want := range tests {
		if got := f.Ownership(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := f.Rules[3]; got.Line != 6 || got.Pattern != "/api" || cmp.Diff([]string{"@acme/api_team", "@bo-b"}, got.Owners) != "" {
		t.Errorf("rule %+v", got)
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct {
		line, message string
		unread        int
	}{
		{line: "*.go ada", message: `"ada" is not an owner: use @user, @organisation/team or an address`},
		{line: "*.go @ada/b/c", message: `"@ada/b/c" is not an owner: use @user, @organisation/team or an address`},
		{line: "!vendor/ @ada", message: "a pattern cannot be negated with !"},
		{line: "a***b @ada", message: "a pattern cannot hold three asterisks in a row"},
		// What only the library cannot read is nobody's mistake.
		{line: "/app/$id.tsx @ada", unread: 1},
		{line: "/straße/ @ada", unread: 1},
		{line: "/app/[slug]/ @ada", unread: 1},
		{line: `/a\ b/ @ada`, unread: 1},
		{line: "/ @ada", unread: 1},
		{line: "/" + strings.Repeat("a", 5000) + " @ada", unread: 1},
	}
	for _, tt := range tests {
		f := codeowners.Parse([]byte("# first\n" + tt.line + "\n"))
		message := ""
		if len(f.Problems) == 1 && f.Problems[0].Line == 2 && f.Problems[0].Text == tt.line {
			message = f.Problems[0].Message
		}
		if message != tt.message || f.Unread != tt.unread || len(f.Rules) != 0 {
			t.Errorf("%.40s: %+v", tt.line, f)
		}
		if tt.unread > 0 && f.Ownership("x") != codeowners.Unknown {
			t.Errorf("%.40s: the owner of x is claimed to be known", tt.line)
		}
	}
}

type contents map[string]string

func (c contents) Read(_ context.Context, _ review.Side, path string) ([]byte, error) {
	if path == "docs/CODEOWNERS" && c == nil {
		return nil, errors.New("no answer")
	}
	text, ok := c[path]
	if !ok {
		return nil, review.ErrNotExist
	}
	return []byte(text), nil
}

func TestLoad(t *testing.T) {
	f, ok, err := codeowners.Load(t.Context(), contents{"docs/CODEOWNERS": "*", "CODEOWNERS": "* @ada"}, review.Base)
	if err != nil || !ok || f.Path != "CODEOWNERS" || f.Ownership("x") != codeowners.Owned {
		t.Errorf("%+v, %v, %v", f, ok, err)
	}
	if _, ok, err := codeowners.Load(t.Context(), contents{}, review.Base); ok || err != nil {
		t.Errorf("none: %v, %v", ok, err)
	}
	if _, _, err := codeowners.Load(t.Context(), contents(nil), review.Base); err == nil {
		t.Error("a failed read was taken for no file")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"* @a\n", "a***b", "\\", "/ @a", "!x y", "\uFEFF \n", "**/a?b @x/y #c", "\x00\xff @a\n# x\n\r\n", "/[a]/ @b"} {
		f.Add([]byte(s), "a/b.go")
	}
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		parsed := codeowners.Parse(text)
		lines := strings.Count(string(text), "\n") + 1
		for _, p := range parsed.Problems {
			if p.Line < 1 || p.Line > lines || p.Message == "" || p.Text == "" {
				t.Errorf("problem %+v", p)
			}
		}
		for _, r := range parsed.Rules {
			if r.Line < 1 || r.Line > lines || r.Pattern == "" {
				t.Errorf("rule %+v", r)
			}
		}
		parsed.Ownership(path)
	})
}
