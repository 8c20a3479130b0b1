package reviewer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/internal/fault"
	"assay/internal/llm"
	"assay/review"
)

// doubt takes a second look at the findings above low, with the code in view.
// What it refutes is dropped; of what it is not sure, none is worse than medium.
// A second look that fails is an error: nothing was refuted by it, and nothing
// borne out.
func (j *job) doubt(ctx context.Context, s *sheet, found *[]review.Finding, t *talk) (refuted, unsure int, err error) {
	var doubted []int
	for i, f := range *found {
		if f.Severity > review.Low {
			doubted = append(doubted, i)
		}
	}
	if len(doubted) == 0 {
		return 0, 0, nil
	}
	nonce := j.agent.cfg.Nonce()
	said, resp, err := llm.Structured[verdicts](ctx, j.skeptic, llm.Request{
		System: refutePrompt, Messages: []llm.Message{llm.Say(fence(nonce, s.data) + j.claims(s, *found, doubted, nonce))},
		MaxTokens: maxAnswer, CacheSystem: true, Account: j.in.Change.Repo.Owner,
	}, verdictsSchema)
	j.spend(resp, err)
	t.input += resp.Usage.Input
	if err != nil {
		return 0, 0, fmt.Errorf("look again: %w", err)
	}
	if len(resp.Calls) > 0 {
		return 0, 0, fmt.Errorf("look again: %w", errNoEnd)
	}
	kept := slices.Clone(*found)
	var gone []int
	for n, i := range doubted {
		switch verdictOn(said, n+1) {
		case "refuted":
			gone, refuted = append(gone, i), refuted+1
		case "unsure":
			kept[i].Severity, unsure = min(kept[i].Severity, review.Medium), unsure+1
		case "stands":
		default:
			return 0, 0, fault.New(fault.Invalid, errors.New("look again: the answer has no verdict on one of the findings"))
		}
	}
	*found = (*found)[:0]
	for i, f := range kept {
		if !slices.Contains(gone, i) {
			*found = append(*found, f)
		}
	}
	return refuted, unsure, nil
}

// verdictOn is the verdict on a finding. Of several that contradict each other
// none is taken for more than doubt.
func verdictOn(said verdicts, finding int) (verdict string) {
	for _, v := range said.Verdicts {
		switch {
		case v.Finding != finding:
		case verdict == "" || verdict == v.Verdict:
			verdict = v.Verdict
		default:
			return "unsure"
		}
	}
	return verdict
}

// claims are the findings as they are put before the second model.
func (j *job) claims(s *sheet, found []review.Finding, doubted []int, nonce string) string {
	var b strings.Builder
	for n, i := range doubted {
		f := found[i]
		fmt.Fprintf(&b, "Finding %d: %s:%d, %s, %s: %s\n", n+1, j.source.path(f.Path), f.StartLine, f.Severity, strings.TrimPrefix(f.Rule, Name+"/"), f.Message)
		p := s.pages[f.Path]
		for line := f.StartLine; line <= f.EndLine; line++ {
			writeLine(&b, line, ' ', p.lines[line])
		}
	}
	return "The findings:\n" + fence(nonce, b.String()) + fmt.Sprintf("Give a verdict on each of the %d findings.\n", len(doubted))
}
