package eval

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"assay/review"
)

// Judgement is what somebody who looked at a finding of a sample says of it.
type Judgement struct {
	Sample
	// Right says that a reviewer would want to be told.
	Right bool `json:"right"`
	// Profile is the least profile in which the finding is made.
	Profile review.Profile `json:"profile,omitempty"`
	// Why says it in a few words.
	Why string `json:"why,omitempty"`
}

// ReadJudgements reads judgements, one JSON object a line.
func ReadJudgements(r io.Reader) ([]Judgement, error) {
	var all []Judgement
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var raw struct {
			Judgement
			Right *bool `json:"right"`
		}
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if raw.ID == "" || raw.Right == nil {
			return nil, fmt.Errorf(`line %d: want "id" and "right": true or false`, n)
		}
		raw.Judgement.Right = *raw.Right
		all = append(all, raw.Judgement)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// Precision is how many of the sampled findings were judged, and of those how
// many right.
func Precision(sample []Sample, judged []Judgement) (right, n int) {
	words := make(map[string]bool, len(judged))
	for _, j := range judged {
		words[j.ID] = j.Right
	}
	for _, s := range sample {
		if ok, known := words[s.ID]; known {
			n++
			if ok {
				right++
			}
		}
	}
	return right, n
}
