package reports

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"assay/review"
)

func TestText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain words, (no) change: 1/2 and a-b.", "plain words, (no) change: 1/2 and a-b."},
		{"@octocat", "@&#8203;octocat"},
		{"octo/shop#12", "octo/shop#&#8203;12"},
		{"GH-7", "GH-&#8203;7"},
		{"https://x.example", "https:&#8203;//x.example"},
		{"www.x.example", "www&#8203;.x.example"},
		{"/lgtm and/or", "/&#8203;lgtm and/or"},
		{"so :tada:", "so :&#8203;tada:"},
		{"::error x", `\::error x`},
		{"<b>&", "&lt;b&gt;&amp;"},
		{`a|b\c`, "a&#124;b&#92;c"},
		{"1. x", `1\. x`},
		{"- x", `\- x`},
		{"*a* _b_ [c] `d` ~e~", "\\*a\\* \\_b\\_ \\[c\\] \\`d\\` \\~e\\~"},
	}
	for _, tt := range tests {
		if got := text(tt.in); got != tt.want {
			t.Errorf("text(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"as it is\n\té 😀", "as it is\n\té 😀"},
		{"a\u202Eb", "a[U+202E]b"},
		{"a\u200Bb", "a[U+200B]b"},
		{"a\x1b[0m", "a[U+001B][0m"},
		{"\U000E0041", "[U+E0041]"},
		{"\u3164", "[U+3164]"},
		{"a\r\nb\rc", "a\nb[U+000D]c"},
		{"\xff", "\uFFFD"},
	}
	for _, tt := range tests {
		if got := Visible(tt.in); got != tt.want {
			t.Errorf("Visible(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCodeAndProse(t *testing.T) {
	tests := []struct{ got, want string }{
		{code("a.go:1"), "`a.go:1`"},
		{code("a`b"), "<code>a\\`b</code>"},
		{code("a|b"), "<code>a&#124;b</code>"},
		{code("@x\n#1"), "`@x #1`"},
		{code(""), "<code></code>"},
		{prose("use `x` here"), "use `x` here"},
		{prose("odd ` tick"), "odd \\` tick"},
		{prose("a\n\n/b"), "a /&#8203;b"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for limit := range 12 {
		got := clip("aé😀bcd", limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("clip to %d gives %q of %d bytes", limit, got, len(got))
		}
	}
	if got := clip("abcdef", 5); got != "ab…" {
		t.Errorf("clip = %q", got)
	}
}

// Every hostile text in every field: what GitHub would make of the Markdown
// must hold nothing that the text asked for.
func TestHostileTextIsInert(t *testing.T) {
	for _, bad := range hostile {
		run := hostileRun(bad)
		o := sampleOptions()
		c := Check(run, o)
		comment, _ := Comment(run, o)
		for name, markdown := range map[string]string{"summary": c.Output.Summary, "text": c.Output.Text, "comment": comment, "markdown": Markdown(run, o)} {
			for _, complaint := range inert(markdown) {
				t.Errorf("%s with %q: %s", name, bad, complaint)
			}
		}
		if strings.Count(comment, CommentMarker) != 1 {
			t.Errorf("comment with %q holds %d markers", bad, strings.Count(comment, CommentMarker))
		}
	}
}

// hostileRun has bad in every field that a stranger has a say in.
func hostileRun(bad string) review.Run {
	run := samples()["done-findings"]
	run.Pull.Title, run.Pull.HeadRef, run.Pull.Author.Login = bad, bad, bad
	run.Outcome.Reason, run.Truncated = bad, bad
	run.Findings = nil
	for _, s := range review.Severities() {
		run.Findings = append(run.Findings, review.Finding{
			Agent: bad, Rule: "x/" + bad, Severity: s, Category: review.Security, Path: "dir/" + bad, StartLine: 3, EndLine: 3,
			Message: bad, Evidence: bad, HelpURL: bad, Fix: &review.Fix{Replacement: bad},
		}, review.Finding{Rule: bad, Severity: s, Path: bad, Message: bad + " tail", Evidence: "x\n" + bad})
	}
	review.Fingerprint(run.Findings)
	run.Agents = append([]review.AgentRun(nil), run.Agents...)
	run.Agents[1] = review.AgentRun{Name: bad, Status: review.AgentUnavailable, Reason: bad}
	run.Coverage = []review.Coverage{{Agent: bad, Path: bad, Level: review.Skipped, Reason: bad}}
	run.Problems = []review.Problem{{Path: bad, Line: 1, Message: bad}}
	return run
}

var (
	allowed = map[string]bool{
		"html": true, "head": true, "body": true, "p": true, "ul": true, "li": true, "strong": true, "code": true, "pre": true, "a": true,
		"h1": true, "h4": true, "table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "details": true, "summary": true,
	}
	ours = regexp.MustCompile(`^https://(github\.com/octo/shop/(blob/[0-9a-f]{40}/|commit/|pull/482$)|assay\.example/runs/)`)
	// reference is what GitHub's own filters look for in rendered text.
	reference = regexp.MustCompile(`(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|https?://|\bwww\.|:[a-z0-9_+-]+:[^0-9]`)
	// command is what other bots look for in the source of a comment.
	command = regexp.MustCompile(`(?m)^[ \t]*(/[a-z]|@[a-z]|::[a-z]|##\[)`)
)

// inert renders Markdown as GitHub does and lists what is alive in it.
func inert(markdown string) (complaints []string) {
	if !utf8.ValidString(markdown) {
		complaints = append(complaints, "is not UTF-8")
	}
	if s := command.FindString(markdown); s != "" {
		complaints = append(complaints, "has a line that begins with a command: "+s)
	}
	if i := strings.IndexFunc(markdown, hidden); i >= 0 {
		complaints = append(complaints, "has a hidden character")
	}
	var b bytes.Buffer
	gm := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(gmhtml.WithUnsafe()))
	if err := gm.Convert([]byte(markdown), &b); err != nil {
		return append(complaints, err.Error())
	}
	root, err := html.Parse(&b)
	if err != nil {
		return append(complaints, err.Error())
	}
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			complaints = append(complaints, element(n)...)
		case html.CommentNode:
			if n.Data != " assay:summary " {
				complaints = append(complaints, "has a comment: "+n.Data)
			}
		case html.TextNode:
			if s := reference.FindString(n.Data); s != "" && !within(n, "code", "pre", "a") {
				complaints = append(complaints, "has a live reference: "+s+" in "+n.Data)
			}
		}
	}
	return complaints
}

func element(n *html.Node) (complaints []string) {
	if !allowed[n.Data] {
		complaints = append(complaints, "has an element <"+n.Data+">")
	}
	cells := 0
	for c := range n.ChildNodes() {
		if c.Data == "td" || c.Data == "th" {
			cells++
		}
	}
	if n.Data == "tr" && cells != 6 {
		complaints = append(complaints, "has a broken table row")
	}
	for _, a := range n.Attr {
		switch {
		case n.Data == "a" && a.Key == "href" && ours.MatchString(a.Val):
		case n.Data == "a" && a.Key == "href" && n.FirstChild != nil && n.FirstChild.Data == host(a.Val): // help, under its own name
		case n.Data == "code" && a.Key == "class" && a.Val == "language-text":
		case (n.Data == "td" || n.Data == "th") && (a.Key == "align" || a.Key == "style"):
		default:
			complaints = append(complaints, "has an attribute "+a.Key+"="+a.Val+" of <"+n.Data+">")
		}
	}
	return complaints
}

func host(address string) string {
	h, _ := HelpHost(address)
	return h
}

func within(n *html.Node, names ...string) bool {
	for a := range n.Ancestors() {
		for _, name := range names {
			if a.Data == name {
				return true
			}
		}
	}
	return false
}

func TestHelpHost(t *testing.T) {
	for address, want := range map[string]string{
		"https://docs.github.com/x#y": "docs.github.com", "http://docs.github.com": "", "javascript:alert(1)": "", "https://a@evil.example": "",
		"https://x.example/a)b": "", "https://x.example/a b": "", "": "", "https://": "", "//x.example": "",
	} {
		if got, ok := HelpHost(address); got != want || ok != (want != "") {
			t.Errorf("HelpHost(%q) = %q, %v", address, got, ok)
		}
	}
}

func TestLinks(t *testing.T) {
	run := samples()["done-clean"]
	l := NewLinks("https://ghe.example/github/", run)
	const repo = "https://ghe.example/github/octo/shop"
	blob := repo + "/blob/" + run.Pull.HeadSHA + "/"
	tests := []struct{ got, want string }{
		{l.Repo(), repo},
		{l.Pull(), repo + "/pull/482"},
		{l.Commit(), repo + "/commit/" + run.Pull.HeadSHA},
		{l.Lines("a b/c#.go", 3, 5), blob + "a%20b/c%23.go#L3-L5"},
		{l.Lines("a.go", 3, 3), blob + "a.go#L3"},
		{l.Lines("README.md", 3, 0), blob + "README.md?plain=1#L3"},
		{l.Lines("a(1)@v2.go", 0, 0), blob + "a%281%29%40v2.go"},
		{l.Lines("../../../evil", 1, 1), ""},
		{l.Lines("", 1, 1), ""},
		{NewLinks("javascript:alert(1)", run).Lines("a.go", 1, 1), ""},
		{NewLinks("", run).Pull(), ""},
		{NewLinks("https://github.com", review.Run{}).Repo(), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
