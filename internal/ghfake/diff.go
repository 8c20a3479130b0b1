package ghfake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// fileDiff is what happened to one file between two trees.
type fileDiff struct {
	path, oldPath string // oldPath is set for renames alone
	status        string
	before, after leaf
	// patch is the hunks, without a file header; empty when the file is binary,
	// too large, or unchanged but for its name or mode.
	patch                string
	binary, large        bool
	additions, deletions int
	lines                int // of the patch
}

// sha is the file's blob, the old one where it is removed.
func (d *fileDiff) sha() string {
	if d.status == "removed" {
		return d.before.sha
	}
	return d.after.sha
}

// diff compares two commits' trees, files in path order. It is computed once.
func (o *objects) diff(from, to string) []fileDiff {
	key := [2]string{o.treeOf(from), o.treeOf(to)}
	if d, known := o.diffs[key]; known {
		return d
	}
	d := o.compareTrees(o.files(key[0]), o.files(key[1]))
	o.diffs[key] = d
	return d
}

func (o *objects) compareTrees(before, after map[string]leaf) []fileDiff {
	var out []fileDiff
	removed := map[string][]string{} // blob → paths, for renames
	for path, old := range before {
		if _, stays := after[path]; !stays {
			removed[old.sha] = append(removed[old.sha], path)
		}
	}
	for _, paths := range removed {
		slices.Sort(paths)
	}
	for _, path := range sortedKeys(after) {
		now := after[path]
		old, existed := before[path]
		switch {
		case existed && old == now:
		case existed:
			out = append(out, fileDiff{path: path, status: "modified", before: old, after: now})
		case len(removed[now.sha]) > 0 && o.blobs[now.sha] != "":
			from := removed[now.sha][0]
			removed[now.sha] = removed[now.sha][1:]
			out = append(out, fileDiff{path: path, oldPath: from, status: "renamed", before: before[from], after: now})
		default:
			out = append(out, fileDiff{path: path, status: "added", after: now})
		}
	}
	for sha, paths := range removed {
		for _, path := range paths {
			out = append(out, fileDiff{path: path, status: "removed", before: leaf{before[path].mode, sha}})
		}
	}
	slices.SortFunc(out, func(a, b fileDiff) int { return strings.Compare(a.path, b.path) })
	for i := range out {
		o.fill(&out[i])
	}
	return out
}

// fill computes the patch of a file and what it adds up to.
func (o *objects) fill(d *fileDiff) {
	before, after := o.text(d.before), o.text(d.after)
	if isBinary(before) || isBinary(after) {
		d.binary = true
		return
	}
	if before == after {
		return
	}
	patch, additions, deletions := unifiedHunks(before, after)
	d.additions, d.deletions, d.lines = additions, deletions, strings.Count(patch, "\n")+1
	if d.lines > maxFileDiffLines || len(patch) > maxFileDiffBytes {
		d.large = true
		return
	}
	d.patch = patch
}

// text is the content of a file as a diff sees it.
func (o *objects) text(l leaf) string {
	if l.mode == ModeSubmodule {
		return "Subproject commit " + l.sha + "\n"
	}
	return o.blobs[l.sha]
}

// isBinary is git's own rule: a NUL in the first 8,000 bytes.
func isBinary(data string) bool { return strings.Contains(data[:min(len(data), 8000)], "\x00") }

// unifiedHunks writes the hunks of a unified diff in git's form, without a
// newline at the end, as the API has them.
func unifiedHunks(before, after string) (patch string, additions, deletions int) {
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil {
		panic(fmt.Sprintf("ghfake: diff: %v", err)) // the edits come from the same text
	}
	oldLines := strings.SplitAfter(before, "\n")
	var b strings.Builder
	for _, h := range u.Hunks {
		add, del := 0, 0
		for _, l := range h.Lines {
			switch l.Kind {
			case udiff.Insert:
				add++
			case udiff.Delete:
				del++
			}
		}
		same := len(h.Lines) - add - del
		fmt.Fprintf(&b, "@@ -%s +%s @@%s\n", span(h.FromLine, same+del), span(h.ToLine, same+add), section(oldLines, h.FromLine))
		for _, l := range h.Lines {
			b.WriteByte(map[udiff.OpKind]byte{udiff.Insert: '+', udiff.Delete: '-', udiff.Equal: ' '}[l.Kind])
			b.WriteString(l.Content)
			if !strings.HasSuffix(l.Content, "\n") {
				b.WriteString("\n\\ No newline at end of file\n")
			}
		}
		additions, deletions = additions+add, deletions+del
	}
	return strings.TrimSuffix(b.String(), "\n"), additions, deletions
}

// span writes one side of a hunk's header: an empty side stands on the line
// before it.
func span(start, lines int) string {
	switch lines {
	case 0:
		return fmt.Sprintf("%d,0", start-1)
	case 1:
		return fmt.Sprint(start)
	default:
		return fmt.Sprintf("%d,%d", start, lines)
	}
}

// section is what git writes behind a hunk's header: the nearest line above it
// that looks like the beginning of something.
func section(lines []string, start int) string {
	const longest = 80
	for i := min(start-2, len(lines)-1); i >= 0; i-- {
		line := strings.TrimRight(lines[i], " \t\r\n")
		if line == "" {
			continue
		}
		if c := line[0]; c == '_' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			if len(line) > longest {
				line = strings.ToValidUTF8(line[:longest], "")
			}
			return " " + line
		}
	}
	return ""
}

// gitDiff writes a whole diff as "git diff" does.
func gitDiff(files []fileDiff) string {
	var b strings.Builder
	for i := range files {
		files[i].write(&b)
	}
	return b.String()
}

func (d *fileDiff) write(b *strings.Builder) {
	from, to := d.path, d.path
	if d.oldPath != "" {
		from = d.oldPath
	}
	fmt.Fprintf(b, "diff --git a/%s b/%s\n", from, to)
	oldName, newName := "a/"+from, "b/"+to
	switch {
	case d.status == "added":
		fmt.Fprintf(b, "new file mode %s\n", d.after.mode)
		oldName = "/dev/null"
	case d.status == "removed":
		fmt.Fprintf(b, "deleted file mode %s\n", d.before.mode)
		newName = "/dev/null"
	case d.before.mode != d.after.mode:
		fmt.Fprintf(b, "old mode %s\nnew mode %s\n", d.before.mode, d.after.mode)
	}
	if d.status == "renamed" {
		fmt.Fprintf(b, "similarity index 100%%\nrename from %s\nrename to %s\n", from, to)
	}
	if d.before.sha != d.after.sha {
		fmt.Fprintf(b, "index %s..%s", short(d.before.sha), short(d.after.sha))
		if d.before.mode == d.after.mode {
			fmt.Fprintf(b, " %s", d.after.mode)
		}
		b.WriteByte('\n')
	}
	switch {
	case d.binary:
		fmt.Fprintf(b, "Binary files %s and %s differ\n", oldName, newName)
	case d.patch != "":
		fmt.Fprintf(b, "--- %s\n+++ %s\n%s\n", oldName, newName, d.patch)
	}
}

func short(sha string) string {
	if sha == "" {
		return "0000000"
	}
	return sha[:7]
}

// tooLarge reports why GitHub refuses to write the diff; empty when it does not.
func tooLarge(files []fileDiff) string {
	lines, bytes := 0, 0
	for _, f := range files {
		lines, bytes = lines+f.lines, bytes+len(f.patch)
	}
	switch {
	case len(files) > maxDiffFiles:
		return fmt.Sprintf("Sorry, the diff exceeded the maximum number of files (%d). Consider using 'List pull requests files' API or locally cloning the repository instead.", maxDiffFiles)
	case lines > maxDiffLines:
		return fmt.Sprintf("Sorry, the diff exceeded the maximum number of lines (%d)", maxDiffLines)
	case bytes > maxDiffBytes:
		return "Sorry, this diff is too large to display"
	default:
		return ""
	}
}
