// Package secret holds values that must never be shown: keys, tokens,
// passwords. A Secret prints, logs and marshals as a placeholder, whatever
// verb or handler is used and however deep it sits in another value; the one
// way to its text is Reveal, which is easy to search for.
//
// Where secrets come from it leaves to internal/config; finding other
// people's secrets in code is the work of agents/secrets.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// placeholder is what is shown in place of a secret that is set.
const placeholder = "[secret]"

// Secret is a value that shows itself as "[secret]", or as "" when it is not
// set. The zero value is not set. It is immutable and safe for concurrent use.
type Secret struct {
	// text is a pointer because fmt cannot call methods on unexported fields of
	// other structs: it would print a string found there, but of a pointer below
	// the top level it prints the address.
	text *string
}

// New makes a secret of text; of empty text, the secret that is not set.
func New(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text. Hand it straight to what needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is not set; json's omitzero asks it too.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal compares in time that does not depend on the texts. Two secrets that
// are not set are equal; callers who check a credential refuse those first.
func (s Secret) Equal(other Secret) bool {
	// Hashing first makes both sides equally long, so that not even the length
	// is told by the time.
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns the placeholder.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return placeholder
}

// GoString returns the placeholder for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("secret.New(%q)", s.String()) }

// Format writes the placeholder for every verb: %x of a Stringer would
// otherwise be taken for a number's.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	// A formatter has nowhere to report a failed write to.
	_, _ = io.WriteString(f, text)
}

// MarshalText returns the placeholder; JSON, XML and YAML encoders use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns the placeholder for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
