// Package sarif is the agent that brings the results of the team's own CI into
// the review: SARIF logs that CI has uploaded for the head. Until they have
// come the agent is unavailable, and says for what it waits.
//
// It speaks of what the change adds: results on other lines were there before,
// or a tool that compared says that they are new. How logs are read belongs to
// internal/sarif, how they come here to internal/intake.
package sarif

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/agents"
	"assay/internal/fault"
	"assay/internal/sarif"
	"assay/review"
)

// Name is the agent's name.
const Name = "sarif"

// Upload is what CI has sent for a head.
type Upload struct {
	// Category tells the uploads of a head apart, as "codeql".
	Category string
	Received time.Time
	Log      sarif.Log
}

// Source is where uploads are kept. It must be safe for concurrent use.
type Source interface {
	// Uploads are the newest of each category for a head.
	Uploads(ctx context.Context, repoID int64, headSHA string) ([]Upload, error)
}

// Dependency is what the agent waits for: the uploads of one head.
func Dependency(headSHA string) string {
	return "SARIF upload for " + headSHA[:min(len(headSHA), 12)]
}

// Agent reads uploads. It is safe for concurrent use.
type Agent struct {
	source Source
}

// New returns the agent. source may be nil: then the service takes no uploads,
// and the agent says so.
func New(source Source) *Agent { return &Agent{source: source} }

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	options, err := readOptions(in.Policy.Options)
	if err != nil {
		return agents.Result{}, fault.New(fault.Invalid, err)
	}
	change := in.Change
	switch {
	case change.Repo.ID == 0 || change.Pull.HeadSHA == "":
		return agents.Result{Coverage: receipts(change, review.NotApplicable, "uploads are for heads on GitHub")}, nil
	case a.source == nil:
		return agents.Result{}, fault.New(fault.Invalid, errors.New("this service takes no SARIF uploads: its operator has to set ASSAY_SARIF_SECRET"))
	}
	uploads, err := a.source.Uploads(ctx, change.Repo.ID, change.Pull.HeadSHA)
	if err != nil {
		return agents.Result{}, fmt.Errorf("read what CI has uploaded: %w", err)
	}
	out := read(change, uploads, options)
	if missing := options.missing(uploads); missing != "" {
		// Transient, not Busy, so that people are told what is missing.
		err := fault.New(fault.Transient, fmt.Errorf("waiting for CI: %s", missing))
		out.Coverage = receipts(change, review.Partial, missing)
		if len(uploads) == 0 {
			out.Coverage = receipts(change, review.Skipped, missing)
		}
		return out, fault.From(Dependency(change.Pull.HeadSHA), err)
	}
	return out, nil
}

// options are the agent's settings.
type options struct {
	// categories must all have come; with none any upload will do.
	categories []string
	// files says that all lines of changed files count, not the added alone.
	files bool
}

func readOptions(given map[string]string) (o options, err error) {
	for name, value := range given {
		switch name {
		case "categories":
			for c := range strings.SplitSeq(value, ",") {
				if c = strings.TrimSpace(c); c != "" {
					o.categories = append(o.categories, c)
				}
			}
		case "scope":
			if value != "lines" && value != "files" {
				return o, fmt.Errorf("option scope: %q is neither lines nor files", value)
			}
			o.files = value == "files"
		default:
			return o, fmt.Errorf("unknown option %q: there are categories and scope", name)
		}
	}
	return o, nil
}

// missing says which uploads have not come; empty when all have.
func (o options) missing(uploads []Upload) string {
	var missing []string
	for _, c := range o.categories {
		if !slices.ContainsFunc(uploads, func(u Upload) bool { return u.Category == c }) {
			missing = append(missing, c)
		}
	}
	switch {
	case len(missing) > 0:
		return "results of " + strings.Join(missing, ", ") + " have not been uploaded for this head"
	case len(uploads) == 0:
		return "no results have been uploaded for this head"
	default:
		return ""
	}
}

// read makes the findings of all uploads.
func read(change *review.Change, uploads []Upload, o options) agents.Result {
	r := newReading(change, o)
	var gaps, notes []string
	for _, u := range uploads {
		for _, run := range u.Log.Runs {
			if run.Failed != "" {
				gaps = append(gaps, fmt.Sprintf("%s did not succeed: %s", toolName(run), run.Failed))
			}
			for _, result := range run.Results {
				r.result(run, result)
			}
		}
		if u.Log.Omitted > 0 {
			gaps = append(gaps, fmt.Sprintf("%d results of %s were over the limit", u.Log.Omitted, orUnnamed(u.Category)))
		}
	}
	if r.outside > 0 {
		notes = append(notes, fmt.Sprintf("%d results stand in places outside of the repository (as %s): give the upload its root", r.outside, r.example))
	}
	out := agents.Result{Findings: r.findings, Note: strings.Join(notes, "; "), Coverage: receipts(change, review.Full, "")}
	if len(gaps) > 0 {
		out.Coverage = receipts(change, review.Partial, strings.Join(gaps, "; "))
	}
	return out
}

func orUnnamed(category string) string {
	if category == "" {
		return "the upload without a category"
	}
	return category
}

func toolName(run sarif.Run) string {
	if run.Tool == "" {
		return "a tool without a name"
	}
	return run.Tool
}

func receipts(change *review.Change, level review.Level, reason string) []review.Coverage {
	if len(change.Files) == 0 {
		return []review.Coverage{{Path: review.Whole, Level: level, Reason: reason}}
	}
	all := make([]review.Coverage, len(change.Files))
	for i, f := range change.Files {
		all[i] = review.Coverage{Path: f.Path, Level: level, Reason: reason}
	}
	return all
}
