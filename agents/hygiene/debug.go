package hygiene

import (
	"path"
	"regexp"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	ruleBreakpoint  = Name + "/breakpoint"
	ruleDebugOutput = Name + "/debug-output"
)

func debugRules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleBreakpoint, Severity: review.Medium, Category: review.Correctness,
			What: "A breakpoint is added to code that is no test.", Why: "The program stops there and waits for somebody who is not there.",
			Fix: "Remove it.", Example: "bad:\ndebugger;   breakpoint()   import pdb; pdb.set_trace()   binding.pry\ngood:\n(nothing)",
		},
		{
			ID: ruleDebugOutput, Severity: review.Low, Category: review.Maintainability, Profile: review.ProfileStandard,
			What: "Output for debugging is added to code that is no test, script or command, where nothing around it writes that way.",
			Why:  "It clutters the output of users, and can show what they should not see.",
			Fix:  "Remove it, or use the project's logger.", Example: "bad:\nconsole.log(user)   dbg!(x)   var_dump($x);\ngood:\nlog.debug(\"user loaded\", {id: user.id})",
		},
	}
}

// leftovers are what debugging leaves behind in a language.
type leftovers struct{ stop, output *regexp.Regexp }

var (
	jsLeftovers     = leftovers{regexp.MustCompile(`^\s*debugger\s*;?\s*$`), regexp.MustCompile(`(?:^|[\s;{(>])console\.(?:log|debug|dir|trace|table)\s*\(`)}
	pythonLeftovers = leftovers{regexp.MustCompile(`^\s*(?:breakpoint\(\)|(?:import\s+i?pdb\s*;\s*)?i?pdb\.set_trace\(\)|import\s+i?pdb|from\s+i?pdb\s+import\s+set_trace)\s*;?\s*$`), nil}
	rubyLeftovers   = leftovers{regexp.MustCompile(`^\s*(?:binding\.(?:pry|irb|break)|byebug|debugger)\s*$`), nil}
	rustLeftovers   = leftovers{nil, regexp.MustCompile(`(?:^|[\s;{(=])dbg!\s*\(`)}
	phpLeftovers    = leftovers{regexp.MustCompile(`^\s*xdebug_break\(\)\s*;\s*$`), regexp.MustCompile(`^\s*(?:var_dump|dd)\s*\(`)}
	goLeftovers     = leftovers{regexp.MustCompile(`^\s*runtime\.Breakpoint\(\)\s*$`), regexp.MustCompile(`^\s*spew\.(?:Dump|Printf)\s*\(`)}
)

func leftoversOf(p string) leftovers {
	switch strings.ToLower(path.Ext(p)) {
	case ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts":
		return jsLeftovers
	case ".py":
		return pythonLeftovers
	case ".rb":
		return rubyLeftovers
	case ".rs":
		return rustLeftovers
	case ".php":
		return phpLeftovers
	case ".go":
		return goLeftovers
	}
	return leftovers{}
}

// talks are paths of code that writes to a terminal by design.
var talks = regexp.MustCompile(`(?i)(?:^|/)(?:bin|cli|cmd|scripts?|tools?|tasks?|docs?|dev|hack|benchmarks?|bench|build|ci|playground|website)/|(?:^|/)(?:cli|gulpfile|gruntfile|server|logger|log|debug|pdb)\.[a-z]+$|\.config\.[a-z]+$|-cli/|(?:^|/)\.[^/]+/`)

// debugging finds what debugging left behind.
func (a *Agent) debugging(f review.File) []review.Finding {
	left := leftoversOf(f.Path)
	if left == (leftovers{}) || agents.TestPath(f.Path) || agents.GeneratedPath(f.Path) || talks.MatchString(f.Path) {
		return nil
	}
	var found []review.Finding
	moved := movedLines(f)
	quiet := left.output == nil || writesAnyway(f, left.output)
	for _, h := range f.Hunks {
		above := ""
		for _, l := range h.Lines {
			if l.Op == review.Delete {
				continue
			}
			before := above
			if strings.TrimSpace(l.Text) != "" {
				above = l.Text
			}
			if l.Op != review.Add || len(l.Text) > maxFixLine || moved.has(l.Text) {
				continue
			}
			code, comment := splitComment(f.Path, l.Text)
			code = strings.TrimRight(code, "\r")
			switch {
			case left.stop != nil && left.stop.MatchString(code):
				c := a.leftover(ruleBreakpoint, f.Path, l, "A breakpoint is left in the code: remove it.")
				if standsAlone(f.Path, before) {
					c.Fix = &review.Fix{}
				}
				found = append(found, c)
			case !quiet && comment == "":
				if m := left.output.FindStringIndex(code); m != nil && !quotedAt(code, m[0]) {
					found = append(found, a.leftover(ruleDebugOutput, f.Path, l, "This looks like output for debugging: remove it, or use the project's logger."))
				}
			}
		}
	}
	return found[:min(len(found), maxLines)]
}

func (a *Agent) leftover(rule, p string, l review.Line, message string) review.Finding {
	c := a.finding(rule, p, message)
	c.StartLine, c.EndLine, c.Evidence = l.New, l.New, clip(strings.TrimSpace(l.Text))
	return c
}

// writesAnyway reports whether the file writes that way where the change did
// not touch it: then it is no leftover.
func writesAnyway(f review.File, output *regexp.Regexp) bool {
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			if l.Op != review.Add && len(l.Text) <= maxFixLine && output.MatchString(l.Text) {
				return true
			}
		}
	}
	return false
}

// standsAlone reports whether the statement after the line given can be taken
// out without another taking its place. In Python it may be the only one of
// its block.
func standsAlone(p, above string) bool {
	above = strings.TrimSpace(above)
	return path.Ext(p) != ".py" && above != "" && strings.ContainsRune(";{}", rune(above[len(above)-1])) || path.Ext(p) == ".rb"
}
