package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/review"
	"assay/strategy"
	"assay/webhook"
)

const (
	// ruleMistake is the rule of a finding that is a mistake in the config that a
	// pull request proposes.
	ruleMistake = "config/mistake"
	// samples is on how many pull requests a proposed config is tried.
	samples = 20
)

// tryConfig looks at what the change makes of the config, and adds to the run
// what is wrong with that and what would be different. None of it is in force
// for the change itself.
func (p *Pipeline) tryConfig(ctx context.Context, repo Source, plan strategy.Plan, change *review.Change, r *review.Run) error {
	kind, path, ok := editedConfig(change)
	if !ok || !plan.TriesConfig {
		return nil
	}
	in, err := p.settingsAt(ctx, repo, r.Installation, r.Repo, r.Pull.BaseRef)
	if err != nil {
		return err
	}
	after, text, err := p.proposed(ctx, change, kind, path, in)
	if err != nil {
		return err
	}
	var mistakes []review.Finding
	for _, problem := range after.Problems {
		if (inForce{Settings: strategy.Settings{Problems: []review.Problem{problem}}}).leftOut(kind) {
			mistakes = append(mistakes, mistake(path, text, problem))
		}
	}
	review.Fingerprint(mistakes)
	tried, err := p.samples(ctx, r.Repo.ID)
	if err != nil {
		return err
	}
	r.Findings = append(r.Findings, mistakes...)
	r.ConfigChange = effect(strategy.Compare(in.Settings, after, tried), len(mistakes))
	r.Outcome = outcomeOf(plan, *r)
	return nil
}

// editedConfig says which layer's file the change edits.
func editedConfig(change *review.Change) (kind strategy.LayerKind, path string, ok bool) {
	files := map[string]strategy.LayerKind{ConfigPath: strategy.Repository}
	if isOrgRepository(change.Repo) {
		files[OrgConfigPath] = strategy.Organisation
	}
	for _, f := range change.Files {
		for _, at := range []string{f.Path, f.OldPath} {
			if kind, is := files[at]; is {
				return kind, at, true
			}
		}
	}
	return 0, "", false
}

// proposed is what would be in force with the head's file, whose text it
// returns too; nil where the change takes it away.
func (p *Pipeline) proposed(ctx context.Context, change *review.Change, kind strategy.LayerKind, path string, in inForce) (strategy.Settings, []byte, error) {
	layers := slices.DeleteFunc(slices.Clone(in.layers), func(l strategy.Layer) bool { return l.Kind == kind })
	text, err := change.Contents.Read(ctx, review.Head, path)
	switch {
	case errors.Is(err, review.ErrNotExist):
		text = nil
	case errors.Is(err, review.ErrTooLarge): // for Load too, which says so
		text = make([]byte, strategy.MaxConfigBytes+1)
	case err != nil:
		return strategy.Settings{}, nil, fmt.Errorf("read the config that is proposed: %w", err)
	}
	if text != nil {
		layers = append(layers, strategy.Layer{Kind: kind, Path: path, Data: text})
	}
	// Not kept: a stranger could fill the cache.
	return strategy.Load(p.layers.vocabulary, layers...), text, nil
}

// mistake is a problem of the proposed file as a finding on its line.
func mistake(path string, text []byte, problem review.Problem) review.Finding {
	f := review.Finding{
		Agent: strategy.ConfigAgent, Rule: ruleMistake, Severity: review.High, Category: review.Process, Path: path,
		StartLine: problem.Line, EndLine: problem.Line,
		Message: problem.Message + ". After the merge the file would be left out for it.",
		// Two mistakes may stand on one line.
		Evidence: problem.Message,
	}
	if lines := strings.Count(string(text), "\n") + 1; problem.Line > lines {
		f.StartLine, f.EndLine = 0, 0
	}
	return f
}

// samples are the latest pull requests of the repository that are stored, as
// events to try a config on. Their files are not kept.
func (p *Pipeline) samples(ctx context.Context, repoID int64) ([]strategy.Sample, error) {
	deliveries, err := p.Store.LatestPulls(ctx, repoID, samples)
	if err != nil {
		return nil, err
	}
	var list []strategy.Sample
	for _, d := range deliveries {
		ev, err := webhook.Parse(d.Event, d.Body)
		if err != nil || ev.Pull == nil {
			continue // its body was purged
		}
		list = append(list, strategy.Sample{Event: ev})
	}
	return list, nil
}

// effect says what would be different, in sentences.
func effect(c strategy.Comparison, mistakes int) string {
	words := "This review goes by the base branch's config; the change applies after the merge."
	if mistakes > 0 {
		return words + " The file has mistakes, so after the merge it would be left out whole."
	}
	if c.Samples > 0 {
		words += " Tried on what is known of the latest pull requests: " + c.String() + "."
	}
	if c.Untried > 0 {
		words += fmt.Sprintf(" %d more could not be tried, since a condition asks for their files.", c.Untried)
	}
	return words
}

// mistakesIn are the findings of tryConfig in a run.
func mistakesIn(r review.Run) (list []review.Finding) {
	for _, f := range r.Findings {
		if f.Rule == ruleMistake && f.Agent == strategy.ConfigAgent {
			list = append(list, f)
		}
	}
	return list
}
