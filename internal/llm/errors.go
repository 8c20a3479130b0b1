package llm

import (
	"fmt"
	"time"
)

// AnswerError is an answer that is not to be used: cut by the bound on its
// length, refused by the model, or kept back by the provider. Its kind is
// fault.Invalid: the same request would end the same way.
type AnswerError struct {
	// Model is "provider/model".
	Model  string
	Reason StopReason
	// Response is what there was of the answer. It is not complete.
	Response Response
}

func (e *AnswerError) Error() string {
	switch e.Reason {
	case StopLength:
		return fmt.Sprintf("%s: the answer was cut after %d tokens", e.Model, e.Response.Usage.Output)
	case StopFilter:
		return e.Model + ": the provider's content filter kept the answer back"
	default:
		return e.Model + ": the model refused to answer"
	}
}

// TooLongError is a request that the model's context does not hold. Its kind is
// fault.Invalid; the caller may send less.
type TooLongError struct {
	Model string
	// Limit and Sent are tokens as the provider counts them; 0 where it does
	// not say.
	Limit, Sent int
}

func (e *TooLongError) Error() string {
	text := e.Model + ": the request is longer than the model's context"
	if e.Limit > 0 {
		text += fmt.Sprintf(" of %d tokens", e.Limit)
	}
	return text
}

// SchemaError is an answer that does not fit its schema, after a repair was
// tried. Its kind is fault.Invalid.
type SchemaError struct {
	Model  string
	Schema string
	// Where are places in the schema that the answer does not fit; empty when
	// there was no JSON in it.
	Where []string
	// Response is the last answer, with the usage of both.
	Response Response
}

func (e *SchemaError) Error() string {
	if len(e.Where) == 0 {
		return fmt.Sprintf("%s: the answer is not JSON as %s asks for", e.Model, e.Schema)
	}
	return fmt.Sprintf("%s: the answer does not fit %s at %s", e.Model, e.Schema, e.Where[0])
}

// SpentError is a failure after something was spent: of a repair, mostly.
type SpentError struct {
	Err   error
	Model string
	Usage Usage
}

func (e *SpentError) Error() string { return e.Err.Error() }
func (e *SpentError) Unwrap() error { return e.Err }

// QuotaError is an account without money or quota. Its kind is
// fault.RateLimited with a long wait, not Unauthorized: it passes when somebody
// pays or the month ends, and nothing of the settings is wrong.
type QuotaError struct {
	Model string
	Until time.Time
}

func (e *QuotaError) Error() string {
	return e.Model + ": the account's quota or credit is used up"
}

// ChainError is a chain of which no model answered. Its kind and time are those
// of the model which may be back first.
type ChainError struct {
	Alias  string
	Failed []Failed
	// Errs are the models' errors, in the order of Failed.
	Errs []error
}

func (e *ChainError) Error() string {
	text := "no model of " + e.Alias + " answered"
	for i, f := range e.Failed {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		text += sep + f.Reason
	}
	return text
}

func (e *ChainError) Unwrap() []error { return e.Errs }
