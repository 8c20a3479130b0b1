package ghapp

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// GitHub wants an app's token issued up to a minute in the past, against
// clocks that drift, and to expire within ten minutes
// (https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
// A token is used at once, so it expires early: a clock that runs minutes fast
// does no harm then.
const (
	jwtBackdate = time.Minute
	jwtLifetime = 3 * time.Minute
)

// signer signs the app's own tokens. It sets the times itself: ghinstallation
// backdates by half a minute only, and knows nothing of a wrong clock.
type signer struct {
	key *rsa.PrivateKey
	now func() time.Time
}

// Sign signs the claims, with the times of our own.
func (s *signer) Sign(claims jwt.Claims) (string, error) {
	given, ok := claims.(*jwt.RegisteredClaims)
	if !ok {
		return "", fmt.Errorf("sign claims of type %T: want *jwt.RegisteredClaims", claims)
	}
	// GitHub takes whole seconds only.
	now := s.now().Truncate(time.Second)
	signed := *given
	signed.IssuedAt = jwt.NewNumericDate(now.Add(-jwtBackdate))
	signed.ExpiresAt = jwt.NewNumericDate(now.Add(jwtLifetime))
	return jwt.NewWithClaims(jwt.SigningMethodRS256, &signed).SignedString(s.key)
}

// parseKey reads an RSA key. Its errors say what is wrong and never quote the
// key or the parser's words about its bytes.
func parseKey(text []byte) (*rsa.PrivateKey, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("it is empty")
	}
	// A key pasted into one line of an environment file has its line ends
	// written out; a backslash is never part of a PEM block.
	block, _ := pem.Decode(bytes.ReplaceAll(text, []byte(`\n`), []byte("\n")))
	if block == nil {
		return nil, errors.New("it is not PEM: it must begin with -----BEGIN RSA PRIVATE KEY----- or -----BEGIN PRIVATE KEY-----")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("its PEM block does not hold a PKCS#1 RSA key (encrypted keys are not supported)")
		}
		return key, nil
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("its PEM block does not hold a PKCS#8 key")
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("it is a %T: GitHub Apps have RSA keys", parsed)
		}
		return key, nil
	default:
		return nil, fmt.Errorf("it is a %q: want the private key GitHub generated for the app", block.Type)
	}
}
