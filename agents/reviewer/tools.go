package reviewer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"assay/internal/llm"
	"assay/review"
)

const (
	// maxCalls is how many tools are run in one turn.
	maxCalls = 6
	// maxResult bounds what a tool says, in bytes.
	maxResult = 12_000
	// maxLines bounds the lines that one reading shows.
	maxLines = 300
	// maxListed bounds the paths of one list.
	maxListed = 200
)

// tool is something the model may look with. All of them only read, and read
// nothing but the change and the files at its head.
type tool struct {
	name, description, parameters string
	run                           func(t *tools, ctx context.Context, args arguments) (string, error)
}

// arguments are those of all tools. They are a stranger's word.
type arguments struct {
	Path    string `json:"path"`
	From    int    `json:"from"`
	To      int    `json:"to"`
	Glob    string `json:"glob"`
	Pattern string `json:"pattern"`
}

var toolbox = []tool{
	{
		"read_file", "Lines of a file at the head of the change, with their numbers. Without from and to, its beginning.",
		`{"type":"object","properties":{"path":{"type":"string"},"from":{"type":"integer","description":"first line, from 1"},"to":{"type":"integer","description":"last line"}},"required":["path"]}`,
		(*tools).readFile,
	},
	{
		"list_files", "Paths of files at the head that match a glob (** is any depth), as \"internal/**/*.go\".",
		`{"type":"object","properties":{"glob":{"type":"string"}},"required":["glob"]}`,
		(*tools).listFiles,
	},
	{
		"search", "Lines of files at the head that match a regular expression (RE2). The glob says in which files; the narrower, the better.",
		`{"type":"object","properties":{"pattern":{"type":"string"},"glob":{"type":"string"}},"required":["pattern","glob"]}`,
		(*tools).search,
	},
	{
		"diff_of", "What the change does to another file. Without a path, the list of all changed files.",
		`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}`,
		(*tools).diffOf,
	},
	{
		"outline", "The functions, methods and types of a file at the head, with their lines.",
		`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}`,
		(*tools).outline,
	},
}

// ToolNames are the names that a policy's tools may have.
func ToolNames() (names []string) {
	for _, t := range toolbox {
		names = append(names, t.name)
	}
	return names
}

func toolsDoc() string {
	var b strings.Builder
	for _, t := range toolbox {
		fmt.Fprintln(&b, t.name, t.description, t.parameters)
	}
	return b.String()
}

// tools are those that one run may use. They are safe for concurrent use; the
// same call on the same head comes to the same.
type tools struct {
	source  *source
	allowed []tool
	offered []llm.Tool
	// tokens is what offering them takes.
	tokens int
}

// newTools offers the tools that are allowed; nil allows all.
func newTools(s *source, allowed []string) *tools {
	t := &tools{source: s}
	for _, tool := range toolbox {
		if allowed != nil && !slices.Contains(allowed, tool.name) {
			continue
		}
		t.allowed = append(t.allowed, tool)
		t.offered = append(t.offered, llm.Tool{Name: tool.name, Description: tool.description, Parameters: json.RawMessage(tool.parameters)})
	}
	t.tokens = llm.EstimateRequest(llm.Request{Tools: t.offered})
	return t
}

// run answers a call. What went wrong is an answer too, for the model to do
// better.
func (t *tools) run(ctx context.Context, name string, raw json.RawMessage) (result string, failed bool) {
	i := slices.IndexFunc(t.allowed, func(tool tool) bool { return tool.name == name })
	if i < 0 {
		return "there is no such tool here", true
	}
	var args arguments
	if err := json.Unmarshal(raw, &args); err != nil {
		return "the arguments are not as the tool's parameters say", true
	}
	found, err := t.allowed[i].run(t, ctx, args)
	if err != nil {
		return bounded(visible(t.source.mask(err.Error())), 300), true
	}
	return bounded(found, maxResult), false
}

var errNoTree = errors.New("the files of this repository cannot be listed here")

// entries are the files at the head that the glob matches.
func (t *tools) entries(ctx context.Context, glob string) ([]review.Entry, error) {
	tree := t.source.change.Tree
	switch {
	case tree == nil:
		return nil, errNoTree
	case len(glob) > maxGlob || strings.Count(glob, "{") > 1 || strings.Count(glob, "*") > maxStars:
		return nil, errors.New("the glob is too complicated")
	case !validGlob(glob):
		return nil, errors.New("the glob is malformed")
	}
	all, err := tree.List(ctx, review.Head)
	if errors.Is(err, review.ErrTooLarge) {
		return nil, errors.New("there are too many files to be listed")
	}
	if err != nil {
		return nil, errors.New("the files cannot be listed at the moment")
	}
	if info := strings.TrimSuffix(glob, "/"); info != "" && !strings.ContainsAny(info, "*?[{") {
		glob = "{" + info + "," + info + "/**}"
	}
	var found []review.Entry
	for _, e := range all {
		if glob == "" || matches([]string{glob}, e.Path) {
			found = append(found, e)
		}
	}
	return found, nil
}

// file reads a file for the model.
func (t *tools) file(ctx context.Context, p string) (*text, error) {
	if p == "" || path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(p, "..") {
		return nil, errors.New("the path is not of a file in the repository: write it as lists and diffs have it")
	}
	head, err := t.source.head(ctx, p)
	switch {
	case err == nil:
		return head, nil
	case errors.Is(err, review.ErrNotExist):
		return nil, errors.New("there is no such file at the head")
	case errors.Is(err, review.ErrTooLarge):
		return nil, errors.New("the file is too large to be read")
	case errors.Is(err, errBinary), errors.Is(err, errReads):
		return nil, err
	default:
		return nil, errors.New("the file cannot be read at the moment")
	}
}

func (t *tools) readFile(ctx context.Context, args arguments) (string, error) {
	head, err := t.file(ctx, args.Path)
	if err != nil {
		return "", err
	}
	last := len(head.shown)
	from, to := max(args.From, 1), args.To
	if to < from || to > from+maxLines-1 {
		to = from + maxLines - 1
	}
	if from > last {
		return "", fmt.Errorf("the file has %d lines", last)
	}
	to = min(to, last)
	var b strings.Builder
	fmt.Fprintf(&b, "%s, lines %d to %d of %d\n", t.source.path(args.Path), from, to, last)
	for n := from; n <= to; n++ {
		writeLine(&b, n, ' ', head.shown[n-1])
	}
	return b.String(), nil
}

func (t *tools) listFiles(ctx context.Context, args arguments) (string, error) {
	found, err := t.entries(ctx, args.Glob)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, e := range found[:min(len(found), maxListed)] {
		fmt.Fprintln(&b, t.source.path(e.Path))
	}
	if more := len(found) - maxListed; more > 0 {
		fmt.Fprintf(&b, "and %d more: use a narrower glob\n", more)
	}
	if len(found) == 0 {
		return "no file matches\n", nil
	}
	return b.String(), nil
}

func (t *tools) diffOf(ctx context.Context, args arguments) (string, error) {
	var b strings.Builder
	if args.Path == "" {
		for i, f := range t.source.change.Files {
			if i == maxListed {
				fmt.Fprintf(&b, "and %d more\n", len(t.source.change.Files)-i)
				break
			}
			fmt.Fprintf(&b, "%s (%s, +%d -%d)\n", t.source.path(f.Path), f.Status, f.Additions, f.Deletions)
		}
		return b.String(), nil
	}
	f, ok := t.source.change.File(args.Path)
	if !ok {
		return "", errors.New("the change does not touch this file")
	}
	page, err := t.source.page(ctx, f)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "=== file %s (%s)\n", t.source.path(f.Path), f.Status)
	for _, h := range f.Hunks {
		fmt.Fprintf(&b, "@@ from line %d\n", h.NewStart)
		writeHunk(&b, page, h)
		if b.Len() > maxResult {
			break
		}
	}
	return b.String(), nil
}
