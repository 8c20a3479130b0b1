package strategy

import (
	"fmt"
	"slices"
	"strings"

	"assay/review"
)

// LayerKind is who a config file speaks for. Each is over those before it.
type LayerKind int

// The layers. BuiltIn is not a file.
const (
	BuiltIn LayerKind = iota
	Operator
	Organisation
	Repository
)

var layerNames = [...]string{"built-in", "operator", "organisation", "repository"}

func (k LayerKind) String() string {
	if k < 0 || int(k) >= len(layerNames) {
		return fmt.Sprintf("layer(%d)", int(k))
	}
	return layerNames[k]
}

// MarshalText writes the layer's name.
func (k LayerKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the layer's name.
func (k *LayerKind) UnmarshalText(text []byte) error {
	i := slices.Index(layerNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown layer %q", text)
	}
	*k = LayerKind(i)
	return nil
}

// Layer is one config file.
type Layer struct {
	Kind LayerKind
	// Path is how problems and origins name the file.
	Path string
	Data []byte
}

// unreadable is the problem of a file on which the YAML library gives up.
func (l Layer) unreadable() review.Problem {
	return review.Problem{Layer: l.Kind.elsewhere(), Path: l.Path, Line: 1, Column: 1, Message: "the file is not YAML that can be read"}
}

// Origin is where a value comes from. The zero value is the built-in default.
type Origin struct {
	Layer LayerKind `json:"layer"`
	// Path, Line and Column are empty for BuiltIn.
	Path   string `json:"path,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String is "repository (.github/assay.yml:3)", or "built-in".
func (o Origin) String() string {
	if o.Layer == BuiltIn {
		return o.Layer.String()
	}
	return fmt.Sprintf("%s (%s:%d)", o.Layer, o.Path, o.Line)
}

func (o Origin) problem(message string) review.Problem {
	return review.Problem{Layer: o.Layer.elsewhere(), Path: o.Path, Line: o.Line, Column: o.Column, Message: message}
}

// elsewhere names a layer whose file is not in the repository; "" for the
// others.
func (k LayerKind) elsewhere() string {
	if k == Operator || k == Organisation {
		return k.String()
	}
	return ""
}

// Origin is where the value of a dotted key comes from, as
// "pipelines.review.gate.fail_on". The zero value is the built-in default.
func (c *Config) Origin(key string) Origin { return c.origins[key] }

// originOf is the origin of a value as Values names it: an entry of a list has
// that of the list.
func (c *Config) originOf(key string) Origin {
	if i := strings.LastIndexByte(key, '['); i > 0 {
		key = key[:i]
	}
	return c.origins[key]
}
