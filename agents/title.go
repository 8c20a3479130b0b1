package agents

import "regexp"

// UnfinishedTitle reports whether the title of a pull request says that it is
// not to be merged yet.
func UnfinishedTitle(title string) bool { return unfinished.MatchString(title) }

var unfinished = regexp.MustCompile(`(?i)^\s*(?:[\[(]?\s*(?:wip|work in progress|do not merge|don't merge|dnm)\s*[\])]?(?:\W|$)|draft:|🚧)`)
