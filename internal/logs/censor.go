// Package logs keeps secrets out of what the service says of itself. A [Censor]
// knows every secret that was loaded, in the forms in which text carries them,
// and the look of tokens that were not loaded but made; [Censor.Handler] puts
// it before any slog.Handler.
//
// It is the last line of defence. The first is internal/secret, whose values
// never show themselves; here is caught what has left it: the error of a
// library that quotes a URL, a header in a dump. Secrets in code under review
// are the business of agents/secrets.
package logs

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/internal/secret"
)

// mask is what stands in the place of a secret.
const mask = "[secret]"

// shortest is the length from which texts are masked: shorter ones would turn
// up in words that are none.
const shortest = 6

// tokens are credentials that nobody configures: GitHub's tokens by their
// prefixes
// (https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats),
// installation tokens (ghs_) in base64 too, the JWTs that the app signs, and
// passwords in URLs. Installation tokens may hold dots, slashes and equal signs.
var tokens = regexp.MustCompile(`gh[pousr]_[A-Za-z0-9_.=/+-]{16,}|github_pat_[A-Za-z0-9_]{20,}` +
	`|(?:Z2hzX|naHNf|doc1)[A-Za-z0-9_=/+-]{20,}` +
	`|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}` +
	`|(://[^/\s:@"']*:)[^/\s@"']+(@)`)

// Censor replaces secrets in text. Its zero value knows no secrets, only the
// look of tokens. It is immutable and safe for concurrent use.
type Censor struct{ known *strings.Replacer }

// New makes a censor of the secrets. It knows each of them as it is, in base64
// at any place of a longer text, in hexadecimal, URL-encoded and quoted; of one
// with several lines, as a private key, it knows each line.
func New(secrets []secret.Secret) Censor {
	forms := make(map[string]bool)
	for _, s := range secrets {
		for _, text := range parts(s.Reveal()) {
			for _, form := range formsOf(text) {
				if len(form) >= shortest {
					forms[form] = true
				}
			}
		}
	}
	var sorted []string
	for form := range forms {
		sorted = append(sorted, form)
	}
	// Where several fit at one place, the replacer takes the first given: the
	// longest, so that nothing of it is left over.
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(sorted))
	for _, form := range sorted {
		pairs = append(pairs, form, mask)
	}
	return Censor{known: strings.NewReplacer(pairs...)}
}

// Text returns text with mask in the place of each secret.
func (c Censor) Text(text string) string {
	if c.known != nil {
		text = c.known.Replace(text)
	}
	return tokens.ReplaceAllString(text, "${1}"+mask+"${2}")
}

// parts are the pieces of a secret that give it away alone: all of it, and each
// of its lines but those that every such file has.
func parts(text string) []string {
	all := []string{text}
	if !strings.Contains(text, "\n") {
		return all
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "-----") {
			all = append(all, line)
		}
	}
	return all
}

// formsOf are the ways in which text may be written.
func formsOf(text string) []string {
	if len(text) < shortest {
		return nil
	}
	inHex := hex.EncodeToString([]byte(text))
	forms := []string{text, url.QueryEscape(text), url.PathEscape(text), inHex, strings.ToUpper(inHex), within(strconv.Quote(text))}
	if inJSON, err := json.Marshal(text); err == nil {
		forms = append(forms, within(string(inJSON)))
	}
	return append(forms, inBase64(text)...)
}

func within(quoted string) string { return quoted[1 : len(quoted)-1] }

// inBase64 is what text looks like in base64: with padding or without, and
// inside of a longer text at each of the three places where its bytes can fall,
// less the characters that its neighbours have a part in.
func inBase64(text string) []string {
	var forms []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(text)))
		for before := range 3 {
			padded := append(make([]byte, before), text...)
			whole := len(padded) * 8 / 6 // characters made of text's bits alone
			from := (before*8 + 5) / 6
			forms = append(forms, encoding.WithPadding(base64.NoPadding).EncodeToString(padded)[from:whole])
		}
	}
	return forms
}
