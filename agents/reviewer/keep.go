package reviewer

import (
	"context"
	"encoding/json"

	"assay/review"
)

// look is a call of a tool, and the sum of what it came to.
type look struct {
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments"`
	Sum       string          `json:"sum"`
}

// kept is the answer about a unit as it is stored.
type kept struct {
	Examined []string         `json:"examined"`
	Findings []review.Finding `json:"findings,omitempty"`
	Dropped  dropped          `json:"dropped,omitzero"`
	// Looks are what else the model had looked at. The answer stands as long as
	// the same looks come to the same.
	Looks []look `json:"looks,omitempty"`
	// Input are the tokens that it took.
	Input int `json:"input"`
}

// keyOf names all that the answer about a sheet depends on, but for what the
// model looked at of its own accord. The head's SHA is no part of it, nor is
// what stands in other files. The numbers of lines are, so that what was said
// of a line is still said of it.
func (j *job) keyOf(s *sheet) string {
	return hashOf(j.key, j.in.Policy.Instructions, s.advice, s.data, j.priorKey(s.unit))
}

func (j *job) lookup(ctx context.Context, s *sheet) (outcome, bool) {
	if j.agent.cfg.Answers == nil {
		return outcome{}, false
	}
	stored, ok := j.agent.cfg.Answers.Lookup(ctx, j.in.Change.Repo, j.keyOf(s))
	var k kept
	if !ok || json.Unmarshal(stored, &k) != nil {
		return outcome{}, false
	}
	for _, l := range k.Looks {
		if found, _ := j.tools.run(ctx, l.Tool, l.Arguments); hashOf(found) != l.Sum {
			return outcome{}, false
		}
	}
	j.meter.save(k.Input)
	return outcome{findings: k.Findings, examined: k.Examined, dropped: k.Dropped}, true
}

// keep stores the answer about a sheet. One with a gap is not kept: the model
// is asked again.
func (j *job) keep(ctx context.Context, s *sheet, o outcome, t talk) {
	if j.agent.cfg.Answers == nil || len(o.examined) < len(s.unit.paths()) {
		return
	}
	stored, err := json.Marshal(kept{Examined: o.examined, Findings: o.findings, Dropped: o.dropped, Looks: t.looks, Input: t.input})
	if err == nil {
		j.agent.cfg.Answers.Put(ctx, j.in.Change.Repo, j.keyOf(s), stored)
	}
}
