package manifest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parsePOM reads the dependencies and plugins of a pom.xml that have a version
// in it: literally, or in a property of the same file. What a parent says is
// not known.
func parsePOM(text []byte, f *File) error {
	r := &pomReader{dec: xml.NewDecoder(bytes.NewReader(text)), properties: make(map[string]property)}
	r.dec.Strict = true
	// Versions and names are ASCII in any encoding that a pom.xml is written in.
	r.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := r.read(); err != nil {
		return err
	}
	for _, d := range r.found {
		if d.group == "" || d.artifact == "" || d.version == "" {
			continue
		}
		p := Package{
			Name: d.group + ":" + d.artifact, Version: d.version, Range: d.version,
			Line: d.line, VersionLine: d.versionLine, Direct: true, Pinned: true,
		}
		if name, ok := strings.CutPrefix(d.version, "${"); ok {
			value := r.properties[strings.TrimSuffix(name, "}")]
			p.Version, p.VersionLine = value.text, value.line
		}
		if p.Version == "" || strings.ContainsAny(p.Version+p.Name, "${}[](), ") {
			continue // a range, or a variable of elsewhere
		}
		if err := f.add(p); err != nil {
			return err
		}
	}
	return nil
}

type pomReader struct {
	dec        *xml.Decoder
	path       []string
	properties map[string]property
	found      []pomDependency
	nodes      budget
}

type property struct {
	text string
	line int
}

type pomDependency struct {
	group, artifact, version string
	line, versionLine        int
}

func (r *pomReader) read() error {
	for {
		t, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := r.dec.InputPos()
		if err != nil {
			return fmt.Errorf("line %d: not valid XML", line)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(r.path) == maxDepth {
				return errDepth
			}
			if err := r.nodes.spend(); err != nil {
				return err
			}
			r.path = append(r.path, t.Name.Local)
			if name := t.Name.Local; name == "dependency" || name == "plugin" {
				r.found = append(r.found, pomDependency{line: line})
				if name == "plugin" {
					r.found[len(r.found)-1].group = "org.apache.maven.plugins"
				}
			}
		case xml.EndElement:
			r.path = r.path[:len(r.path)-1]
		case xml.CharData:
			r.text(strings.TrimSpace(string(t)), line)
		}
	}
}

// text takes in the text of an element where it is one that matters.
func (r *pomReader) text(s string, end int) {
	if s == "" || len(r.path) < 3 {
		return
	}
	name, parent := r.path[len(r.path)-1], r.path[len(r.path)-2]
	switch {
	case parent == "properties" && len(r.path) == 3:
		r.properties[name] = property{s, end}
	case (parent == "dependency" || parent == "plugin") && len(r.found) > 0:
		d := &r.found[len(r.found)-1]
		switch name {
		case "groupId":
			d.group = s
		case "artifactId":
			d.artifact = s
		case "version":
			d.version, d.versionLine = s, end
		}
	}
}

// parseGradleLock reads "group:artifact:version=configurations".
func parseGradleLock(text []byte, f *File) error {
	for line, s := range numbered(text) {
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' || strings.HasPrefix(s, "empty=") {
			continue
		}
		coordinates, _, ok := strings.Cut(s, "=")
		parts := strings.Split(coordinates, ":")
		if !ok || len(parts) != 3 {
			return fmt.Errorf("line %d: not a valid gradle.lockfile", line)
		}
		if err := f.add(Package{Name: parts[0] + ":" + parts[1], Version: parts[2], Line: line}); err != nil {
			return err
		}
	}
	return nil
}
