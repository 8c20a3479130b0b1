package reviewer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"

	"assay/review"
)

// Bounds of what is shown around a hunk, in lines. What stands before explains
// more than what comes after.
const (
	maxBefore = 40
	maxAfter  = 12
	// plainBefore and plainAfter are shown where no enclosing block is found.
	plainBefore = 6
	plainAfter  = 3
)

// span is a range of lines, 1-based and inclusive.
type span struct{ from, to int }

// around is the span of lines to show around a hunk: from the beginning of the
// function or block that it stands in to that one's end, within bounds.
func around(p *page, h review.Hunk) span {
	inner := span{h.NewStart, h.NewStart + h.NewLines - 1}
	if p.head == nil || h.NewLines == 0 {
		return inner
	}
	last := len(p.head.raw)
	block, ok := goBlock(p, inner)
	if !ok {
		block, ok = indented(p.head.raw, inner)
	}
	if !ok {
		block = span{inner.from - plainBefore, inner.to + plainAfter}
	}
	return span{max(1, inner.from-maxBefore, min(block.from, inner.from)), min(last, inner.to+maxAfter, max(block.to, inner.to))}
}

// goBlock is the Go declaration that holds the beginning of the range.
func goBlock(p *page, inner span) (span, bool) {
	if path.Ext(p.file.Path) != ".go" {
		return span{}, false
	}
	for _, d := range goDeclarations(p.head.raw) {
		if d.from <= inner.to && d.to >= inner.from {
			return d.span, true
		}
	}
	return span{}, false
}

// declaration is a function, method or type of a Go file.
type declaration struct {
	span
	line int // where it begins, after its comment
}

// goDeclarations are those of a Go file, as far as it can be parsed.
func goDeclarations(lines []string) (all []declaration) {
	set := token.NewFileSet()
	file, _ := parser.ParseFile(set, "", strings.Join(lines, "\n"), parser.SkipObjectResolution|parser.ParseComments)
	if file == nil {
		return nil
	}
	for _, d := range file.Decls {
		from, end := set.Position(d.Pos()).Line, set.Position(d.End()).Line
		if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil {
			from = set.Position(f.Doc.Pos()).Line
		}
		if from < 1 || end < from || end > len(lines) {
			continue
		}
		all = append(all, declaration{span{from, end}, set.Position(d.Pos()).Line})
	}
	return all
}

// indented is the block that the range stands in, by indentation: back to the
// first line that is indented less than all of it, and on to where that one's
// indentation is met again.
func indented(lines []string, inner span) (span, bool) {
	least := -1
	for n := inner.from; n <= inner.to && n <= len(lines); n++ {
		if in, ok := indentation(lines[n-1]); ok && (least < 0 || in < least) {
			least = in
		}
	}
	if least < 0 {
		return span{}, false
	}
	for n := inner.from - 1; n >= 1 && inner.from-n <= maxBefore; n-- {
		in, ok := indentation(lines[n-1])
		if !ok || in >= least && least > 0 || least == 0 {
			if least == 0 && (!ok || inner.from-n > plainBefore) {
				return span{n + 1, inner.to + plainAfter}, true
			}
			continue
		}
		return span{n, closing(lines, inner.to, in)}, true
	}
	return span{}, false
}

// closing is the line after from at which the indentation is met again.
func closing(lines []string, from, indent int) int {
	for n := from + 1; n <= len(lines) && n-from <= maxAfter; n++ {
		if in, ok := indentation(lines[n-1]); ok && in <= indent {
			return n
		}
	}
	return from + plainAfter
}

// indentation is the width of a line's indentation; false for a blank line.
func indentation(line string) (int, bool) {
	rest := strings.TrimLeft(line, " \t")
	if rest == "" {
		return 0, false
	}
	width := 0
	for _, c := range line[:len(line)-len(rest)] {
		if width++; c == '\t' {
			width += 3
		}
	}
	return width, true
}
