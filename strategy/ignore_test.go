package strategy

import (
	"strings"
	"testing"
)

func TestIgnored(t *testing.T) {
	p := Plan{Ignore: []string{"vendor/**", "**/*.pb.go", "docs/*.md", "{a,b}/gen.go", "[ab]c/x", "exact.txt"}}
	tests := map[string]bool{
		"vendor/x.go":         true,
		"vendor/a/b/c.go":     true,
		"src/vendor/x.go":     false,
		"vendored/x.go":       false,
		"x.pb.go":             true,
		"api/v1/x.pb.go":      true,
		"x.pb.go/y":           false,
		"docs/a.md":           true,
		"docs/a/b.md":         false,
		"b/gen.go":            true,
		"c/gen.go":            false,
		"ac/x":                true,
		"exact.txt":           true,
		"sub/exact.txt":       false,
		"Vendor/x.go":         false,
		"":                    false,
		"ü/\xff/broken.pb.go": true,
	}
	for path, want := range tests {
		if got := p.Ignored(path); got != want {
			t.Errorf("Ignored(%q) = %t, want %t", path, got, want)
		}
	}
	if (Plan{}).Ignored("x") {
		t.Error("a plan without patterns ignores a file")
	}
}

func TestCheckGlob(t *testing.T) {
	tests := []struct{ pattern, want string }{
		{"vendor/**", ""},
		{"**/*.pb.go", ""},
		{"a/{b,c}/*", ""},
		{`a\*b`, ""},
		{".github/**", ""},
		{"**", ""},
		{"", "empty"},
		{"!keep/**", "negated"},
		{"/vendor/**", `write "vendor/**"`},
		{"vendor/", `write "vendor/**"`},
		{"./vendor/**", `write "vendor/**"`},
		{"a//b", `write "a/b"`},
		{"a/../b", `write "b"`},
		{"a/[b", "no partner"},
		{"a/{b", "no partner"},
		{`a\`, "no partner"},
		{strings.Repeat("a", maxGlob+1), "longer than 256"},
		{"{a,b}{a,b}", "more than 1 group"},
		{"{" + strings.Repeat("a,", 20) + "a}", "16 alternatives"},
		{strings.Repeat("*a", 17), "8 stars"},
	}
	for _, tt := range tests {
		err := checkGlob(tt.pattern)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%q: %v", tt.pattern, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%q: %v, want an error with %q", tt.pattern, err, tt.want)
		}
	}
}

// BenchmarkIgnoredWorst is the most expensive pattern that checkGlob lets
// through, on the longest path that git hosts; a config may hold 100 of them
// and a change 3,000 paths.
func BenchmarkIgnoredWorst(b *testing.B) {
	path := strings.Repeat(strings.Repeat("a", 30)+"/", 8) + "x"
	for name, pattern := range map[string]string{
		"stars":  strings.Repeat("**/*a*", 2) + "b",
		"braces": "**/*a*{" + strings.Repeat("a,", 15) + "a}*b",
		"plain":  "**/*.pb.go",
	} {
		b.Run(name, func(b *testing.B) {
			if err := checkGlob(pattern); err != nil {
				b.Fatal(err)
			}
			p := Plan{Ignore: []string{pattern}}
			for b.Loop() {
				p.Ignored(path)
			}
		})
	}
}
