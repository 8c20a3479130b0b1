package diff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

const torture = `diff --git a/old name.txt b/new name.txt
similarity index 80%
rename from old name.txt
rename to new name.txt
index 1111111..2222222 100644
--- a/old name.txt	
+++ b/new name.txt	
@@ -1,3 +1,4 @@ section
 same
--- gone
+++ come
+second
 last
\ No newline at end of file
diff --git a/bin.dat b/bin.dat
new file mode 100755
index 0000000..3333333
Binary files /dev/null and b/bin.dat differ
diff --git a/link b/link
deleted file mode 120000
index 4444444..0000000
--- a/link
+++ /dev/null
@@ -1 +0,0 @@
-target
\ No newline at end of file
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
`

func TestParse(t *testing.T) {
	got, err := Parse(strings.NewReader(torture))
	if err != nil {
		t.Fatal(err)
	}
	want := []review.File{
		{
			Path: "new name.txt", OldPath: "old name.txt", Status: review.Renamed, Mode: "100644", Additions: 2, Deletions: 1,
			Hunks: []review.Hunk{{OldStart: 1, OldLines: 3, NewStart: 1, NewLines: 4, Section: "section", Lines: []review.Line{
				{Op: review.Context, Old: 1, New: 1, Text: "same"},
				{Op: review.Delete, Old: 2, Text: "-- gone"},
				{Op: review.Add, New: 2, Text: "++ come"},
				{Op: review.Add, New: 3, Text: "second"},
				{Op: review.Context, Old: 3, New: 4, Text: "last"},
			}}},
		},
		{Path: "bin.dat", Status: review.Added, Mode: "100755", Binary: true},
		{
			Path: "link", Status: review.Removed, Mode: "120000", Deletions: 1,
			Hunks: []review.Hunk{{OldStart: 1, OldLines: 1, Lines: []review.Line{{Op: review.Delete, Old: 1, Text: "target"}}}},
		},
		{Path: "run.sh", Status: review.Modified, Mode: "100755"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParsePatch(t *testing.T) {
	tests := []struct{ name, patch, wantErr string }{
		{"one line without counts", "@@ -5 +5 @@\n-a\n+b", ""},
		{"empty", "", ""},
		{"no header", "+a", "does not begin"},
		{"cut off", "@@ -1,3 +1,3 @@\n a\n", "parse patch"},
		{"second file smuggled in", "@@ -1 +1 @@\n-a\n+b\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "2 files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePatch(tt.patch)
			switch {
			case tt.wantErr == "" && err != nil:
				t.Fatal(err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Fatalf("error %v, want one with %q", err, tt.wantErr)
			}
		})
	}
}

// FuzzParsePatch holds what placement relies on: line numbers are those of the
// hunk header, without gaps.
func FuzzParsePatch(f *testing.F) {
	f.Add("@@ -1,3 +1,4 @@ section\n same\n-- gone\n++ come\n+second\n last\n\\ No newline at end of file")
	f.Add("@@ -0,0 +1 @@\n+\r")
	f.Fuzz(func(t *testing.T, patch string) {
		hunks, err := ParsePatch(patch)
		if err != nil {
			return
		}
		for _, h := range hunks {
			next := h.NewStart
			for _, l := range h.Lines {
				if l.Op == review.Delete {
					continue
				}
				if l.New != next {
					t.Fatalf("line %d, want %d", l.New, next)
				}
				next++
			}
			if next != h.NewStart+h.NewLines {
				t.Fatalf("hunk ends before line %d, header says %d", next, h.NewStart+h.NewLines)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(torture)
	f.Fuzz(func(t *testing.T, d string) {
		files, err := Parse(strings.NewReader(d))
		if err != nil {
			return
		}
		for _, file := range files {
			for block := range file.AddedBlocks() {
				if len(block) == 0 {
					t.Fatal("empty block")
				}
			}
		}
	})
}
