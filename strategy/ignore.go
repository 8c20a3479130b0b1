package strategy

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds of paths.ignore. The matcher tries every combination of a pattern's
// {alternatives} at every place a star may end, so both are kept small enough
// for the worst pattern to be harmless (BenchmarkIgnoredWorst).
const (
	maxIgnore      = 100
	maxGlob        = 256
	maxGlobGroups  = 1
	maxGlobChoices = 16
	maxGlobStars   = 8
)

// checkGlob says why a pattern of paths.ignore is refused: it is malformed, or
// it would match nothing, which its author cannot have meant.
func checkGlob(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("it is empty")
	case len(pattern) > maxGlob:
		return fmt.Errorf("it is longer than %d bytes", maxGlob)
	case strings.HasPrefix(pattern, "!"):
		return errors.New(`patterns cannot be negated with "!"; list only what is ignored`)
	case strings.HasPrefix(pattern, "/"):
		return fmt.Errorf("paths begin without a slash; write %q", strings.TrimLeft(pattern, "/"))
	case strings.HasSuffix(pattern, "/"):
		return fmt.Errorf("it matches no file; write %q for all that is in the directory", pattern+"**")
	case !doublestar.ValidatePattern(pattern):
		return errors.New("a bracket, a brace or a backslash in it has no partner")
	case path.Clean(pattern) != pattern:
		return fmt.Errorf("it matches no file; write %q", strings.TrimLeft(path.Clean(pattern), "./"))
	case strings.Count(pattern, "{") > maxGlobGroups || strings.Count(pattern, ",") >= maxGlobChoices:
		return fmt.Errorf("it has more than %d group {a,b} or %d alternatives; split it into several", maxGlobGroups, maxGlobChoices)
	case strings.Count(pattern, "*") > maxGlobStars:
		return fmt.Errorf("it has more than %d stars; split it into several", maxGlobStars)
	}
	return nil
}

// Ignored reports whether the config wants the file at path, with slashes,
// left out of the review. It is safe for concurrent use.
func (p Plan) Ignored(path string) bool {
	for _, pattern := range p.Ignore {
		if doublestar.MatchUnvalidated(pattern, path) {
			return true
		}
	}
	return false
}
