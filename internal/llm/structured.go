package llm

import (
	"context"
	"encoding/json"
	"errors"

	"assay/internal/fault"
)

// answerTool is the tool whose arguments are the answer, where an endpoint
// knows no other way to ask for structure.
const answerTool = "answer"

// asked is what of a request depends on how structure is asked for.
type asked struct {
	system string
	tools  []Tool
	// alone says that the answer's tool is the only one.
	alone bool
}

func askFor(req *Request, w ways) asked {
	a := asked{system: req.System, tools: req.Tools}
	if req.Schema == nil {
		return a
	}
	switch w.form {
	case formTool:
		a.alone = len(req.Tools) == 0
		a.tools = append(a.tools[:len(a.tools):len(a.tools)], Tool{
			Name: answerTool, Description: "Give the final answer. Call it once, when the work is done.", Parameters: req.Schema.doc,
		})
	case formObject, formPrompt:
		if a.system != "" {
			a.system += "\n\n"
		}
		a.system += "Give the final answer as one JSON object and nothing else. It must fit this JSON schema:\n" + string(req.Schema.doc)
	}
	return a
}

// takeAnswer finds the structured answer in a response, however it was asked
// for.
func takeAnswer(resp *Response, w ways) {
	if w.form == formTool {
		for _, call := range resp.Calls {
			if call.Name == answerTool {
				resp.JSON, resp.Stop = call.Arguments, StopEnd
				resp.Calls = nil // it has answered: what else it asked for is not needed
				return
			}
		}
	}
	if len(resp.Calls) == 0 {
		resp.JSON = findJSON(resp.Text)
	}
}

// Structured asks m for an answer that fits s, which becomes req's Schema, and
// decodes it. An answer that does not fit is sent back once with what is wrong
// with it; if the next is no better, the error is a *[SchemaError]. The
// response's usage is that of both.
//
// When the model calls tools instead of answering, the value is T's zero and
// the response has the calls: the caller runs them and asks again.
func Structured[T any](ctx context.Context, m Model, req Request, s *Schema) (T, Response, error) {
	var value T
	req.Schema = s
	resp, err := m.Complete(ctx, req)
	if err != nil || len(resp.Calls) > 0 {
		return value, resp, err
	}
	complaint, _ := accept(s, resp.JSON, &value)
	if complaint == "" {
		return value, resp, nil
	}
	req.Messages = append(req.Messages[:len(req.Messages):len(req.Messages)], repair(resp, complaint)...)
	again, err := m.Complete(ctx, req)
	if err != nil {
		var none T
		return none, Response{}, charged(err, resp)
	}
	again.Usage = resp.Usage.Add(again.Usage)
	var repaired T
	if len(again.Calls) > 0 {
		return repaired, again, nil
	}
	if complaint, where := accept(s, again.JSON, &repaired); complaint != "" {
		var none T
		return none, again, fault.New(fault.Invalid, &SchemaError{Model: again.Model, Schema: s.name, Where: where, Response: again})
	}
	return repaired, again, nil
}

// accept decodes an answer that fits.
func accept(s *Schema, doc json.RawMessage, value any) (complaint string, where []string) {
	if complaint, where = s.validate(doc); complaint != "" {
		return complaint, where
	}
	if json.Unmarshal(doc, value) != nil { // a number out of its type's range
		return "a value in it is out of range", []string{"/"}
	}
	return "", nil
}

// repair are the messages that ask for a better answer.
func repair(resp Response, complaint string) []Message {
	const ask = "That answer cannot be used:\n"
	const again = "\nGive the whole answer again, as one JSON object that fits the schema, and nothing else."
	said := resp.Message()
	var results []ToolResult
	for _, p := range said.Parts {
		if p.Call != nil { // each call wants its result
			results = append(results, ToolResult{CallID: p.Call.ID, Name: p.Call.Name, Content: ask + complaint, Failed: true})
		}
	}
	if len(said.Parts) == 0 {
		return []Message{Say(ask + complaint + again)}
	}
	next := Results(results...)
	next.Parts = append(next.Parts, Part{Text: ask + complaint + again})
	return []Message{said, next}
}

// charged adds the usage of an earlier response to an error that carries its
// own.
func charged(err error, earlier Response) error {
	if e, ok := errors.AsType[*AnswerError](err); ok {
		more := *e
		more.Response.Usage = earlier.Usage.Add(e.Response.Usage)
		return fault.Until(fault.KindOf(err), fault.RetryAt(err), &more)
	}
	return fault.Until(fault.KindOf(err), fault.RetryAt(err), &SpentError{Err: err, Model: earlier.Model, Usage: earlier.Usage})
}
