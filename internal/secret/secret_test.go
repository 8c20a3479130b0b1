package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "kanarie-8c1f0e5a"

// holder carries secrets in each of the ways a struct can.
type holder struct {
	Exported   Secret
	unexported Secret
	Pointer    *Secret
	List       []Secret
	Map        map[string]Secret
	Any        any
}

func newHolder() holder {
	s := New(canary)
	return holder{Exported: s, unexported: s, Pointer: &s, List: []Secret{s}, Map: map[string]Secret{"k": s}, Any: s}
}

// holderXML has a name, which encoding/xml needs for its element.
type holderXML struct{ Token Secret }

// mustHide fails when text shows the canary, plainly or encoded.
func mustHide(t *testing.T, what, text string) {
	t.Helper()
	forms := map[string]string{
		"plain":  canary,
		"hex":    hex.EncodeToString([]byte(canary)),
		"HEX":    strings.ToUpper(hex.EncodeToString([]byte(canary))),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary)),
		"bytes":  strings.Trim(fmt.Sprint([]byte(canary)), "[]"),
	}
	for form, shown := range forms {
		if strings.Contains(text, shown) {
			t.Errorf("%s shows the secret (%s): %s", what, form, text)
		}
	}
}

func TestFormatsHide(t *testing.T) {
	s := New(canary)
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%t", "%c", "%U", "%08s", "%-30v|"}
	for _, verb := range verbs {
		for name, value := range map[string]any{"value": s, "pointer": &s, "holder": newHolder(), "slice": []Secret{s}} {
			mustHide(t, verb+" of "+name, fmt.Sprintf(verb, value))
		}
	}
	mustHide(t, "error", fmt.Errorf("dial with %v: %w", s, errors.New("refused")).Error())
	mustHide(t, "Sprint", fmt.Sprint(s, newHolder()))
}

func TestEncodersHide(t *testing.T) {
	j, err := json.Marshal(newHolder())
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, "json", string(j))
	if !strings.Contains(string(j), placeholder) {
		t.Errorf("json %s does not say that a secret is set", j)
	}
	x, err := xml.Marshal(holderXML{Token: New(canary)})
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, "xml", string(x))
	key, err := json.Marshal(map[Secret]int{New(canary): 1})
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, "json map key", string(key))
}

func TestLogsHide(t *testing.T) {
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := New(canary)
			slog.New(handler(&out)).With("with", s).Info("start", "token", s, "pointer", &s, "config", newHolder(), slog.Group("g", "in", s))
			mustHide(t, name, out.String())
			if !strings.Contains(out.String(), placeholder) {
				t.Errorf("log %s does not say that a secret is set", out.String())
			}
		})
	}
}

func TestSecret(t *testing.T) {
	var unset Secret
	if got := New(canary).Reveal(); got != canary {
		t.Errorf("Reveal() = %q", got)
	}
	if !unset.IsZero() || !New("").IsZero() || New(canary).IsZero() {
		t.Error("IsZero is wrong")
	}
	if got := fmt.Sprintf("%v|%#v", unset, unset); got != `|secret.New("")` {
		t.Errorf("unset secret shows as %s", got)
	}
	tests := []struct {
		a, b Secret
		want bool
	}{
		{New("a"), New("a"), true},
		{New("a"), New("b"), false},
		{New("a"), New("aa"), false},
		{New("a"), unset, false},
		{unset, unset, true},
	}
	for _, tt := range tests {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("Equal(%q, %q) = %v", tt.a.Reveal(), tt.b.Reveal(), got)
		}
	}
}
