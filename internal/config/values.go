package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"assay/internal/secret"
)

// number reads a whole number within bounds. Like all errors here, its own is
// what comes after the name and value: "PORT=\"x\" is not a whole number".
func number(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, errors.New("is not a whole number")
	case err != nil || n < least || n > most:
		return 0, errors.New("is out of range")
	}
	return n, nil
}

func setAppID(c *Config, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax) && strings.HasPrefix(text, "Iv"):
		return errors.New("is the app's client ID")
	case errors.Is(err, strconv.ErrSyntax):
		return errors.New("is not a whole number")
	case err != nil || id < 1:
		return errors.New("is out of range")
	}
	c.App.ID = id
	return nil
}

func setPrivateKey(c *Config, text string) error {
	key, err := normalKey(text)
	if err != nil {
		return err
	}
	c.App.PrivateKey = secret.New(key)
	return nil
}

func setWebhookSecrets(c *Config, text string) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return errors.New("has an empty part")
		}
		if len(part) < minToken {
			return errors.New("is too short (make one with `openssl rand -hex 32`)")
		}
		c.App.WebhookSecrets = append(c.App.WebhookSecrets, secret.New(part))
	}
	return nil
}

func setAdminToken(c *Config, text string) error {
	switch {
	case len(text) < minToken:
		return errors.New("is too short (make one with `openssl rand -hex 32`)")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return errors.New("has white space in it, which a header cannot carry")
	}
	c.Server.AdminToken = secret.New(text)
	return nil
}

// minMaster is the least length of a secret that keys are made from: whoever has
// one of the keys can try secrets against it as fast as hardware allows.
const minMaster = 32

func setSARIFSecret(c *Config, text string) error {
	if len(text) < minMaster {
		return errors.New("is too short (make one with `openssl rand -hex 32`)")
	}
	c.Server.SARIFSecret = secret.New(text)
	return nil
}

// hostName is what a name in HOST may look like (RFC 1123 section 2.1).
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$`)

func setHost(c *Config, text string) error {
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		c.Server.Host = bare
		return nil
	}
	if !hostName.MatchString(text) {
		return errors.New("is not a host")
	}
	c.Server.Host = text
	return nil
}

func setDataDir(c *Config, text string) error {
	if strings.ContainsRune(text, 0) {
		return errors.New("has a NUL in it")
	}
	c.Storage.DataDir = filepath.Clean(text)
	return nil
}

func setRoles(c *Config, text string) error {
	c.Work.Accept, c.Work.Run = false, false
	for role := range strings.SplitSeq(text, ",") {
		switch strings.TrimSpace(role) {
		case "accept":
			c.Work.Accept = true
		case "work":
			c.Work.Run = true
		default:
			return fmt.Errorf("names the unknown role %q", strings.TrimSpace(role))
		}
	}
	return nil
}

func duration(text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New("is not a duration")
	case d < least || d > most:
		return 0, errors.New("is out of range")
	}
	return d, nil
}

func setReconcileInterval(c *Config, text string) (err error) {
	if strings.EqualFold(text, "off") {
		c.Work.ReconcileInterval = 0
		return nil
	}
	c.Work.ReconcileInterval, err = duration(text, time.Second, 24*time.Hour)
	return err
}

func setLogLevel(c *Config, text string) error {
	// slog also knows "INFO+2"; that is more than the documentation promises.
	if strings.ContainsAny(text, "+-") || c.Log.Level.UnmarshalText([]byte(text)) != nil {
		return errors.New("is not a level")
	}
	return nil
}

func setLogFormat(c *Config, text string) error {
	switch format := LogFormat(strings.ToLower(text)); format {
	case JSON, Text:
		c.Log.Format = format
		return nil
	}
	return errors.New("is not a form of log lines")
}
