package logs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"assay/internal/secret"
)

// The planted secrets. None is a real one.
const (
	webhook  = "canary/webhook+secret&1=\"x\""
	admin    = "canary-admin-token-0123456789"
	password = "cAn4ry!pass"
	database = "postgres://assay:" + "cAn4ry%21pass" + "@db.example:5432/assay"
	minted   = "ghs_16C7e42F292c6912E7710c838347Ae178B4a.and/more+of=it"
)

var key = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: bytes.Repeat([]byte("canary key bytes, not a key "), 9)}))

func newCensor() Censor {
	var all []secret.Secret
	for _, text := range []string{webhook, admin, password, database, key} {
		all = append(all, secret.New(text))
	}
	return New(all)
}

// canaries are what may not be found in a log, one for each secret, and one for
// each line of the key.
func canaries() map[string]string {
	found := map[string]string{"webhook": webhook, "admin": admin, "password": password, "password in the URL": "cAn4ry%21pass", "token": minted}
	for i, line := range strings.Split(strings.TrimSpace(key), "\n") {
		if !strings.HasPrefix(line, "-----") {
			found[fmt.Sprint("key line ", i)] = line
		}
	}
	return found
}

// mustHide fails when text shows a canary in any form, JSON's included.
func mustHide(t *testing.T, what, text string) {
	t.Helper()
	for name, canary := range canaries() {
		for form, shown := range map[string]string{
			"plain": canary, "URL": url.QueryEscape(canary), "hex": hex.EncodeToString([]byte(canary)),
			"base64": base64.StdEncoding.EncodeToString([]byte(canary)), "JSON": strings.ReplaceAll(canary, `"`, `\"`),
		} {
			if strings.Contains(text, shown) {
				t.Errorf("%s shows %s (%s):\n%s", what, name, form, text)
			}
		}
	}
}

type stringer struct{ text string }

func (s stringer) String() string { return "stringer of " + s.text }

type valuer struct{ text string }

func (v valuer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("inner", v.text), slog.Any("err", errors.New(v.text)))
}

type marshaler struct{ text string }

func (m marshaler) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "{\"hidden\":%q}", m.text), nil
}

type textMarshaler struct{ text string }

func (m textMarshaler) MarshalText() ([]byte, error) { return []byte(m.text), nil }

type loudError struct{ text string }

func (loudError) Error() string { return "quiet" }
func (e loudError) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprint(f, "loud: ", e.text)
}

// tersely says less with a verb than by itself.
type tersely struct{ text string }

func (e tersely) Error() string              { return e.text }
func (tersely) Format(f fmt.State, _ rune)   { _, _ = fmt.Fprint(f, "terse") }
func (tersely) MarshalJSON() ([]byte, error) { return nil, errors.New("not this one") }

// values carry text in every kind of attribute there is.
func values(text string) map[string]any {
	return map[string]any{
		"string": text, "error": errors.New(text), "wrapped error": fmt.Errorf("dial: %w", errors.New("to "+text)),
		"joined errors": errors.Join(errors.New("one"), errors.New(text)), "error that says more with a verb": loudError{text}, "error that says less": tersely{text},
		"Stringer": stringer{text}, "pointer to Stringer": &stringer{text}, "LogValuer": valuer{text},
		"bytes": []byte(text), "slice": []string{"a", text}, "map": map[string]any{"k": map[string]string{"deep": text}}, "map key": map[string]int{text: 1},
		"struct": struct{ A, B string }{"a", text}, "pointer in a struct": struct{ P *stringer }{&stringer{text}},
		"pointer to exported": &struct{ Nested *struct{ Text string } }{&struct{ Text string }{text}},
		"json.Marshaler":      marshaler{text}, "TextMarshaler": textMarshaler{text}, "header": http.Header{"Authorization": {"Bearer " + text}},
		"URL":   &url.URL{Scheme: "https", Host: "h", RawQuery: url.Values{"q": {text}}.Encode()},
		"group": slog.GroupValue(slog.String("a", text), slog.Group("b", slog.Any("c", errors.New(text)))),
		"basic": "Basic " + base64.StdEncoding.EncodeToString([]byte("assay:"+text)), "basic, another place": base64.RawURLEncoding.EncodeToString([]byte("x:" + text + "!")),
		"hex": hex.EncodeToString([]byte("before " + text)), "quoted": fmt.Sprintf("%q", text),
	}
}

// TestLogsHide plants every secret in every kind of attribute, in the message,
// in keys and in groups, for both of slog's handlers.
func TestLogsHide(t *testing.T) {
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	for name, handler := range handlers {
		for planted, text := range map[string]string{"webhook": webhook, "admin": admin, "password": password, "database": database, "key": key, "token": minted} {
			for kind, value := range values(text) {
				if text == minted && kind == "hex" {
					continue // it is known by its look alone
				}
				var out bytes.Buffer
				log := slog.New(newCensor().Handler(handler(&out)))
				log.With("with", value).WithGroup("g").With("more", value).Info("start", "attr", value, slog.Group("in", "v", value))
				what := fmt.Sprintf("%s of %s as %s", name, planted, kind)
				mustHide(t, what, out.String())
				if !strings.Contains(out.String(), mask) {
					t.Errorf("%s does not say that something was left out:\n%s", what, out.String())
				}
			}
			var out bytes.Buffer
			slog.New(newCensor().Handler(handler(&out))).WithGroup("g"+text).Info("message with "+text, "key"+text, 1)
			mustHide(t, name+" of "+planted+" in the message and in keys", out.String())
		}
	}
}

func TestText(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0123.c2lnbmF0dXJlLW9mLWl0"
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                {"run done, 3 findings in a_b.go", "run done, 3 findings in a_b.go"},
		"a secret":               {"got " + admin + ".", "got [secret]."},
		"twice":                  {admin + admin, "[secret][secret]"},
		"an installation token":  {"Authorization: token " + minted, "Authorization: token [secret]"},
		"another's token":        {"ghp_0123456789abcdefghij0123456789abcdef,", "[secret],"},
		"a JWT":                  {"Bearer " + jwt, "Bearer [secret]"},
		"a password in a URL":    {"dial postgres://u:short@h/d: refused", "dial postgres://u:[secret]@h/d: refused"},
		"a port is no password":  {"http://h:8080/a@b", "http://h:8080/a@b"},
		"the start of a secret":  {"canary-admin", "canary-admin"},
		"words that look alike":  {"eyJ and gh_ and high_findings_of_the_change", "eyJ and gh_ and high_findings_of_the_change"},
		"the longest form first": {database, "[secret]"},
	} {
		if got := newCensor().Text(tt.in); got != tt.want {
			t.Errorf("%s: %q becomes %q, want %q", name, tt.in, got, tt.want)
		}
	}
	two := New([]secret.Secret{secret.New("canary-old"), secret.New("canary-old-and-longer")})
	if got := two.Text("canary-old-and-longer, canary-old"); got != "[secret], [secret]" {
		t.Errorf("a secret that begins another: %q", got)
	}
	if got := (Censor{}).Text("a " + minted); got != "a [secret]" {
		t.Errorf("a censor without secrets: %q", got)
	}
	if got := New([]secret.Secret{{}, secret.New("abc")}).Text("abc is too short"); got != "abc is too short" {
		t.Errorf("a secret that is no secret: %q", got)
	}
}

// TestOthersPass holds that values without secrets stay what they are: a number
// a number, a structure a structure.
func TestOthersPass(t *testing.T) {
	var plain, censored bytes.Buffer
	at := time.Unix(0, 0).UTC()
	log := func(h slog.Handler) {
		r := slog.NewRecord(at, slog.LevelInfo, "m", 0)
		r.Add("n", 1, "f", 1.5, "b", true, "t", at, "d", time.Second, "s", []string{"x"}, "e", errors.New("no"), "nil", nil,
			"struct", struct{ A int }{1}, slog.Group("g", "a", 1), slog.Group("empty"))
		if err := h.WithAttrs([]slog.Attr{slog.Int("w", 1)}).Handle(context.Background(), r); err != nil {
			t.Error(err)
		}
	}
	log(slog.NewJSONHandler(&plain, nil))
	log(newCensor().Handler(slog.NewJSONHandler(&censored, nil)))
	if plain.String() != censored.String() {
		t.Errorf("plain    %scensored %s", &plain, &censored)
	}
}

// TestBytes holds that bytes are looked at as the text that they are.
func TestBytes(t *testing.T) {
	var out bytes.Buffer
	slog.New(newCensor().Handler(slog.NewTextHandler(&out, nil))).Info("m", "v", []byte("dial postgres://u:unknown@h/d"))
	if strings.Contains(out.String(), "unknown") {
		t.Errorf("log %s", out.String())
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("canary: " + admin) }

func TestPanics(t *testing.T) {
	var out bytes.Buffer
	slog.New(newCensor().Handler(slog.NewJSONHandler(&out, nil))).Info("m", "v", panics{})
	mustHide(t, "a panic", out.String())
	if !strings.Contains(out.String(), unshowable) {
		t.Errorf("log %s", out.String())
	}
}

// FuzzText holds that a secret is found wherever it stands in a text and in
// base64 of that text.
func FuzzText(f *testing.F) {
	f.Add("before", "after")
	f.Add("", "\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		c := newCensor()
		whole := before + admin + after
		for form, text := range map[string]string{
			"plain": whole, "hex": hex.EncodeToString([]byte(whole)),
			"base64": base64.StdEncoding.EncodeToString([]byte(whole)), "raw base64": base64.RawURLEncoding.EncodeToString([]byte(whole)),
		} {
			clean := c.Text(text)
			if clean == text || strings.Contains(clean, admin) {
				t.Errorf("%s: %q stays %q", form, text, clean)
			}
		}
	})
}
