package config

import (
	"errors"
	"path/filepath"
	"strings"
)

// setOSV takes a path only where it looks like one, so that a mistyped word is
// not a directory.
func setOSV(c *Config, text string) error {
	switch {
	case text == "off":
		c.Advisories = Advisories{}
	case text == "api":
		c.Advisories = Advisories{API: true}
	case strings.ContainsRune(text, '/') || filepath.IsAbs(text):
		c.Advisories = Advisories{Dir: filepath.Clean(text)}
	default:
		return errors.New("it is none of these words, and no path")
	}
	return nil
}
