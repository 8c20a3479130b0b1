package hygiene

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	// largeFile and hugeFile are the sizes from which a file is spoken of, in
	// bytes: GitHub warns at 50 MiB, a clone feels it much earlier.
	largeFile = 5 << 20
	hugeFile  = 50 << 20
	// hugeText is the number of lines from which an added text that people are
	// not known to generate is spoken of. GitHub shows no diffs of more.
	hugeText = 20_000
	// maxReads is how many files without text are fetched to look at; each may
	// be a request.
	maxReads = 40
)

// kindOf is the rule on files of the extension; empty for none.
func kindOf(ext string) string {
	switch ext {
	case ".exe", ".dll", ".so", ".dylib", ".a", ".o", ".obj", ".lib", ".ko", ".class", ".jar", ".war", ".ear", ".msi", ".apk", ".aab",
		".ipa", ".deb", ".rpm", ".pdb", ".elf", ".sys", ".node", ".whl", ".egg", ".nupkg", ".dex":
		return ruleCompiled
	case ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tbz2", ".txz", ".lz4", ".cab", ".iso", ".dmg", ".img":
		return ruleArchive
	case ".pyc", ".pyo", ".swp", ".swo", ".orig", ".rej":
		return ruleJunk
	}
	return ""
}

var junkNames = map[string]bool{".ds_store": true, "thumbs.db": true, "desktop.ini": true, "npm-debug.log": true, "yarn-error.log": true}

// wanted are binaries that build tools ask to commit.
var wanted = regexp.MustCompile(`(?:^|/)(?:gradle/wrapper/gradle-wrapper\.jar|\.mvn/wrapper/maven-wrapper\.jar|\.yarn/(?:releases|cache|plugins)/[^/]+|\.pnp\.[^/]+)$`)

// installed are directories that tools fill.
var installed = regexp.MustCompile(`^(?:.*/)?(?:node_modules|bower_components|__pycache__|\.venv|venv|\.tox|\.gradle|\.terraform|\.next|\.nuxt|\.pytest_cache|\.mypy_cache)/`)

// fileCheck looks at files as wholes. It is for one run.
type fileCheck struct {
	agent    *Agent
	contents review.Contents
	reads    int
	tree     map[string]int // files added by installed directory
	order    []string
}

func newFileCheck(a *Agent, contents review.Contents) *fileCheck {
	return &fileCheck{agent: a, contents: contents, tree: make(map[string]int)}
}

// check makes the findings about one file that is at the head. gap says what
// could not be known of it.
func (c *fileCheck) check(ctx context.Context, f review.File) (found []review.Finding, gap string) {
	if f.Status == review.Added || f.Status == review.Copied {
		if dir := installed.FindString(f.Path); dir != "" && !agents.TestPath(f.Path) {
			if c.tree[dir]++; c.tree[dir] == 1 {
				c.order = append(c.order, dir)
			}
			return nil, ""
		}
		if rule := c.byName(f.Path); rule != "" && !wanted.MatchString(f.Path) {
			return []review.Finding{c.kind(rule, f.Path, "its name")}, ""
		}
	}
	switch {
	case f.Binary:
		return c.binary(ctx, f)
	case f.Status == review.Added && f.Additions > hugeText && !agents.GeneratedPath(f.Path):
		return []review.Finding{c.agent.finding(ruleHuge, f.Path, fmt.Sprintf("This file adds %d lines: if a tool made it, or it is data, keep it out of the repository.", f.Additions))}, ""
	}
	return nil, ""
}

func (c *fileCheck) byName(p string) string {
	base := strings.ToLower(path.Base(p))
	if junkNames[base] || strings.HasSuffix(base, "~") && len(base) > 1 {
		return ruleJunk
	}
	kind := kindOf(path.Ext(base))
	if kind == ruleArchive && agents.TestPath(p) {
		return "" // what a test of archives reads
	}
	return kind
}

func (c *fileCheck) kind(rule, p, known string) review.Finding {
	r := c.agent.rules[rule]
	f := c.agent.finding(rule, p, fmt.Sprintf("%s, going by %s. %s", strings.TrimSuffix(r.What, "."), known, r.Fix))
	if agents.TestPath(p) {
		f.Severity = min(f.Severity, review.Low)
	}
	return f
}

// binary reads a file without text, for its size and for what it is.
func (c *fileCheck) binary(ctx context.Context, f review.File) ([]review.Finding, string) {
	if c.reads++; c.reads > maxReads {
		return nil, fmt.Sprintf("only the first %d binary files were read", maxReads)
	}
	if c.contents == nil {
		return nil, "binary: its contents could not be read"
	}
	data, err := c.contents.Read(ctx, review.Head, f.Path)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		h := c.agent.finding(ruleHuge, f.Path, "This file is larger than Assay reads: "+lower(c.agent.rules[ruleHuge].Fix))
		h.Severity = review.Medium
		return []review.Finding{h}, ""
	case err != nil:
		return nil, "binary: its contents could not be read"
	}
	var found []review.Finding
	if what := magic(data); what != "" && f.Status != review.Modified && !wanted.MatchString(f.Path) {
		found = append(found, c.kind(ruleCompiled, f.Path, "its first bytes ("+what+")"))
	}
	if len(data) >= largeFile {
		h := c.agent.finding(ruleHuge, f.Path, fmt.Sprintf("This file has %d MiB: %s", len(data)>>20, lower(c.agent.rules[ruleHuge].Fix)))
		if len(data) >= hugeFile {
			h.Severity = review.Medium
		}
		found = append(found, h)
	}
	return found, ""
}

// magic says what kind of compiled code begins so; empty for all else.
func magic(data []byte) string {
	for _, m := range []struct{ head, what string }{
		{"\x7fELF", "ELF"},
		{"MZ", "Windows executable"},
		{"\xfe\xed\xfa\xce", "Mach-O"},
		{"\xfe\xed\xfa\xcf", "Mach-O"},
		{"\xce\xfa\xed\xfe", "Mach-O"},
		{"\xcf\xfa\xed\xfe", "Mach-O"},
		{"\xca\xfe\xba\xbe", "Java class or Mach-O"},
		{"!<arch>\n", "static library"},
		{"dex\n", "Android code"},
	} {
		if bytes.HasPrefix(data, []byte(m.head)) {
			return m.what
		}
	}
	return ""
}

// trees makes one finding for each installed directory.
func (c *fileCheck) trees() []review.Finding {
	var found []review.Finding
	slices.Sort(c.order)
	for _, dir := range c.order {
		f := c.agent.finding(ruleTree, "", fmt.Sprintf("%s is added, with %d files: remove it and add it to .gitignore.", dir, c.tree[dir]))
		f.Evidence = dir
		found = append(found, f)
	}
	return found
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
