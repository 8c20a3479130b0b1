package strategy

import (
	"slices"
	"strings"
)

// A shape is a kind of value: it reads it, shows it, and describes it to the
// reference and to the JSON schema. Keys are made of shapes by field, so that
// one row says all there is to know of a key.
type shape[V any] interface {
	// read puts the value into dst, or reports why it cannot. What a mapping
	// leaves out keeps what dst holds.
	read(r *reader, v value, where string, dst *V)
	// show is the value as people write it; "" for none.
	show(v V) string
	describe() description
}

// lister is a shape with keys of its own, shown one by one.
type lister[V any] interface {
	values(v V, where string) []Value
}

// description is what a shape is, for people and for editors.
type description struct {
	// what is the kind of value in words, bound its bounds; may be empty.
	what, bound string
	schema      schema
	// keys are those of a mapping, or of the mappings that a list or a mapping
	// of free names holds; entry is how such a one is written ("<name>", "[]").
	keys  []key
	entry string
}

// schema is a JSON Schema.
type schema map[string]any

// key is all that the reference says of a key.
type key struct {
	name, doc, example string
	required           bool
	// operator says that the operator's file alone may have the key.
	operator bool
	description
}

// row is a key of a mapping that is read into a T.
type row[T any] struct {
	key
	read   func(r *reader, v value, where string, t *T)
	values func(t T, where string) []Value
}

// Value is a key with the value in force.
type Value struct {
	// Key is dotted, as "pipelines.review.gate.fail_on".
	Key string `json:"key"`
	// Text is the value as it would be written.
	Text   string `json:"text"`
	Origin Origin `json:"origin"`
}

// field makes a row: the key's name, its shape, the place it is read into, and
// what it is for.
func field[T, V any](name string, s shape[V], at func(*T) *V, doc string) row[T] {
	return row[T]{
		key:  key{name: name, doc: doc, description: s.describe()},
		read: func(r *reader, v value, where string, t *T) { s.read(r, v, where, at(t)) },
		values: func(t T, where string) []Value {
			if l, ok := s.(lister[V]); ok {
				return l.values(*at(&t), where)
			}
			if text := s.show(*at(&t)); text != "" {
				return []Value{{Key: where, Text: text}}
			}
			return nil
		},
	}
}

// eg gives the row an example.
func (f row[T]) eg(example string) row[T] { f.example = example; return f }

// must makes the key one that cannot be left out.
func (f row[T]) must() row[T] { f.required = true; return f }

// operators makes the key one of the operator's file alone.
func (f row[T]) operators() row[T] { f.operator = true; return f }

// object is a mapping of known keys.
type object[T any] struct {
	rows func() []row[T]
	// check looks at the whole; may be nil. v is never empty.
	check func(r *reader, v value, where string, t *T)
}

func (o object[T]) read(r *reader, v value, where string, dst *T) {
	pairs, ok := r.pairs(v, where)
	if !ok && len(pairs) == 0 {
		return
	}
	rows := o.rows()
	given := make(map[string]pair, len(pairs))
	names := namesOf(rows)
	for _, p := range pairs {
		given[p.name] = p
	}
	for _, p := range pairs {
		if !slices.Contains(names, p.name) {
			r.unknown(p.at, "unknown key "+quote(join(where, p.name)), p.name, names)
		}
	}
	// In the order of the table, since some keys are about others.
	for _, f := range rows {
		p, ok := given[f.name]
		switch at := join(where, f.name); {
		case !ok && f.required && where != "": // of the root, each file is asked
			r.report(v.top(), "%s: the key %s is missing", orFile(where), f.name)
		case !ok:
		case f.operator && p.at.layer > Operator:
			r.report(p.at, "%s is for the operator's file alone: remove it here", at)
		default:
			r.origins[at] = p.at.origin()
			f.read(r, p.value, at, dst)
		}
	}
	if o.check != nil {
		o.check(r, v, where, dst)
	}
}

func (o object[T]) show(T) string { return "" }

func (o object[T]) values(t T, where string) []Value {
	var all []Value
	for _, f := range o.rows() {
		all = append(all, f.values(t, join(where, f.name))...)
	}
	return all
}

func (o object[T]) describe() description {
	rows := o.rows()
	keys := make([]key, len(rows))
	properties := make(schema, len(rows))
	var required []any
	for i, f := range rows {
		keys[i] = f.key
		property := schema{"description": f.doc}
		for k, v := range f.schema {
			property[k] = v
		}
		properties[f.name] = property
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return description{what: "a mapping", schema: s, keys: keys}
}

func namesOf[T any](rows []row[T]) []string {
	names := make([]string, len(rows))
	for i, f := range rows {
		names[i] = f.name
	}
	return names
}

// shown joins texts as a list is written.
func shown(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
