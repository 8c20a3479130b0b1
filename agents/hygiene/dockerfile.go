package hygiene

import (
	"path"
	"regexp"
	"strings"
)

// instruction is one instruction of a Dockerfile, its lines joined.
type instruction struct {
	name string // in capitals
	args string
	// start and end are its lines, 1-based.
	start, end int
}

// stage is one stage of a Dockerfile.
type stage struct {
	from instruction
	// image is what it builds on, name what it is called by ("AS name", in lower
	// case).
	image, name  string
	instructions []instruction
}

// dockerfile is a Dockerfile read: what stands before the first FROM, and the
// stages.
type dockerfile struct {
	head   []instruction
	stages []stage
	// names are the names of the stages.
	names map[string]bool
}

// dockerfilePath reports whether the file is a Dockerfile by its name.
func dockerfilePath(p string) bool {
	return dockerfileName.MatchString(path.Base(p)) && !noDockerfile.MatchString(p)
}

// noDockerfile are files about Dockerfiles, or of which some are made.
var noDockerfile = regexp.MustCompile(`(?i)\.(?:md|txt|rst|adoc|html|json|ya?ml|dockerignore|j2|jinja2?|tmpl|tpl|template|erb|in|sh|py|go|js|ts|rb)$`)

var dockerfileName = regexp.MustCompile(`^(?i:(?:docker|container)file(?:[._-][\w.-]+)?|[\w.-]+\.(?:docker|container)file)$`)

// instructionNames are all that there are
// (https://docs.docker.com/reference/dockerfile/).
var instructionNames = map[string]bool{
	"ADD": true, "ARG": true, "CMD": true, "COPY": true, "ENTRYPOINT": true, "ENV": true, "EXPOSE": true, "FROM": true, "HEALTHCHECK": true, "LABEL": true,
	"MAINTAINER": true, "ONBUILD": true, "RUN": true, "SHELL": true, "STOPSIGNAL": true, "USER": true, "VOLUME": true, "WORKDIR": true,
}

var (
	directive       = regexp.MustCompile(`^#\s*\w+\s*=`)
	escapeDirective = regexp.MustCompile("(?i)^#\\s*escape\\s*=\\s*([\\\\`])\\s*$")
	hereDocument    = regexp.MustCompile(`<<-?["']?(\w+)["']?`)
	fromParts       = regexp.MustCompile(`(?i)^((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*$`)
)

// instructionsOf reads the instructions of a Dockerfile: lines that end in the
// escape go on, comments in between are left out, here-documents belong to
// their instruction.
func instructionsOf(text string) []instruction {
	lines := strings.Split(text, "\n")
	escape := `\`
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if !directive.MatchString(l) {
			break
		}
		if m := escapeDirective.FindStringSubmatch(l); m != nil {
			escape = m[1]
		}
	}
	var all []instruction
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		in := instruction{start: i + 1}
		var joined strings.Builder
		for {
			part, more := strings.CutSuffix(line, escape)
			joined.WriteString(part)
			if !more {
				break
			}
			joined.WriteByte(' ')
			for i++; i < len(lines) && (strings.TrimSpace(lines[i]) == "" || strings.HasPrefix(strings.TrimSpace(lines[i]), "#")); i++ {
			}
			if i >= len(lines) {
				i = len(lines) - 1
				break
			}
			line = strings.TrimSpace(lines[i])
		}
		in.name, in.args, _ = strings.Cut(joined.String(), " ")
		if tab := strings.IndexByte(in.name, '\t'); tab >= 0 {
			in.name, in.args = in.name[:tab], in.name[tab:]+" "+in.args
		}
		in.name, in.args = strings.ToUpper(in.name), strings.TrimSpace(in.args)
		if in.name == "RUN" || in.name == "COPY" || in.name == "ADD" {
			i = hereEnd(lines, i, &in)
		}
		in.end = i + 1
		all = append(all, in)
	}
	return all
}

// maxHere is how many lines of a here-document are looked through for its end.
const maxHere = 500

// hereEnd adds the here-documents that begin in the instruction, and returns
// the index of its last line.
func hereEnd(lines []string, i int, in *instruction) int {
	for _, m := range hereDocument.FindAllStringSubmatch(in.args, 8) {
		for n := i + 1; n < min(len(lines), i+maxHere); n++ {
			if strings.TrimSpace(lines[n]) == m[1] {
				in.args += "\n" + strings.Join(lines[i+1:n], "\n")
				i = n
				break
			}
		}
	}
	return i
}

// parseDockerfile parts the instructions into stages.
func parseDockerfile(text string) dockerfile {
	d := dockerfile{names: make(map[string]bool)}
	for _, in := range instructionsOf(text) {
		switch {
		case in.name == "FROM":
			s := stage{from: in}
			if m := fromParts.FindStringSubmatch(in.args); m != nil {
				s.image, s.name = m[2], strings.ToLower(m[3])
			}
			d.stages = append(d.stages, s)
			d.names[s.name] = s.name != ""
		case len(d.stages) == 0:
			d.head = append(d.head, in)
		default:
			last := &d.stages[len(d.stages)-1]
			last.instructions = append(last.instructions, in)
		}
	}
	return d
}
