package reviewer

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// maxOutline bounds the entries of an outline.
const maxOutline = 200

// outline tells what a file declares.
func (t *tools) outline(ctx context.Context, args arguments) (string, error) {
	head, err := t.file(ctx, args.Path)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	n := 0
	entry := func(s span, header string) {
		if n++; n <= maxOutline {
			fmt.Fprintf(&b, "%d-%d: %s\n", s.from, s.to, strings.TrimSuffix(strings.TrimSpace(header), "{"))
		}
	}
	if path.Ext(args.Path) == ".go" {
		for _, d := range goDeclarations(head.raw) {
			entry(d.span, head.shown[d.line-1])
		}
	} else {
		for i, line := range head.shown {
			if declares.MatchString(line) {
				to := i + 1
				if in, ok := indentation(head.raw[i]); ok {
					to = blockEnd(head.raw, i+1, in)
				}
				entry(span{i + 1, to}, line)
			}
		}
	}
	if n == 0 {
		return "nothing was recognised: read the file\n", nil
	}
	if n > maxOutline {
		fmt.Fprintf(&b, "and %d more\n", n-maxOutline)
	}
	return b.String(), nil
}

// declares are lines that declare something, in the languages that are common.
var declares = regexp.MustCompile(`^\s*(?:` + strings.Join([]string{
	`(?:export\s+|default\s+|async\s+|public\s+|private\s+|protected\s+|internal\s+|static\s+|final\s+|abstract\s+|virtual\s+|override\s+|pub(?:\([^)]*\))?\s+|unsafe\s+|const\s+|open\s+|suspend\s+|data\s+|sealed\s+)*(?:class|interface|struct|enum|trait|impl|record|object|module|namespace|protocol|extension|union)\b[\s<]\s*\S`,
	`(?:export\s+|default\s+|async\s+|pub(?:\([^)]*\))?\s+|unsafe\s+|private\s+|public\s+|internal\s+|protected\s+|override\s+|suspend\s+|static\s+|const\s+)*(?:function\*?|func|fun|fn|def|sub)\s+[\w.$<]`,
	`(?:export\s+)?(?:const|let|var)\s+\w+\s*(?::[^=]+)?=\s*(?:async\s*)?(?:\([^)]*\)|\w+)\s*=>`,
	`(?:(?:public|private|protected|internal|static|final|async|override|virtual|synchronized|inline)\s+)+[\w<>\[\],.?\s*&]+\s+\w+\s*\([^;]*$`,
	`(?i:create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|trigger|index)\b)`,
	`(?:resource|data|module|variable|output|provider)\s+"`,
	`(?:message|service|rpc)\s+\w+`,
	`#{1,4}\s+\S`,
}, "|") + `)`)

// blockEnd is the last line of the block that a line opens, by indentation.
func blockEnd(lines []string, at, indent int) int {
	last := at
	for n := at + 1; n <= len(lines); n++ {
		in, ok := indentation(lines[n-1])
		if !ok {
			continue
		}
		if in <= indent {
			if strings.ContainsAny(strings.TrimSpace(lines[n-1])[:1], "})]") {
				last = n
			}
			break
		}
		last = n
	}
	return last
}
