package reports

// hostile is text that strangers may put into titles, paths, messages, code
// and reasons.
var hostile = []string{
	"@octocat please look", "cc @org/team", "a@b.example", "@dependabot merge",
	"#1", "see octo/shop#12", "GH-7 and gh-8", "fixes #3, closes octo/shop#4, resolves GH-5",
	"closes https://github.com/octo/shop/issues/9",
	"/lgtm", "/approve no-issue", "run /retest now", "(/hold)",
	"![x](https://evil.example/p.png)", "[click](https://evil.example)", "[x]: https://evil.example", "[^1]",
	"https://evil.example/path?q=1", "HTTP://EVIL.EXAMPLE", "www.evil.example", "ftp://evil.example", "<https://evil.example>", "mailto:a@evil.example",
	"<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</details></table><h1>owned</h1>", "<!-- assay:summary -->", "-->", "<!--",
	"<a href='javascript:alert(1)'>x</a>", "&lt;script&gt;", "&#64;octocat", "&commat;octocat",
	"```", "````text", "~~~", "`", "``", "a`b", "`@octocat`", "`` ` ``", "`a|b`", "`\\`", "```\n/lgtm\n```",
	"|", "a | b | c", "\\|", "\\\\|", "a\\", "| --- |", "---", "===", "# heading", "- item", "+ item", "1. item", "12) item", "> quote", "    indented", "\tx",
	"line\nbreak", "line\r\nbreak", "para\n\npara\n/merge", "\u2028/merge", "**bold** _it_ ~~s~~ $x$ $`y`$", "*", "_", "[ ] task", ":tada: :100:",
	"\u202Eevil\u202C", "zero\u200Bwidth\u200D\uFEFF", "tag\U000E0041\U000E0042", "soft\u00ADhyphen", "blank\u3164letter", "\u2066x\u2069",
	"\x00\x01\x1b[31mred\x1b[0m\x07", "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "\u009b31m", "\x9b", "bad \xff\xfe utf8 \xed\xa0\x80", "\xf0\x9f",
	"astral 𝕏 😀 👩‍👩‍👧", "中文全角字符", "ÀÉÎ", "", " ", "\n", "../../etc/passwd", "a//b", "path with space/(paren)/]x[.go", "C:\\x", "javascript:alert(1)",
	"::set-output name=x::y", "::error file=a::b", "{{ .Secret }}", "${{ github.token }}", "%0A%0D", "\"quoted\" 'single'", "assay:summary",
}
