package manifest

import (
	"errors"
	"strings"
)

// parseYarnLock reads the lock files of yarn 1 and of its successors: entries
// that begin with the ranges they stand for, with their facts indented below.
func parseYarnLock(text []byte, f *File) error {
	y := yarnReader{f: f}
	for line, s := range numbered(text) {
		switch {
		case s == "" || s[0] == '#':
		case s[0] != ' ':
			if err := y.flush(); err != nil {
				return err
			}
			if !strings.HasSuffix(s, ":") {
				return errors.New("not a valid yarn.lock")
			}
			y.header, y.current = strings.TrimSuffix(s, ":"), Package{Line: line}
		case strings.HasPrefix(s, "  ") && len(s) > 2 && s[2] != ' ':
			y.fact(line, s[2:])
		}
	}
	return y.flush()
}

type yarnReader struct {
	f       *File
	header  string
	current Package
}

func (y *yarnReader) fact(line int, s string) {
	key, value, _ := strings.Cut(s, " ")
	key, value = strings.Trim(strings.TrimSuffix(key, ":"), `"`), strings.Trim(strings.TrimSpace(value), `"`)
	switch key {
	case "version":
		y.current.Version, y.current.VersionLine = value, line
	case "resolved":
		if !isRegistryTarball(value) && !strings.HasPrefix(value, "https://registry.yarnpkg.com/") {
			y.current.Source = value
		}
	case "resolution":
		name, from := cutProtocol(value)
		y.current.Name = name
		switch {
		case hasAnyPrefix(from, "npm:"):
		case hasAnyPrefix(from, "workspace:", "link:", "portal:", "file:"):
			y.current.Local = true
		case !hasAnyPrefix(from, "patch:", "virtual:"):
			y.current.Source = from
		}
	}
}

// flush takes the entry in: once for each range that it stands for.
func (y *yarnReader) flush() error {
	if y.current.Version == "" || y.header == "__metadata" {
		return nil
	}
	for asked := range strings.SplitSeq(y.header, ",") {
		name, want := cutProtocol(strings.Trim(strings.TrimSpace(asked), `"`))
		p := y.current
		p.Range = strings.TrimPrefix(want, "npm:")
		if p.Name == "" {
			p.Name = name
			if alias, of := cutLast(p.Range, "@"); of != "" && p.Range != want {
				p.Name, p.Range = alias, of
			}
		}
		if err := y.f.add(p); err != nil {
			return err
		}
	}
	y.current = Package{}
	return nil
}

// cutProtocol splits "name@range", where the name may begin with a scope's @.
func cutProtocol(s string) (name, want string) {
	if s == "" {
		return "", ""
	}
	at := strings.Index(s[1:], "@")
	if at < 0 {
		return s, ""
	}
	return s[:at+1], s[at+2:]
}
