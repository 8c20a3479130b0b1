package webhook

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommands(t *testing.T) {
	help := []Command{{Verb: "help"}}
	tests := []struct {
		name, body string
		want       []Command
	}{
		{"alone", "/assay help", help},
		{"no verb", "/assay", []Command{{}}},
		{"with all", "/assay dismiss 3f2a9c01  it is a test key ", []Command{{Verb: "dismiss", Target: "3f2a9c01", Rest: "it is a test key"}}},
		{"capital letters of the verb", "/assay HELP", help},
		{"among talk", "Thanks!\r\n\r\n/assay help\r\n", help},
		{"two", "/assay help\n/assay review lint", []Command{{Verb: "help"}, {Verb: "review", Target: "lint"}}},
		{"tabs between", "/assay\thelp", help},
		{"up to three spaces before", "   /assay help", help},
		{"indented code", "    /assay help", nil},
		{"after a tab", "\t/assay help", nil},
		{"in the middle of a line", "try /assay help", nil},
		{"longer word", "/assayer help", nil},
		{"another case", "/Assay help", nil},
		{"quoted", "> /assay help", nil},
		{"inline code", "`/assay help`", nil},
		{"list item", "- /assay help", nil},
		{"in a fence", "```\n/assay help\n```", nil},
		{"after a fence", "```\nx\n```\n/assay help", help},
		{"in a fence with a language", "~~~sh\n/assay help\n~~~", nil},
		{"tilde fence holds backticks", "~~~\n```\n/assay help\n~~~", nil},
		{"shorter fence does not close", "````\n```\n/assay help\n````", nil},
		{"text after a fence does not close it", "```\n``` x\n/assay help", nil},
		{"fence never closed", "```\n/assay help", nil},
		{"fence in a list", "- ```\n  /assay help\n  ```", nil},
		{"fence in a quotation", "> ```\n/assay help", nil},
		{"backticks that are inline code", "```x``` y\n/assay help", help},
		{"in an HTML comment", "<!--\n/assay help\n-->", nil},
		{"after an HTML comment", "<!-- x -->\n/assay help", help},
		{"long target", "/assay review " + strings.Repeat("x", 101), nil},
		{"long rest", "/assay dismiss 3f2a " + strings.Repeat("x ", 501), nil},
		{"no comment at all", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, Commands(tt.body)); d != "" {
				t.Error(d)
			}
		})
	}
	if n := len(Commands(strings.Repeat("/assay review\n", 1000))); n != maxCommands {
		t.Errorf("of 1000 commands %d are read, want %d", n, maxCommands)
	}
}

// FuzzCommands holds that what is read is bounded and was written on a line
// of its own, and that quoting a comment leaves no command.
func FuzzCommands(f *testing.F) {
	f.Add("/assay dismiss 3f2a reason\n```\n/assay help\n```")
	f.Add("<!--\n/assay x\n-->\n/assay\ty\r\n> /assay")
	f.Fuzz(func(t *testing.T, body string) {
		found := Commands(body)
		if len(found) > maxCommands || len(found) > strings.Count(body, "/assay") {
			t.Fatalf("%d commands in %q", len(found), body)
		}
		for _, c := range found {
			if len(c.Verb) > maxWord || len(c.Target) > maxWord || len(c.Rest) > maxRest {
				t.Errorf("a command of %d, %d and %d bytes", len(c.Verb), len(c.Target), len(c.Rest))
			}
			if strings.ContainsAny(c.Verb+c.Target+c.Rest, "\n") || strings.ContainsAny(c.Verb+c.Target, " \t") {
				t.Errorf("%+v holds white space", c)
			}
			if !strings.Contains(body, c.Target) || !strings.Contains(body, c.Rest) {
				t.Errorf("%+v is not in %q", c, body)
			}
		}
		quoted := "> " + strings.ReplaceAll(body, "\n", "\n> ")
		if found := Commands(quoted); len(found) != 0 {
			t.Errorf("%+v in the quotation %q", found, quoted)
		}
	})
}
