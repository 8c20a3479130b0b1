package hygiene

import (
	"path"
	"strings"

	"assay/review"
)

// commentMark is how a comment that goes to the end of the line begins in files
// of that name; empty where it is not known.
func commentMark(p string) string {
	base := strings.ToLower(path.Base(p))
	switch path.Ext(base) {
	case ".go", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".java", ".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cs", ".rs", ".swift",
		".kt", ".kts", ".scala", ".groovy", ".gradle", ".php", ".dart", ".proto", ".m", ".mm", ".scss", ".less", ".sol", ".zig", ".vue", ".svelte", ".jsonc", ".json5":
		return "//"
	case ".py", ".pyi", ".rb", ".rake", ".sh", ".bash", ".zsh", ".fish", ".yml", ".yaml", ".toml", ".tf", ".hcl", ".pl", ".pm", ".r", ".ex", ".exs", ".jl", ".ps1",
		".cmake", ".nix", ".mk", ".bzl", ".star", ".dockerfile", ".graphql", ".conf":
		return "#"
	case ".sql", ".lua", ".hs", ".elm", ".adb", ".ads":
		return "--"
	}
	switch {
	case base == "makefile", base == "rakefile", base == "gemfile", base == "justfile", base == "dockerfile", strings.HasPrefix(base, "dockerfile."):
		return "#"
	}
	return ""
}

// splitComment parts a line of code from the comment at its end. It knows the
// line alone: of a text over several lines it knows nothing, and where quotes
// leave doubt it takes all for code.
func splitComment(p, line string) (code, comment string) {
	mark := commentMark(p)
	if mark == "" {
		return line, ""
	}
	trimmed := strings.TrimLeft(line, " \t")
	indent := len(line) - len(trimmed)
	if strings.HasPrefix(trimmed, mark) || mark == "//" && (strings.HasPrefix(trimmed, "/*") || strings.HasPrefix(trimmed, "* ")) {
		return line[:indent], line[indent:]
	}
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'', c == '`':
			quote = c
		case strings.HasPrefix(line[i:], mark) && i > 0 && (line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i], line[i:]
		}
	}
	return line, ""
}

// quotedAt reports whether the offset stands within quotes, as far as the line
// tells.
func quotedAt(line string, at int) bool {
	var quote byte
	for i := 0; i < at && i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'' || c == '`'):
			quote = c
		}
	}
	return quote != 0
}

// lineSet is a set of lines, their white space at both ends aside.
type lineSet map[string]bool

func (s lineSet) has(text string) bool { return s[strings.TrimSpace(text)] }

// movedLines are the lines that the change takes out of the file: what is
// added with the same text was there before, here or indented otherwise.
func movedLines(f review.File) lineSet {
	gone := make(lineSet)
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			if l.Op == review.Delete {
				gone[strings.TrimSpace(l.Text)] = true
			}
		}
	}
	return gone
}
