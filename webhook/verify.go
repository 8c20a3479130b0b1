package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode"

	"assay/internal/fault"
)

// MinSecret is the shortest webhook secret that is taken, in bytes. Whoever
// captures one delivery can try secrets against it offline, as fast as hardware
// allows; 16 random characters, be they only hexadecimal digits, are 64 bits
// and out of reach, 8 are not. `openssl rand -hex 32` makes a good one.
const MinSecret = 16

// minDistinct is how many different bytes a secret has at least: a random one
// of 16 hexadecimal digits has fewer once in millions.
const minDistinct = 5

// Secret is a webhook secret. It never shows itself in logs or messages.
type Secret string

const redacted = "[redacted]"

func (Secret) String() string { return redacted }

// GoString keeps the secret out of %#v.
func (Secret) GoString() string { return redacted }

// LogValue keeps the secret out of structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON and its like.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ErrSignature is the error of every delivery that Verify refuses, whatever
// was wrong with it.
var ErrSignature = fault.New(fault.Unauthorized, errors.New("signature does not match"))

// Verifier checks the signatures of deliveries against one or more secrets. It
// is safe for concurrent use.
type Verifier struct {
	keys [][]byte
}

// NewVerifier makes a verifier that takes a signature made with any of the
// secrets; while a secret is being rotated there are two. It refuses to be
// without a secret, and secrets that can be guessed.
func NewVerifier(secrets []Secret) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no webhook secret: set one on GitHub and here, `openssl rand -hex 32` makes a good one")
	}
	v := &Verifier{}
	for i, s := range secrets {
		if err := checkSecret(s); err != nil {
			return nil, fmt.Errorf("webhook secret %d of %d: %w", i+1, len(secrets), err)
		}
		v.keys = append(v.keys, []byte(s))
	}
	return v, nil
}

// placeholders are secrets of examples and documentation, letters and digits
// only. Those shorter than MinSecret need no mention.
var placeholders = []string{
	"changemechangeme", "itsasecrettoeverybody", "mywebhooksecret1", "githubwebhooksecret", "githubappwebhooksecret",
	"yourgithubwebhooksecret", "yourwebhooksecret", "yourwebhooksecrethere", "replacewithyoursecret", "webhooksecretwebhooksecret",
	"developmentdevelopment", "0123456789abcdef", "1234567890123456", "passwordpassword",
}

func checkSecret(s Secret) error {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(s))
	distinct := bytes.Clone([]byte(s))
	slices.Sort(distinct)
	switch {
	case s == "":
		return errors.New("it is empty")
	case strings.TrimSpace(string(s)) != string(s):
		return errors.New("it begins or ends with white space")
	case len(s) < MinSecret:
		return fmt.Errorf("it has %d bytes, at least %d are needed", len(s), MinSecret)
	case slices.Contains(placeholders, letters):
		return errors.New("it is a placeholder from an example, known to everybody")
	case len(slices.Compact(distinct)) < minDistinct:
		return errors.New("it repeats too few characters")
	}
	return nil
}

// signaturePrefix begins the header X-Hub-Signature-256
// (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
// SHA-1 signatures are not taken.
const signaturePrefix = "sha256="

// Verify checks header, the value of X-Hub-Signature-256, against the raw bytes
// of the body. The error is always ErrSignature. The work and its time are the
// same whether the header is malformed, forged or good, and whichever secret
// made it.
func (v *Verifier) Verify(header string, body []byte) error {
	given, wellFormed := parseSignature(header)
	match := false
	for _, key := range v.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		var sum [sha256.Size]byte
		if hmac.Equal(mac.Sum(sum[:0]), given[:]) {
			match = true
		}
	}
	if !wellFormed || !match {
		return ErrSignature
	}
	return nil
}

func parseSignature(header string) (sum [sha256.Size]byte, ok bool) {
	digits, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok || len(digits) != hex.EncodedLen(len(sum)) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(digits))
	return sum, err == nil
}
