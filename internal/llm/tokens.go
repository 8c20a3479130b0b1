package llm

import "math"

// bytesPerToken is what a token has at least, in code and prose: of 1,200 files
// of 12 languages, 5 % had 2.7 or less.
const bytesPerToken = 2.7

// Estimate is an upper bound of the tokens of a text, from its length alone.
func Estimate(text string) int { return estimateBytes(len(text)) }

func estimateBytes(n int) int { return int(math.Ceil(float64(n) / bytesPerToken)) }
func estimateCalls(calls []ToolCall) (n int) {
	for _, c := range calls {
		n += estimateBytes(len(c.Name) + len(c.Arguments))
	}
	return n
}

// perMessage is what a message takes beyond its texts.
const perMessage = 8

// EstimateRequest is an upper bound of the input tokens of a request.
func EstimateRequest(req Request) int {
	n := Estimate(req.System)
	for _, t := range req.Tools {
		n += perMessage + estimateBytes(len(t.Name)+len(t.Description)+len(t.Parameters))
	}
	if req.Schema != nil {
		n += estimateBytes(len(req.Schema.doc))
	}
	for _, m := range req.Messages {
		n += perMessage
		for _, p := range m.Parts {
			n += estimatePart(p)
		}
	}
	return n
}

func estimatePart(p Part) int {
	size := max(len(p.Text), len(p.Raw))
	if p.Call != nil {
		size = max(size, len(p.Call.Name)+len(p.Call.Arguments))
	}
	if p.Result != nil {
		size = max(size, len(p.Result.Content))
	}
	return perMessage + estimateBytes(size)
}
