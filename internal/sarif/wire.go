package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// The parts of a log as they are written, as far as they are read.
type (
	wireText struct {
		Text      string
		Markdown  string
		ID        string
		Arguments list[string]
	}
	wireRule struct {
		ID       string
		Name     string
		HelpURI  string                `json:"helpUri"`
		Short    wireText              `json:"shortDescription"`
		Messages some[wireText]        `json:"messageStrings"`
		Default  struct{ Level Level } `json:"defaultConfiguration"`
		Bag      wireBag               `json:"properties"`
	}
	wireBag struct {
		Tags     list[string]
		Security number `json:"security-severity"`
	}
	wireResult struct {
		RuleID       string  `json:"ruleId"`
		RuleIndex    *int    `json:"ruleIndex"`
		Rule         wireRef `json:"rule"`
		Level        Level
		Kind         string
		Baseline     string `json:"baselineState"`
		Message      wireText
		Locations    list[wireLocation]
		Partial      some[string] `json:"partialFingerprints"`
		Fingerprints some[string]
		Suppressions list[wireSuppression]
		Fixes        list[wireFix]
		Bag          wireBag `json:"properties"`
	}
	wireRef struct {
		ID        string
		Index     *int
		Component struct {
			Index *int
			Name  string
		} `json:"toolComponent"`
	}
	wireLocation struct {
		Physical struct {
			Artifact wirePlace `json:"artifactLocation"`
			Region   wireRegion
		} `json:"physicalLocation"`
	}
	wirePlace struct {
		URI   string
		Base  string `json:"uriBaseId"`
		Index *int
	}
	wireArtifact struct{ Location wirePlace }
	wireRegion   struct {
		StartLine, StartColumn, EndLine, EndColumn int
		Snippet                                    wireText
	}
	wireSuppression struct{ Kind, Status string }
	wireFix         struct {
		Description wireText
		Changes     list[wireChange] `json:"artifactChanges"`
	}
	wireChange struct {
		Artifact     wirePlace `json:"artifactLocation"`
		Replacements list[wireReplacement]
	}
	wireReplacement struct {
		Deleted  wireRegion `json:"deletedRegion"`
		Inserted *wireText  `json:"insertedContent"`
	}
	wireInvocation struct {
		Successful    *bool  `json:"executionSuccessful"`
		Why           string `json:"exitCodeDescription"`
		Notifications list[struct {
			Level   string
			Message wireText
		}] `json:"toolExecutionNotifications"`
		Directory wirePlace `json:"workingDirectory"`
	}
)

// maxInner bounds each list inside of a result or a rule: what is over it is
// left out. Together with MaxResults it bounds what a log of `{}` can cost.
const maxInner = 20

// list is a list of which the first maxInner elements are kept.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	r := reader{dec: json.NewDecoder(bytes.NewReader(data))}
	return enough(r.list(func() error {
		if len(*l) >= maxInner {
			return errEnough
		}
		*l = append(*l, *new(T))
		return r.value(&(*l)[len(*l)-1])
	}))
}

// some is a map of which the first maxInner entries are kept.
type some[T any] map[string]T

// UnmarshalJSON implements json.Unmarshaler.
func (m *some[T]) UnmarshalJSON(data []byte) error {
	r := reader{dec: json.NewDecoder(bytes.NewReader(data))}
	return enough(r.object(func(key string) error {
		if len(*m) >= maxInner {
			return errEnough
		}
		var value T
		if err := r.value(&value); err != nil {
			return err
		}
		if *m == nil {
			*m = make(some[T])
		}
		(*m)[cut(key, maxName)] = value
		return nil
	}))
}

// errEnough ends a list whose rest is left out. That the rest is JSON was
// seen before it came here.
var errEnough = errors.New("enough")

func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// number is a number, or one in quotes, as GitHub's "security-severity" is; nil
// for what is neither.
type number struct{ value *float64 }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64)
	if err == nil && v >= 0 && v <= 10 {
		n.value = &v
	}
	return nil
}

// tells reports whether the result says that something is wrong at the head.
func (w wireResult) tells() bool {
	switch w.Kind {
	case "pass", "notApplicable":
		return false
	}
	return w.Baseline != "absent"
}

// suppressed follows the standard: one suppression that was accepted, or of
// which nothing is said, is enough; one that is under review or rejected is
// none (section 3.27.23).
func (w wireResult) suppressed() bool {
	found := false
	for _, s := range w.Suppressions {
		switch s.Status {
		case "", "accepted":
			found = true
		default:
			return false
		}
	}
	return found
}
