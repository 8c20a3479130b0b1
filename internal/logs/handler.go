package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
)

// Handler hands records to next with secrets replaced in messages, keys and
// values of every kind.
func (c Censor) Handler(next slog.Handler) slog.Handler { return handler{c, next} }

type handler struct {
	censor Censor
	next   slog.Handler
}

// Enabled asks the next handler.
func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle hands a censored copy of the record on.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.censor.Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.censor.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs censors the attributes before the next handler formats them.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.censor, h.next.WithAttrs(h.censor.attrs(attrs))}
}

// WithGroup opens a group.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.censor, h.next.WithGroup(h.censor.Text(name))}
}

func (c Censor) attrs(attrs []slog.Attr) []slog.Attr {
	clean := slices.Clone(attrs)
	for i, a := range clean {
		clean[i] = c.attr(a)
	}
	return clean
}

func (c Censor) attr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: c.Text(a.Key), Value: c.value(a.Value)}
}

func (c Censor) value(v slog.Value) slog.Value {
	v = v.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(c.Text(v.String()))
	case slog.KindGroup:
		return slog.GroupValue(c.attrs(v.Group())...)
	case slog.KindAny:
		return c.any(v)
	default: // numbers, times and truth values hold no text
		return v
	}
}

// unshowable stands for a value whose methods panic: what would then be written
// is not known.
const unshowable = "[value that cannot be shown]"

// any censors a value of a type that slog does not know. One that shows a
// secret in any of the ways in which handlers write values becomes its censored
// text; others stay what they are.
func (c Censor) any(v slog.Value) slog.Value {
	texts, ok := shown(v.Any())
	if !ok {
		return slog.StringValue(unshowable)
	}
	for _, text := range texts {
		if clean := c.Text(text); clean != text {
			return slog.StringValue(clean)
		}
	}
	return v
}

// shown is what slog's handlers, and others like them, write for v, the likely
// text first. It reports false when v's own methods panic.
func shown(v any) (texts []string, ok bool) {
	defer func() { ok = recover() == nil }()
	switch v := v.(type) {
	case nil:
		return nil, true
	case error:
		texts = append(texts, v.Error())
	case []byte:
		texts = append(texts, string(v))
	}
	texts = append(texts, fmt.Sprintf("%+v", v))
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) == nil {
		texts = append(texts, string(bytes.TrimSpace(b.Bytes())))
	}
	return texts, true
}
