package checkout

import (
	"errors"
	"fmt"
	"strings"

	"assay/review"
)

// parseRaw reads a line of git's raw format
// (https://git-scm.com/docs/git-diff#_raw_output_format):
//
//	:100644 100644 <object> <object> R086<TAB>old<TAB>new
func parseRaw(line string) (fileDiff, error) {
	facts, names, ok := strings.Cut(strings.TrimPrefix(line, ":"), "\t")
	fields := strings.Fields(facts)
	if !ok || len(fields) != 5 {
		return fileDiff{}, fmt.Errorf("raw line %.200q is malformed", line)
	}
	oldName, newName, two := strings.Cut(names, "\t")
	if !two {
		newName = oldName
	}
	f := fileDiff{
		letter: fields[4][0], oldMode: fields[0], oldOID: present(fields[2]), newOID: present(fields[3]),
		header: "diff --git " + prefixed("a/", oldName) + " " + prefixed("b/", newName),
	}
	var oldErr, newErr error
	f.Mode = fields[1]
	f.OldPath, oldErr = unquote(oldName)
	f.Path, newErr = unquote(newName)
	if err := errors.Join(oldErr, newErr); err != nil {
		return fileDiff{}, fmt.Errorf("raw line %.200q: %w", line, err)
	}
	if f.OldPath == f.Path {
		f.OldPath = ""
	}
	switch f.letter {
	case 'A':
		f.Status = review.Added
	case 'D':
		f.Status, f.Mode = review.Removed, f.oldMode
	case 'R':
		f.Status = review.Renamed
	case 'C':
		f.Status = review.Copied
	case 'M', 'T', 'U':
		f.Status = review.Modified
	default:
		return fileDiff{}, fmt.Errorf("raw line %.200q has the unknown status %q", line, f.letter)
	}
	return f, nil
}

// present turns git's name for "no object" into "".
func present(oid string) string {
	if strings.Trim(oid, "0") == "" {
		return ""
	}
	return oid
}

// prefixed puts a prefix before a name, quoted as the name is.
func prefixed(prefix, name string) string {
	if rest, ok := strings.CutPrefix(name, `"`); ok {
		return `"` + prefix + rest
	}
	return prefix + name
}

// escapes are the letters after a backslash, as git quotes names in C's way.
var escapes = map[byte]byte{'a': '\a', 'b': '\b', 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', '"': '"', '\\': '\\'}

// unquote reads a name as git writes it: as it is, or in quotes where it has
// characters that would disturb.
func unquote(name string) (string, error) {
	if !strings.HasPrefix(name, `"`) {
		if name == "" {
			return "", errors.New("empty name")
		}
		return name, nil
	}
	if len(name) < 3 || name[len(name)-1] != '"' {
		return "", fmt.Errorf("name %.200q has no closing quote", name)
	}
	var b strings.Builder
	for s := name[1 : len(name)-1]; s != ""; {
		switch {
		case s[0] != '\\':
			b.WriteByte(s[0])
			s = s[1:]
		case len(s) >= 4 && s[1] >= '0' && s[1] <= '3' && isOctal(s[2]) && isOctal(s[3]):
			b.WriteByte((s[1]-'0')<<6 | (s[2]-'0')<<3 | (s[3] - '0'))
			s = s[4:]
		case len(s) >= 2 && escapes[s[1]] != 0:
			b.WriteByte(escapes[s[1]])
			s = s[2:]
		default:
			return "", fmt.Errorf("name %.200q has an unknown escape", name)
		}
	}
	return b.String(), nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
