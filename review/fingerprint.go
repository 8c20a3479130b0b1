package review

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strconv"
	"strings"
)

// Fingerprint sets the ID of every finding and sorts them, most severe first,
// then by path, line and rule.
//
// An ID is made from the rule, the path and the evidence with its white space
// folded; the line number takes no part, so a finding keeps its ID when code
// above it moves. Findings that agree in all three (the same line twice in one
// file) are told apart by their order in the file.
func Fingerprint(findings []Finding) {
	sort.SliceStable(findings, func(i, j int) bool { return less(findings[i], findings[j]) })
	byPlace := make([]*Finding, len(findings))
	for i := range findings {
		byPlace[i] = &findings[i]
	}
	sort.SliceStable(byPlace, func(i, j int) bool { return byPlace[i].StartLine < byPlace[j].StartLine })
	seen := make(map[string]int, len(findings))
	for _, f := range byPlace {
		key := f.Rule + "\x00" + f.Path + "\x00" + foldSpace(f.Evidence)
		n := seen[key]
		seen[key]++
		if n > 0 {
			key += "\x00" + strconv.Itoa(n)
		}
		sum := sha256.Sum256([]byte(key))
		f.ID = hex.EncodeToString(sum[:8])
	}
}

func less(a, b Finding) bool {
	switch {
	case a.Severity != b.Severity:
		return a.Severity > b.Severity
	case a.Path != b.Path:
		return a.Path < b.Path
	case a.StartLine != b.StartLine:
		return a.StartLine < b.StartLine
	case a.Rule != b.Rule:
		return a.Rule < b.Rule
	default:
		return a.Message < b.Message
	}
}

func foldSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

func itoa(n int) string { return strconv.Itoa(n) }
