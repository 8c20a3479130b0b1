package reviewer

import (
	"context"
	"errors"
	"fmt"

	"assay/internal/fault"
	"assay/internal/llm"
)

// errNoEnd is a model that asks for tools and never answers.
var errNoEnd = fault.New(fault.Invalid, errors.New("the model came to no answer within its budget"))

// lastWords tell a model that it has to answer.
const lastWords = "The budget is used up: no tool is run any more. Give the final answer now, from what you have seen."

// maxLast is how often it is told.
const maxLast = 2

// talk is what a conversation took beside its answer.
type talk struct {
	// looks are the calls of tools that were answered.
	looks []look
	// input are the tokens that were sent.
	input int
}

// converse asks about a sheet and runs the tools that the model asks for, until
// it answers. The budget ends it: the model is then told to answer with what it
// has.
func (j *job) converse(ctx context.Context, s *sheet, reserved int) (answer, talk, error) {
	nonce := j.agent.cfg.Nonce()
	req := llm.Request{
		System: j.system(), Messages: []llm.Message{ask(s, nonce)}, Tools: j.tools.offered,
		MaxTokens: maxAnswer, CacheSystem: true, Account: j.in.Change.Repo.Owner,
	}
	var t talk
	for step, last := 0, 0; ; step++ {
		if last == 0 && step > 0 && (step >= j.limits.steps || j.meter.strained(reserved, llm.EstimateRequest(req))) {
			last = 1
		}
		if last > 0 {
			req.Messages = append(req.Messages, llm.Say(lastWords))
		}
		said, resp, err := llm.Structured[answer](ctx, j.model, req, answerSchema)
		j.spend(resp, err)
		t.input += resp.Usage.Input
		if err != nil {
			return answer{}, t, err
		}
		if len(resp.Calls) == 0 {
			return said, t, nil
		}
		if last > 0 {
			if last++; last > maxLast {
				return answer{}, t, errNoEnd
			}
		}
		results := make([]llm.ToolResult, 0, len(resp.Calls))
		for i, call := range resp.Calls {
			results = append(results, j.result(ctx, call, nonce, i, last > 0, &t))
		}
		if ctx.Err() != nil {
			return answer{}, t, fmt.Errorf("run the model's tools: %w", ctx.Err())
		}
		req.Messages = append(req.Messages, resp.Message(), llm.Results(results...))
	}
}

// result runs a call of a tool.
func (j *job) result(ctx context.Context, call llm.ToolCall, nonce string, nth int, over bool, t *talk) llm.ToolResult {
	r := llm.ToolResult{CallID: call.ID, Name: call.Name}
	switch {
	case over:
		r.Content, r.Failed = lastWords, true
	case nth >= maxCalls:
		r.Content, r.Failed = fmt.Sprintf("not run: at most %d tools are run in one turn", maxCalls), true
	default:
		found, failed := j.tools.run(ctx, call.Name, call.Arguments)
		t.looks = append(t.looks, look{Tool: call.Name, Arguments: call.Arguments, Sum: hashOf(found)})
		r.Content, r.Failed = fence(nonce, found), failed
	}
	return r
}

// spend notes what a call took, whether it came to something or not.
func (j *job) spend(resp llm.Response, err error) {
	if err == nil {
		j.meter.add(resp.Model, resp.Usage)
		return
	}
	j.meter.add(llm.UsageOf(err))
}
