package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// minKeyBits is what GitHub makes its keys of, and the least that NIST SP 800-131A
// lets sign.
const minKeyBits = 2048

// normalKey checks an RSA private key and returns it as a clean PEM block. It
// takes the forms in which keys survive the way into an environment variable:
// as it is, with \n for line ends, in quotes, in base64. Its errors never quote
// the text.
func normalKey(text string) (string, error) {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	if !strings.Contains(text, "-----BEGIN") {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		switch {
		case err == nil && strings.Contains(string(decoded), "-----BEGIN"):
			text = string(decoded)
		case strings.HasSuffix(text, ".pem"):
			return "", errors.New("is a path; set GITHUB_APP_PRIVATE_KEY_PATH to it")
		default:
			return "", errors.New("is not a PEM block")
		}
	}
	text = strings.NewReplacer(`\r`, "", `\n`, "\n", "\r", "").Replace(text)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return "", errors.New("is not a whole PEM block (line ends may have been lost on the way; base64 keeps them)")
	}
	if err := checkKey(block); err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(block)), nil
}

func checkKey(block *pem.Block) error {
	var (
		key any
		err error
	)
	switch block.Type {
	case "RSA PRIVATE KEY": // what GitHub gives
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY": // what openssl makes of it
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return errors.New("is encrypted; decrypt it first, as with `openssl rsa`")
	default:
		return errors.New("is a PEM block of something else")
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	switch {
	case err != nil:
		return errors.New("is a damaged key")
	case !ok:
		return errors.New("is not an RSA key, and GitHub takes no other")
	case rsaKey.N.BitLen() < minKeyBits:
		return errors.New("is too short a key")
	}
	return nil
}
