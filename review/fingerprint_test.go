package review

import "testing"

func ids(findings ...Finding) []string {
	Fingerprint(findings)
	var all []string
	for _, f := range findings {
		all = append(all, f.ID)
	}
	return all
}

// TestFingerprint holds what comments and re-runs rely on: an ID is the rule,
// the path and the code, and never the line.
func TestFingerprint(t *testing.T) {
	base := Finding{Rule: "a/b", Severity: High, Path: "x.go", StartLine: 3, EndLine: 3, Message: "m", Evidence: "f( 1 )"}
	id := ids(base)[0]
	if len(id) != 16 {
		t.Errorf("ID %q, want 16 digits", id)
	}
	with := func(change func(*Finding)) Finding { f := base; change(&f); return f }
	for name, f := range map[string]Finding{
		"lines moved":       with(func(f *Finding) { f.StartLine, f.EndLine = 90, 91 }),
		"code reindented":   with(func(f *Finding) { f.Evidence = "\t f(\n1 )  " }),
		"message reworded":  with(func(f *Finding) { f.Message = "other" }),
		"severity weighted": with(func(f *Finding) { f.Severity = Low }),
	} {
		if got := ids(f)[0]; got != id {
			t.Errorf("%s: the ID changes from %s to %s", name, id, got)
		}
	}
	for name, f := range map[string]Finding{
		"another rule": with(func(f *Finding) { f.Rule = "a/c" }),
		"another path": with(func(f *Finding) { f.Path = "y.go" }),
		"other code":   with(func(f *Finding) { f.Evidence = "f(2)" }),
	} {
		if got := ids(f)[0]; got == id {
			t.Errorf("%s: the ID stays %s", name, id)
		}
	}
}

// TestFingerprintTwins holds that the same code twice in a file gives two IDs,
// by their order there, however the findings come in.
func TestFingerprintTwins(t *testing.T) {
	at := func(line int) Finding {
		return Finding{Rule: "a/b", Severity: High, Path: "x.go", StartLine: line, Evidence: "x"}
	}
	one, two := ids(at(1), at(9)), ids(at(9), at(1))
	if one[0] == one[1] || one[0] != two[0] || one[1] != two[1] {
		t.Errorf("IDs %v and %v, want two that do not depend on the order", one, two)
	}
	if shifted := ids(at(5), at(13)); shifted[0] != one[0] || shifted[1] != one[1] {
		t.Errorf("IDs %v after the lines moved, were %v", shifted, one)
	}
}

func TestFingerprintOrder(t *testing.T) {
	list := []Finding{{Rule: "a/l", Severity: Low, Path: "a"}, {Rule: "a/c", Severity: Critical, Path: "z"}, {Rule: "a/h", Severity: High, Path: "b"}}
	Fingerprint(list)
	if list[0].Severity != Critical || list[1].Severity != High || list[2].Severity != Low {
		t.Errorf("order %v, want the most severe first", list)
	}
}

func TestFileLines(t *testing.T) {
	f := File{Hunks: []Hunk{
		{NewStart: 1, NewLines: 3, Lines: []Line{{Op: Add, New: 1}, {Op: Context, New: 2}, {Op: Add, New: 3}}},
		{NewStart: 4, NewLines: 1, Lines: []Line{{Op: Delete}, {Op: Add, New: 4}}},
	}}
	var blocks [][]int
	for block := range f.AddedBlocks() {
		var lines []int
		for _, l := range block {
			lines = append(lines, l.New)
		}
		blocks = append(blocks, lines)
	}
	if len(blocks) != 2 || len(blocks[0]) != 1 || len(blocks[1]) != 2 {
		t.Errorf("blocks %v, want [1] and [3 4]", blocks)
	}
	if !f.Adds(2, 3) || f.Adds(2, 2) || f.Adds(5, 9) {
		t.Error("Adds does not tell added lines from others")
	}
	if !f.InDiff(1, 3) || f.InDiff(3, 4) || f.InDiff(4, 5) || f.InDiff(3, 1) {
		t.Error("InDiff does not keep ranges inside one hunk")
	}
}
