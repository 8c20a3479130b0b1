package checkout

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"assay/review"
)

// gitConfig holds git's configuration of all scopes, by key as git lists it
// (section and variable in lower case). It is read for names only; nothing in
// it is run.
type gitConfig map[string][]string

func readConfig(ctx context.Context, g git) (gitConfig, error) {
	out, err := g.output(ctx, "config", "--list", "-z")
	if err != nil {
		return nil, err
	}
	config := gitConfig{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		config[key] = append(config[key], value)
	}
	return config, nil
}

// first returns the value that counts, which is the last; "" when there is
// none.
func (c gitConfig) first(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// sections returns the names between "kind." and the last dot, in order.
func (c gitConfig) sections(kind string) []string {
	var names []string
	for key := range c {
		rest, ok := strings.CutPrefix(key, kind+".")
		if dot := strings.LastIndexByte(rest, '.'); ok && dot > 0 {
			names = append(names, rest[:dot])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// filterOverrides takes the programs from every filter there is.
func (c gitConfig) filterOverrides() []override {
	var off []override
	for _, name := range c.sections("filter") {
		key := "filter." + name + "."
		off = append(off, override{key + "clean", ""}, override{key + "smudge", ""}, override{key + "process", ""}, override{key + "required", "false"})
	}
	return off
}

// partial says that objects may be missing that a remote promised.
func (c gitConfig) partial() bool {
	for key := range c {
		if strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".promisor") || key == "extensions.partialclone" {
			return true
		}
	}
	return false
}

// remotes are the remotes, the likeliest home of pull requests first.
func (c gitConfig) remotes() []string {
	names := c.sections("remote")
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

func rank(remote string) int {
	switch remote {
	case "upstream":
		return 0
	case "origin":
		return 1
	}
	return 2
}

// mainBranches are the names a main branch may have.
func (c gitConfig) mainBranches() []string {
	names := []string{"main", "master"}
	if own := c.first("init.defaultbranch"); own != "" && !slices.Contains(names, own) && !strings.ContainsAny(own, "*?[") {
		names = append(names, own)
	}
	return names
}

// tracked is the ref of the branch that branch tracks; "" when there is none,
// or when it is only its own copy on a remote.
func (c gitConfig) tracked(branch string) string {
	remote, merge := c.first("branch."+branch+".remote"), c.first("branch."+branch+".merge")
	name, ok := strings.CutPrefix(merge, "refs/heads/")
	switch {
	case !ok || remote == "" || name == branch || strings.ContainsAny(merge+remote, "*?["):
		return ""
	case remote == ".":
		return merge
	}
	return "refs/remotes/" + remote + "/" + name
}

// gitHubURL matches the forms of a clone URL with an owner and a name.
var gitHubURL = regexp.MustCompile(`^(?:(?:https?|ssh|git)://(?:[^/@]*@)?[^/]+/|(?:[^/@:]+@)?[^/:]{2,}:/?)([A-Za-z0-9_.-]+)/([A-Za-z0-9_.-]+?)(?:\.git)?/?$`)

// repo names the repository by its remote, or by its directory where the
// remote's URL has no owner and name. No address leaves here: it may hold a
// token.
func (c gitConfig) repo(dir string) review.Repo {
	if m := gitHubURL.FindStringSubmatch(c.first("remote.origin.url")); m != nil {
		return review.Repo{Owner: m[1], Name: m[2]}
	}
	return review.Repo{Owner: "local", Name: strings.TrimSuffix(filepath.Base(dir), ".git")}
}
