package ghfake

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
	"github.com/google/go-cmp/cmp"
)

// The patches are what "git diff" writes for the same texts.
func TestUnifiedHunks(t *testing.T) {
	tests := []struct {
		name, before, after, want string
		additions, deletions      int
	}{
		{"new file", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b", 2, 0},
		{"new file of one line", "", "a\n", "@@ -0,0 +1 @@\n+a", 1, 0},
		{"emptied", "a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b", 0, 2},
		{"one of one", "a\n", "b\n", "@@ -1 +1 @@\n-a\n+b", 1, 1},
		{"no newline before", "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a", 1, 1},
		{"no newline after", "a\nb\n", "a\nc", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file", 1, 1},
		{
			"two hunks with a section", "func one() {\n 1\n 2\n 3\n 4\n 5\n 6\n 7\n 8\n 9\n}\n", "func one() {\n 0\n 2\n 3\n 4\n 5\n 6\n 7\n 8\n 0\n}\n",
			"@@ -1,5 +1,5 @@\n func one() {\n- 1\n+ 0\n  2\n  3\n  4\n@@ -7,5 +7,5 @@ func one() {\n  6\n  7\n  8\n- 9\n+ 0\n }", 2, 2,
		},
		{"insertion only", "a\nb\n", "a\nx\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b", 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, additions, deletions := unifiedHunks(tt.before, tt.after)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
			if additions != tt.additions || deletions != tt.deletions {
				t.Errorf("+%d -%d, want +%d -%d", additions, deletions, tt.additions, tt.deletions)
			}
		})
	}
}

// TestPatchesApply makes random changes and has another library apply the diff.
func TestPatchesApply(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		before := randomText(rng, rng.IntN(60))
		after := mutate(rng, before)
		if before == after {
			continue
		}
		o := newObjects()
		from := o.commit(commit{tree: o.apply("", Files{"f": Text(before), "keep": Text("k")}), author: "a"})
		to := o.commit(commit{tree: o.apply(o.treeOf(from), Files{"f": Text(after)}), author: "a"})
		text := gitDiff(o.diff(from, to))
		files, _, err := gitdiff.Parse(strings.NewReader(text))
		if err != nil || len(files) != 1 {
			t.Fatalf("round %d: %d files, %v\n%s", i, len(files), err, text)
		}
		var out bytes.Buffer
		if err := gitdiff.Apply(&out, strings.NewReader(before), files[0]); err != nil {
			t.Fatalf("round %d: apply: %v\n%s", i, err, text)
		}
		if out.String() != after {
			t.Fatalf("round %d: applied to %q, want %q\n%s", i, out.String(), after, text)
		}
	}
}

func randomText(rng *rand.Rand, lines int) string {
	var b strings.Builder
	for range lines {
		fmt.Fprintf(&b, "%s%d\n", []string{"", "  ", "func f", "é "}[rng.IntN(4)], rng.IntN(8))
	}
	text := b.String()
	if rng.IntN(4) == 0 {
		text = strings.TrimSuffix(text, "\n")
	}
	return text
}

func mutate(rng *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for range 1 + rng.IntN(5) {
		i := rng.IntN(len(lines) + 1)
		switch rng.IntN(3) {
		case 0:
			lines = append(lines[:i:i], append([]string{"new\n"}, lines[i:]...)...)
		case 1:
			if i < len(lines) {
				lines = append(lines[:i:i], lines[i+1:]...)
			}
		default:
			if i < len(lines) {
				lines[i] = "changed\n"
			}
		}
	}
	return strings.Join(lines, "")
}

func TestFileStatuses(t *testing.T) {
	o := newObjects()
	from := o.commit(commit{author: "a", tree: o.apply("", Files{
		"moved.txt": Text("same content\n"), "gone.txt": Text("bye\n"), "mode.sh": Text("echo\n"), "image.png": Text("\x89PNG\x00\x01"), "empty-a": Text(""),
		"sub": {Data: strings.Repeat("a", 40), Mode: ModeSubmodule},
	})})
	to := o.commit(commit{author: "a", tree: o.apply(o.treeOf(from), Files{
		"moved.txt": Deleted(), "to/moved.txt": Text("same content\n"), "gone.txt": Deleted(), "mode.sh": {Data: "echo\n", Mode: ModeExecutable},
		"image.png": Text("\x89PNG\x00\x02"), "empty-a": Deleted(), "empty-b": Text(""), "huge.txt": Text(strings.Repeat("x\n", maxFileDiffLines+1)),
		"sub": {Data: strings.Repeat("b", 40), Mode: ModeSubmodule},
	})})
	type row struct {
		Path, OldPath, Status string
		Additions, Deletions  int
		HasPatch              bool
	}
	var got []row
	for _, d := range o.diff(from, to) {
		got = append(got, row{d.path, d.oldPath, d.status, d.additions, d.deletions, d.patch != ""})
	}
	want := []row{
		{"empty-a", "", "removed", 0, 0, false},
		{"empty-b", "", "added", 0, 0, false},
		{"gone.txt", "", "removed", 0, 1, true},
		{"huge.txt", "", "added", maxFileDiffLines + 1, 0, false},
		{"image.png", "", "modified", 0, 0, false},
		{"mode.sh", "", "modified", 0, 0, false},
		{"sub", "", "modified", 1, 1, true},
		{"to/moved.txt", "moved.txt", "renamed", 0, 0, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	parsed, _, err := gitdiff.Parse(strings.NewReader(gitDiff(o.diff(from, to))))
	if err != nil || len(parsed) != len(want) {
		t.Errorf("another library reads %d files of %d: %v", len(parsed), len(want), err)
	}
}
