package webhook

import (
	"math"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The types below decode a value of their own kind and skip, as if it were
// missing, a value of any other.

type text string

func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*t = ""
	if d.PeekKind() != '"' {
		return d.SkipValue()
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	*t = text(token.String())
	return nil
}

type flag bool

func (f *flag) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*f = d.PeekKind() == 't'
	return d.SkipValue()
}

// number is a whole number; any that does not fit counts as missing.
type number int64

func (n *number) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*n = 0
	if d.PeekKind() != '0' {
		return d.SkipValue()
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if i, err := token.Int(); err == nil {
		*n = number(i)
	}
	return nil
}

// date is a time as RFC 3339 text, or as seconds since 1970, which old events
// have; anything else is the zero time.
type date time.Time

func (t *date) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*t = date{}
	switch d.PeekKind() {
	case '0':
		var seconds number
		if err := seconds.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		if seconds > 0 && seconds <= math.MaxInt32 {
			*t = date(time.Unix(int64(seconds), 0).UTC())
		}
		return nil
	case '"':
		var s text
		if err := s.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		if at, err := time.Parse(time.RFC3339, string(s)); err == nil {
			*t = date(at.UTC())
		}
		return nil
	default:
		return d.SkipValue()
	}
}

type object[T any] struct {
	value   T
	present bool
}

func (o *object[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*o = object[T]{}
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	o.present = true
	return json.UnmarshalDecode(d, &o.value)
}

// maxList is how many entries of a list are kept. GitHub allows 100 labels on a
// pull request.
const maxList = 1000

// list is a list of objects; entries of another kind are left out.
type list[T any] []T

func (l *list[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	if d.PeekKind() != '[' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		var entry object[T]
		if err := entry.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		if entry.present && len(*l) < maxList {
			*l = append(*l, entry.value)
		}
	}
	_, err := d.ReadToken()
	return err
}
