package strategy

import (
	"fmt"
	"regexp"
	"slices"
	"sort"

	"github.com/goccy/go-yaml/ast"
)

// names is a list of different texts.
type names struct {
	item  text
	limit int
}

func (l names) read(r *reader, v value, where string, dst *[]string) {
	var all []string
	r.list(v.top(), where, l.limit, func(n node) {
		var s string
		l.item.read(r, value{n}, where, &s)
		switch {
		case s == "":
		case slices.Contains(all, s):
			r.report(n, "%s lists %s twice: keep one", where, quote(s))
		default:
			all = append(all, s)
		}
	})
	*dst = all
}

func (names) show(list []string) string { return shown(list) }

func (l names) describe() description {
	item := l.item.describe()
	return description{
		what: "a list of " + plural(item.what), bound: fmt.Sprintf("at most %d", l.limit),
		schema: schema{"type": "array", "minItems": 1, "maxItems": l.limit, "uniqueItems": true, "items": item.schema},
	}
}

// plural is the kind of a list's entries: "a glob" becomes "globs".
func plural(what string) string {
	if len(what) > 2 && what[:2] == "a " {
		what = what[2:]
	} else if len(what) > 3 && what[:3] == "an " {
		what = what[3:]
	}
	return what + "s"
}

// records is a list of mappings. Those of all layers count, the lower layer's
// first; one with the same identity as another takes its place.
type records[T any] struct {
	item  object[T]
	limit int
	// id tells records apart; nil where they cannot be.
	id func(T) string
	// line is a record on one line.
	line func(T) string
}

func (l records[T]) read(r *reader, v value, where string, dst *[]T) {
	var all []T
	for _, layer := range v {
		before := len(all)
		i := 0
		r.list(layer, where, l.limit, func(n node) {
			at := fmt.Sprintf("%s[%d]", where, i)
			i++
			var t T
			l.item.read(r, value{n}, at, &t)
			all = l.add(r, all, before, t, n, where)
		})
	}
	if len(all) > l.limit {
		r.report(v.top(), "%s has %d entries with those of the layers below, the limit is %d", where, len(all), l.limit)
		return
	}
	*dst = all
}

// add appends t, or puts it in the place of a lower layer's of that identity.
// Those from index own on are of t's own layer.
func (l records[T]) add(r *reader, all []T, own int, t T, n node, where string) []T {
	if l.id == nil || l.id(t) == "" {
		return append(all, t)
	}
	i := slices.IndexFunc(all, func(other T) bool { return l.id(other) == l.id(t) })
	switch {
	case i < 0:
		return append(all, t)
	case i >= own:
		r.report(n, "%s lists %s twice: keep one", where, quote(l.id(t)))
	default:
		all[i] = t
	}
	return all
}

func (l records[T]) show([]T) string { return "" }

func (l records[T]) values(list []T, where string) []Value {
	all := make([]Value, len(list))
	for i, t := range list {
		all[i] = Value{Key: fmt.Sprintf("%s[%d]", where, i), Text: l.line(t)}
	}
	return all
}

func (l records[T]) describe() description {
	item := l.item.describe()
	return description{
		what: "a list of mappings", bound: fmt.Sprintf("at most %d", l.limit), keys: item.keys, entry: "[]",
		schema: schema{"type": "array", "minItems": 1, "maxItems": l.limit, "items": item.schema},
	}
}

// entries is a mapping of free names to mappings, kept as a list in the order
// of the files.
type entries[T any] struct {
	// what one is called in messages, and the form of its name, with hint in
	// words.
	what string
	form *regexp.Regexp
	hint string
	// empty is what to do about a mapping without any.
	empty string
	limit int
	item  object[T]
	// fresh is one before it is read, name its name.
	fresh func(r *reader, name string) T
	name  func(T) string
}

func (e entries[T]) read(r *reader, v value, where string, dst *[]T) {
	pairs, ok := r.pairs(v, where)
	switch {
	case !ok && len(pairs) == 0:
		return
	case len(pairs) == 0:
		r.report(v.top(), "%s is empty: name at least one, or %s", where, e.empty)
	case len(pairs) > e.limit:
		r.report(v.top(), "%s has %d entries, the limit is %d", where, len(pairs), e.limit)
		return
	}
	*dst = nil
	for _, p := range pairs {
		if !e.form.MatchString(p.name) {
			r.report(p.at, "%s: %s cannot be a name: use %s", where, quote(p.name), e.hint)
			p.name = quote(p.name)
		}
		// One with a bad name is read too: all problems are told at once.
		t := e.fresh(r, p.name)
		at := join(where, p.name)
		r.origins[at] = p.at.origin()
		e.item.read(r, p.value, at, &t)
		*dst = append(*dst, t)
	}
}

func (e entries[T]) show([]T) string { return "" }

func (e entries[T]) values(list []T, where string) []Value {
	var all []Value
	for _, t := range list {
		all = append(all, e.item.values(t, join(where, e.name(t)))...)
	}
	return all
}

func (e entries[T]) describe() description {
	item := e.item.describe()
	return description{
		what: "a mapping by name", bound: fmt.Sprintf("at most %d", e.limit), keys: item.keys, entry: ".<name>",
		schema: schema{
			"type": "object", "minProperties": 1, "maxProperties": e.limit,
			"propertyNames": schema{"pattern": e.form.String()}, "additionalProperties": item.schema,
		},
	}
}

// dictionary is a mapping of free names to plain values.
type dictionary[V any] struct {
	limit int
	item  shape[V]
	// key makes of the name what is kept, or reports why not; nil keeps it.
	key func(r *reader, n node, where, name string) (string, bool)
}

func (d dictionary[V]) read(r *reader, v value, where string, dst *map[string]V) {
	pairs, ok := r.pairs(v, where)
	switch {
	case !ok && len(pairs) == 0:
		return
	case len(pairs) == 0:
		r.report(v.top(), "%s is empty: name at least one, or remove the key", where)
		return
	case len(pairs) > d.limit:
		r.report(v.top(), "%s has %d entries, the limit is %d", where, len(pairs), d.limit)
		return
	}
	all := make(map[string]V, len(pairs))
	for _, p := range pairs {
		name, ok := p.name, true
		if d.key != nil {
			name, ok = d.key(r, p.at, where, p.name)
		}
		if !ok {
			continue
		}
		var item V
		d.item.read(r, p.value, join(where, quoteKey(p.name)), &item)
		r.origins[join(where, quoteKey(name))] = p.at.origin()
		all[name] = item
	}
	*dst = all
}

// quoteKey keeps a free name on one line and not long.
func quoteKey(name string) string {
	if plainKey.MatchString(name) {
		return name
	}
	return quote(name)
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_/-]{1,100}$`)

func (d dictionary[V]) show(map[string]V) string { return "" }

func (d dictionary[V]) values(m map[string]V, where string) []Value {
	var all []Value
	for name, v := range m {
		all = append(all, Value{Key: join(where, quoteKey(name)), Text: d.item.show(v)})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Key < all[j].Key })
	return all
}

func (d dictionary[V]) describe() description {
	item := d.item.describe()
	return description{
		what: "a mapping of names to " + item.what, bound: fmt.Sprintf("at most %d", d.limit),
		schema: schema{"type": "object", "minProperties": 1, "maxProperties": d.limit, "additionalProperties": item.schema},
	}
}

// groups is a list of lists of names.
type groups struct {
	item  names
	limit int
}

func (g groups) read(r *reader, v value, where string, dst *[][]string) {
	var all [][]string
	seen := make(map[string]bool)
	r.list(v.top(), where, g.limit, func(n node) {
		var group []string
		g.item.read(r, value{n}, where, &group)
		for _, name := range group {
			if seen[name] {
				r.report(n, "%s lists %s twice: keep one", where, quote(name))
			}
			seen[name] = true
		}
		all = append(all, group)
	})
	*dst = all
}

func (groups) show(list [][]string) string {
	var all []string
	for _, g := range list {
		all = append(all, shown(g))
	}
	return shown(all)
}

func (g groups) describe() description {
	item := g.item.describe()
	return description{
		what: "a list of lists of " + plural(g.item.item.what), bound: fmt.Sprintf("at most %d", g.limit),
		schema: schema{"type": "array", "minItems": 1, "maxItems": g.limit, "items": item.schema},
	}
}

// scalar reports whether the node is a plain value.
func scalar(n node) bool {
	switch n.resolve().(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return false
	}
	return true
}
