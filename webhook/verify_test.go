package webhook

import (
	"bytes"
	"crypto/hmac" //nolint:gosec // to show that it is refused
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"assay/internal/fault"
)

const testSecret = Secret("correct-horse-battery")

func sign(secret Secret, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func newVerifier(t testing.TB, secrets ...Secret) *Verifier {
	t.Helper()
	v, err := NewVerifier(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The vector is GitHub's own, from "Validating webhook deliveries". Its secret
// is refused by NewVerifier, because everybody knows it.
func TestVerifyGitHubVector(t *testing.T) {
	v := &Verifier{keys: [][]byte{[]byte("It's a Secret to Everybody")}}
	const header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if err := v.Verify(header, []byte("Hello, World!")); err != nil {
		t.Error(err)
	}
	if err := v.Verify(header, []byte("Hello, World?")); err == nil {
		t.Error("another body passes")
	}
}

func TestVerifyRotation(t *testing.T) {
	const old, next, other = Secret("the-old-secret-of-ours"), Secret("the-new-secret-of-ours"), Secret("somebody-elses-secret")
	body := []byte(`{"a":1}`)
	v := newVerifier(t, old, next)
	for secret, want := range map[Secret]bool{old: true, next: true, other: false} {
		if got := v.Verify(sign(secret, body), body) == nil; got != want {
			t.Errorf("signed with %q: %t, want %t", string(secret), got, want)
		}
	}
}

// badSignatures are headers that must all be refused, for the body they are
// made for.
func badSignatures(body []byte) map[string]string {
	good := sign(testSecret, body)
	digits := strings.TrimPrefix(good, "sha256=")
	sha1MAC := hmac.New(sha1.New, []byte(testSecret))
	sha1MAC.Write(body)
	plain := sha256.Sum256(body)
	flipped := []byte(good)
	flipped[len(flipped)-1] ^= 1
	return map[string]string{
		"none":                         "",
		"prefix only":                  "sha256=",
		"digits only":                  digits,
		"another secret":               sign("another-horse-battery", body),
		"empty secret":                 sign("", body),
		"another body":                 sign(testSecret, append([]byte(" "), body...)),
		"body with its newline":        sign(testSecret, append(bytes.Clone(body), '\n')),
		"hash without key":             "sha256=" + hex.EncodeToString(plain[:]),
		"secret appended, not HMAC":    fmt.Sprintf("sha256=%x", sha256.Sum256(append(bytes.Clone(body), testSecret...))),
		"SHA-1":                        "sha1=" + hex.EncodeToString(sha1MAC.Sum(nil)),
		"SHA-1 under SHA-256's name":   "sha256=" + hex.EncodeToString(sha1MAC.Sum(nil)),
		"SHA-256 under SHA-1's name":   "sha1=" + digits,
		"upper-case prefix":            "SHA256=" + digits,
		"one digit flipped":            string(flipped),
		"one digit missing":            good[:len(good)-1],
		"one digit more":               good + "0",
		"all zeros":                    "sha256=" + strings.Repeat("0", 64),
		"not hexadecimal":              "sha256=" + strings.Repeat("g", 64),
		"good prefix, then not digits": good[:len(good)-2] + "zz",
		"base64":                       "sha256=dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhcdXEH6g6yUJ/CESIczphLij",
		"leading space":                " " + good,
		"trailing space":               good + " ",
		"trailing NUL":                 good + "\x00",
		"two in one, good first":       good + "," + "sha256=" + strings.Repeat("0", 64),
		"two in one, good last":        "sha256=" + strings.Repeat("0", 64) + "," + good,
		"huge":                         "sha256=" + strings.Repeat("a", 1<<16),
		"other letters that look hex":  "sha256=" + strings.Repeat("ａ", 64),
	}
}

func TestVerifyRefuses(t *testing.T) {
	for _, body := range [][]byte{nil, []byte("{}"), []byte(`{"action":"opened"}`)} {
		v := newVerifier(t, "the-old-secret-of-ours", testSecret)
		if err := v.Verify(sign(testSecret, body), body); err != nil {
			t.Fatalf("good signature of %q: %v", body, err)
		}
		for name, header := range badSignatures(body) {
			err := v.Verify(header, body)
			if !errors.Is(err, ErrSignature) || fault.KindOf(err) != fault.Unauthorized {
				t.Errorf("%s of %q: %v, want ErrSignature", name, body, err)
			}
		}
	}
}

// Digits that cannot be decoded must not count as the zeros they leave behind:
// one MAC in 256 ends in a zero byte.
func TestVerifyRefusesDigitsLeftOut(t *testing.T) {
	v := newVerifier(t, testSecret)
	for i := range 10_000 {
		body := fmt.Append(nil, i)
		good := sign(testSecret, body)
		if !strings.HasSuffix(good, "00") {
			continue
		}
		if v.Verify(good[:len(good)-2]+"zz", body) == nil {
			t.Errorf("a signature ending in zz passes for one ending in 00")
		}
		return
	}
	t.Fatal("no body whose MAC ends in a zero byte")
}

func TestNewVerifierRefuses(t *testing.T) {
	const good = "4b7c1d0a9e63f528"
	tests := []struct {
		name    string
		secrets []Secret
		want    string
	}{
		{"none", nil, "no webhook secret"},
		{"empty list", []Secret{}, "no webhook secret"},
		{"empty", []Secret{""}, "1 of 1: it is empty"},
		{"one of two empty", []Secret{good, ""}, "2 of 2: it is empty"},
		{"Probot's default", []Secret{"development"}, "at least 16"},
		{"short", []Secret{"4b7c1d0a9e63f52"}, "has 15 bytes, at least 16"},
		{"spaces", []Secret{"                    "}, "white space"},
		{"newline of a file", []Secret{good + "\n"}, "white space"},
		{"GitHub's example", []Secret{"It's a Secret to Everybody"}, "placeholder"},
		{"placeholder", []Secret{"your-webhook-secret"}, "placeholder"},
		{"placeholder in capitals", []Secret{"YOUR_WEBHOOK_SECRET"}, "placeholder"},
		{"digits in order", []Secret{"0123456789abcdef"}, "placeholder"},
		{"repeated", []Secret{"aaaaaaaaaaaaaaaaaaaaaaaa"}, "too few characters"},
		{"repeated pair", []Secret{"abababababababababababab"}, "too few characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := NewVerifier(tt.secrets)
			if err == nil || !strings.Contains(err.Error(), tt.want) || v != nil {
				t.Fatalf("verifier %v, error %v, want one with %q", v, err, tt.want)
			}
			for _, s := range tt.secrets {
				if len(s) > 2 && strings.Contains(err.Error(), string(s)) {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
	if _, err := NewVerifier([]Secret{good}); err != nil {
		t.Errorf("16 hexadecimal digits: %v", err)
	}
}

func TestSecretDoesNotShow(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", testSecret, "in", struct{ S Secret }{testSecret})
	asJSON, err := json.Marshal(map[string]Secret{"s": testSecret})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(testSecret), fmt.Sprintf("%v %+v %#v %s %q", testSecret, testSecret, testSecret, testSecret, testSecret),
		fmt.Sprintf("%v", struct{ S Secret }{testSecret}), log.String(), string(asJSON),
	} {
		if strings.Contains(shown, string(testSecret)) || !strings.Contains(shown, "redacted") {
			t.Errorf("shown: %s", shown)
		}
	}
}

// FuzzVerify holds that only one header passes, up to the case of its digits.
func FuzzVerify(f *testing.F) {
	for _, header := range badSignatures([]byte("{}")) {
		f.Add(header, []byte("{}"))
	}
	f.Add(sign(testSecret, []byte("{}")), []byte("{}"))
	v := newVerifier(f, testSecret)
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		want := sign(testSecret, body)
		prefix, digits, _ := strings.Cut(header, "=")
		if got := v.Verify(header, body) == nil; got != (prefix+"="+strings.ToLower(digits) == want) {
			t.Errorf("%q of %q passes: %t", header, body, got)
		}
	})
}
