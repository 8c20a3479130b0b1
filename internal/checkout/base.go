package checkout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"assay/internal/fault"
	"assay/review"
)

// comparison is what is compared with what.
type comparison struct {
	// baseRef is how the base is called; found says that it was not named by
	// the user.
	baseRef string
	found   bool
	// baseCommit is the merge base; empty when a tree is compared. baseTree is
	// always set.
	baseCommit, baseTree string
	// worktree says that the head is the working tree; headTree is set when it
	// is not. headCommit is HEAD then, or the commit under review; empty when
	// there is no commit yet.
	worktree             bool
	headCommit, headTree string
	// headRef is the branch or revision; branch is the current branch, empty
	// when HEAD is detached.
	headRef string
	// root says that headCommit has no parent.
	root bool
}

func (c comparison) headName() string {
	if c.worktree {
		return "the working tree"
	}
	return c.headRef
}

// revision is what names the head's commit to git.
func (c comparison) revision() string {
	if c.worktree {
		return "HEAD"
	}
	return c.headRef
}

// choose resolves the options into a comparison.
func (r *Repo) choose(ctx context.Context, o Options) (comparison, error) {
	c := comparison{worktree: o.Head == ""}
	if c.worktree && r.top == "" {
		return c, fault.New(fault.Invalid, fmt.Errorf("%s is a bare repository and has no working tree: name the commit to review with --head", r.dir))
	}
	branch, err := r.branch(ctx)
	if err != nil {
		return c, err
	}
	if err := r.chooseHead(ctx, &c, o.Head, branch); err != nil {
		return c, err
	}
	return c, r.chooseBase(ctx, &c, o.Base, branch)
}

// branch is the current branch; empty when HEAD is detached.
func (r *Repo) branch(ctx context.Context) (string, error) {
	out, err := r.line(ctx, "symbolic-ref", "--quiet", "HEAD")
	if exitCode(err) == 1 {
		return "", nil
	}
	return strings.TrimPrefix(out, "refs/heads/"), err
}

func (r *Repo) chooseHead(ctx context.Context, c *comparison, head, branch string) (err error) {
	if !c.worktree {
		c.headRef = head
		if c.headCommit, err = r.commit(ctx, head, "--head"); err != nil {
			return err
		}
		c.headTree, err = r.peel(ctx, c.headCommit, "tree")
		return err
	}
	c.headRef = branch
	if branch == "" {
		c.headRef = "HEAD"
	}
	c.headCommit, err = r.peel(ctx, "HEAD", "commit")
	return err
}

func (r *Repo) chooseBase(ctx context.Context, c *comparison, base, branch string) error {
	switch {
	case base != "":
		c.baseRef = base
		oid, err := r.resolve(ctx, base, "--base")
		if err != nil {
			return err
		}
		commit, err := r.peel(ctx, oid, "commit")
		if err != nil {
			return err
		}
		if commit == "" {
			return r.baseOnTree(ctx, c, oid)
		}
		return r.part(ctx, c, commit)
	case c.headCommit == "":
		c.baseRef, c.baseTree = "the empty tree (no commits yet)", r.emptyTree
		return nil
	}
	c.found = true
	ref, oid, err := r.findBase(ctx, c, branch)
	if err != nil {
		return err
	}
	c.baseRef = ref
	return r.part(ctx, c, oid)
}

// baseOnTree compares with a tree that is no commit's, such as the empty one.
func (r *Repo) baseOnTree(ctx context.Context, c *comparison, oid string) (err error) {
	if c.baseTree, err = r.peel(ctx, oid, "tree"); err == nil && c.baseTree == "" {
		err = fault.New(fault.Invalid, fmt.Errorf("--base %s is neither a commit nor a tree", c.baseRef))
	}
	return err
}

// part sets the base to where the head parted from commit, as a pull request
// does.
func (r *Repo) part(ctx context.Context, c *comparison, commit string) error {
	if c.headCommit == "" {
		return fault.New(fault.Invalid, fmt.Errorf("there are no commits yet to compare with --base %s: leave it out", c.baseRef))
	}
	out, err := r.line(ctx, "merge-base", commit, c.headCommit)
	switch {
	case exitCode(err) == 1 && r.shallow:
		return fault.New(fault.Invalid, fmt.Errorf("%s and %s have no common ancestor in this shallow clone: "+
			"get the history with `git fetch --unshallow` (actions/checkout: `fetch-depth: 0`)", c.baseRef, c.headName()))
	case exitCode(err) == 1:
		return fault.New(fault.Invalid, fmt.Errorf("%s and %s have no common ancestor: name a commit of its own history with --base", c.baseRef, c.headName()))
	case err != nil:
		return r.hintPartial(err)
	}
	c.baseCommit = out
	if c.baseTree, err = r.peel(ctx, out, "tree"); err != nil {
		return err
	}
	parent, err := r.peel(ctx, c.headCommit+"^", "commit")
	c.root = parent == ""
	return err
}

// findBase finds the branch that a pull request of the head would be for: the
// branch it tracks where that is another than itself, else the main branch of
// the remotes ("upstream" is where forks come from), else a main branch here,
// else HEAD, which leaves what is not committed.
func (r *Repo) findBase(ctx context.Context, c *comparison, branch string) (ref, oid string, err error) {
	var wanted []string
	if c.worktree && branch != "" {
		if tracked := r.config.tracked(branch); tracked != "" {
			wanted = append(wanted, tracked)
		}
	}
	mains := r.config.mainBranches()
	for _, remote := range r.config.remotes() {
		wanted = append(wanted, "refs/remotes/"+remote+"/HEAD")
		for _, name := range mains {
			wanted = append(wanted, "refs/remotes/"+remote+"/"+name)
		}
	}
	for _, name := range mains {
		wanted = append(wanted, "refs/heads/"+name)
	}
	// NUL cannot be in a ref's name, and a symbolic ref names its target.
	out, err := r.git.output(ctx, append([]string{"for-each-ref", "--format=%(refname)%00%(symref)%00%(objectname)%00%(objecttype)", "--"}, wanted...)...)
	if err != nil {
		return "", "", err
	}
	best := len(wanted)
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\x00")
		if len(fields) != 4 || fields[3] != "commit" {
			continue
		}
		at := slices.Index(wanted, fields[0])
		if at < 0 || at >= best {
			continue
		}
		best, ref, oid = at, fields[0], fields[2]
		if fields[1] != "" {
			ref = fields[1]
		}
	}
	if ref == "" {
		return "HEAD", c.headCommit, nil
	}
	return shortRef(ref), oid, nil
}

func shortRef(ref string) string {
	for _, prefix := range []string{"refs/remotes/", "refs/heads/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}

// resolve names the object of a revision that the user gave by flag.
func (r *Repo) resolve(ctx context.Context, rev, flag string) (string, error) {
	if strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return "", fault.New(fault.Invalid, fmt.Errorf("%s %q is not a revision", flag, rev))
	}
	out, err := r.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev)
	if err == nil {
		return out, nil
	}
	if exitCode(err) < 0 {
		return "", err
	}
	hint := "see `git log` for what there is"
	if r.shallow {
		hint = "this is a shallow clone: get the history with `git fetch --unshallow`"
	}
	return "", fault.New(fault.Invalid, fmt.Errorf("%s %q is not a revision of this repository; %s", flag, rev, hint))
}

func (r *Repo) commit(ctx context.Context, rev, flag string) (string, error) {
	oid, err := r.resolve(ctx, rev, flag)
	if err != nil {
		return "", err
	}
	commit, err := r.peel(ctx, oid, "commit")
	if err == nil && commit == "" {
		err = fault.New(fault.Invalid, fmt.Errorf("%s %q is not a commit", flag, rev))
	}
	return commit, err
}

// peel follows rev to an object of a kind; it returns "" when there is none.
func (r *Repo) peel(ctx context.Context, rev, kind string) (string, error) {
	out, err := r.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{"+kind+"}")
	if code := exitCode(err); code > 0 {
		return "", nil
	}
	return out, err
}

// describe makes the pull request that the comparison would be, as GitHub
// suggests it: of one commit its message, of several the branch's name.
func (r *Repo) describe(ctx context.Context, c comparison) (review.Pull, error) {
	pull := review.Pull{
		Title: "Uncommitted changes", Author: review.Actor{Login: r.config.first("user.name")},
		BaseRef: c.baseRef, BaseSHA: c.baseCommit, HeadRef: c.headRef,
	}
	if !c.worktree {
		pull.HeadSHA = c.headCommit
	}
	if c.headCommit == "" {
		return pull, nil
	}
	args := []string{"log", "-z", "--max-count=2", "--encoding=UTF-8", "--no-notes", "--no-color", "--format=%an%x00%s%x00%b", c.headCommit}
	if c.baseCommit != "" {
		args = append(args, "^"+c.baseCommit)
	}
	out, err := r.git.output(ctx, append(args, "--")...)
	if err != nil {
		return pull, fmt.Errorf("read commits: %w", err)
	}
	commits := strings.Split(out, "\x00")
	switch {
	case len(commits) < 3: // none: only uncommitted changes
	case len(commits) < 6:
		pull.Author.Login, pull.Title, pull.Body = commits[0], commits[1], strings.TrimSpace(commits[2])
	default:
		pull.Author.Login, pull.Title = commits[0], commits[1]
	}
	return pull, nil
}
