package reviewer

import (
	"cmp"
	"hash/fnv"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/agents"
	"assay/internal/llm"
	"assay/review"
)

const (
	// maxUnit bounds the diff of one request, in tokens. What is larger is
	// parted at hunks, and hunks at lines.
	maxUnit = 12_000
	// smallFile is up to how many tokens files share a request.
	smallFile = 2_500
	// perLine is what a line takes beyond its text, in tokens: number and sign.
	perLine = 3
	// ending is how often, one in so many, a file ends the request that it is
	// in. The paths alone decide, so that a file which comes or goes moves no
	// other than its neighbours to another request.
	ending = 4
)

// part is a file, or some hunks of a large one.
type part struct {
	file   review.File
	hunks  []review.Hunk
	tokens int
}

// unit is what one request is about. Its answer is kept and found as a whole.
type unit struct {
	parts []part
	score int
	// bare says that the author's words are left out of the request.
	bare bool
}

func (u unit) tokens() (n int) {
	for _, p := range u.parts {
		n += p.tokens
	}
	return n
}

func (u unit) paths() (paths []string) {
	for _, p := range u.parts {
		paths = append(paths, p.file.Path)
	}
	return paths
}

// exempt says why a file is none of the reviewer's, by design; "" when it is.
func exempt(f review.File) string {
	switch {
	case f.Binary:
		return "binary"
	case agents.GeneratedPath(f.Path):
		return "generated, vendored or a lock file"
	case f.Status == review.Removed:
		return "removed: there is nothing of it at the head"
	case f.Mode == "160000":
		return "a submodule"
	case len(f.Hunks) == 0 && f.Unread == "":
		return "no line of it is changed"
	}
	return ""
}

// unitsOf parts the files into units, the ones that matter most first. The same
// files always come out the same.
func unitsOf(files []review.File, prior []review.Finding) []unit {
	found := make(map[string]int)
	for _, f := range prior {
		found[f.Path] += int(f.Severity)
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b review.File) int {
		return cmp.Or(cmp.Compare(path.Dir(a.Path), path.Dir(b.Path)), cmp.Compare(stem(a.Path), stem(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	var units []unit
	var open unit
	end := func() {
		if len(open.parts) > 0 {
			units = append(units, open)
		}
		open = unit{}
	}
	for _, f := range files {
		parts := partsOf(f)
		if len(parts) > 1 || parts[0].tokens > smallFile {
			end()
			for _, p := range parts {
				units = append(units, unit{parts: []part{p}})
			}
			continue
		}
		if n := len(open.parts); n > 0 {
			last := open.parts[n-1].file.Path
			if path.Dir(last) != path.Dir(f.Path) || stem(last) != stem(f.Path) && ends(last) || open.tokens()+parts[0].tokens > maxUnit {
				end()
			}
		}
		open.parts = append(open.parts, parts[0])
	}
	end()
	for i := range units {
		units[i].score = score(units[i], found)
	}
	slices.SortStableFunc(units, func(a, b unit) int { return b.score - a.score })
	return units
}

// stem is the path of what a file belongs to: a test goes with what it tests.
func stem(p string) string {
	p = strings.TrimSuffix(p, path.Ext(p))
	for _, suffix := range []string{"_test", ".test", ".spec", "Test"} {
		p = strings.TrimSuffix(p, suffix)
	}
	return p
}

func ends(p string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(stem(p)))
	return h.Sum32()%ending == 0
}

// partsOf parts a file so that each part fits a unit.
func partsOf(f review.File) []part {
	open := part{file: f}
	var parts []part
	for _, h := range f.Hunks {
		for _, piece := range piecesOf(h) {
			n := hunkTokens(piece)
			if len(open.hunks) > 0 && open.tokens+n > maxUnit {
				parts = append(parts, open)
				open = part{file: f}
			}
			open.hunks, open.tokens = append(open.hunks, piece), open.tokens+n
		}
	}
	return append(parts, open)
}

// piecesOf parts a hunk that is too large at lines.
func piecesOf(h review.Hunk) []review.Hunk {
	var pieces []review.Hunk
	var lines []review.Line
	tokens := 0
	for _, l := range h.Lines {
		n := lineTokens(l)
		if tokens+n > maxUnit {
			pieces = append(pieces, hunkOf(h, lines))
			lines, tokens = nil, 0
		}
		lines, tokens = append(lines, l), tokens+n
	}
	if pieces == nil {
		return []review.Hunk{h}
	}
	return append(pieces, hunkOf(h, lines))
}

func hunkOf(of review.Hunk, lines []review.Line) review.Hunk {
	h := review.Hunk{Section: of.Section, Lines: lines}
	for _, l := range lines {
		if l.Op != review.Delete {
			if h.NewLines++; h.NewStart == 0 {
				h.NewStart = l.New
			}
		}
		if l.Op != review.Add {
			if h.OldLines++; h.OldStart == 0 {
				h.OldStart = l.Old
			}
		}
	}
	return h
}

func hunkTokens(h review.Hunk) (n int) {
	for _, l := range h.Lines {
		n += lineTokens(l)
	}
	return n
}

func lineTokens(l review.Line) int {
	return perLine + llm.Estimate(l.Text[:min(len(l.Text), maxShownLine)])
}

// risky are paths where a mistake costs more.
var risky = regexp.MustCompile(`(?i)(?:auth|login|session|token|secret|crypt|password|permission|access|acl|payment|billing|money|sql|migrat|database|store|queue|lock|sync|concurren|cache|transact|upload|webhook|api|admin|deploy|docker|terraform|\.github/workflows|security|sandbox|parser?|decode|serializ)`)

// prose are files of words.
var prose = regexp.MustCompile(`(?i)\.(?:md|mdx|rst|txt|adoc)$|(?:^|/)(?:licen[cs]e|changelog|authors)[^/]*$`)

// score is how much a unit matters.
func score(u unit, found map[string]int) (best int) {
	for i, p := range u.parts {
		s := 20 * found[p.file.Path]
		added := 0
		for _, h := range p.hunks {
			for _, l := range h.Lines {
				if l.Op == review.Add {
					added++
				}
			}
		}
		s += min(added, 200) / 4
		switch {
		case prose.MatchString(p.file.Path):
			s -= 60
		case agents.TestPath(p.file.Path):
			s -= 20
		case risky.MatchString(p.file.Path):
			s += 40
		}
		if i == 0 || s > best {
			best = s
		}
	}
	return best
}
