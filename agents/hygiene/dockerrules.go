package hygiene

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	ruleDockerSyntax  = Name + "/dockerfile-instruction"
	ruleDockerSecret  = Name + "/dockerfile-secret"
	ruleDockerDouble  = Name + "/dockerfile-double-command"
	ruleDockerTag     = Name + "/dockerfile-base-tag"
	ruleDockerAdd     = Name + "/dockerfile-add-url"
	ruleDockerAptYes  = Name + "/dockerfile-apt-prompt"
	ruleDockerAptLeft = Name + "/dockerfile-apt-lists"
	ruleDockerRoot    = Name + "/dockerfile-root"
	ruleDockerWorkdir = Name + "/dockerfile-relative-workdir"
)

func dockerRules() []agents.Rule {
	const best = "https://docs.docker.com/build/building/best-practices/"
	return []agents.Rule{
		{
			ID: ruleDockerSyntax, Severity: review.Medium, Category: review.Correctness, What: "A Dockerfile has an instruction that does not exist, or one before its first FROM.",
			Why: "The image does not build.", Fix: "Correct the instruction; a command that goes on over lines needs a backslash at the end of each.", HelpURL: "https://docs.docker.com/reference/dockerfile/",
			Example: "bad:\nRUN apt-get update\n  && apt-get install -y git\ngood:\nRUN apt-get update \\\n  && apt-get install -y git",
		},
		{
			ID: ruleDockerSecret, Severity: review.High, Category: review.Security, What: "A password, token or key is given a value in ENV or ARG.",
			Why: "It stays in the image and its history, and whoever can pull the image can read it.", Fix: "Mount it while building (RUN --mount=type=secret), or give it to the container when it starts.", HelpURL: "https://docs.docker.com/build/building/secrets/",
			Example: "bad:\nENV DB_PASSWORD=s3cr3t\ngood:\nRUN --mount=type=secret,id=db ./migrate",
		},
		{
			ID: ruleDockerDouble, Severity: review.Low, Category: review.Correctness, What: "A stage has more than one CMD, or more than one ENTRYPOINT.",
			Why: "Only the last of them counts.", Fix: "Keep one.", HelpURL: "https://docs.docker.com/reference/dockerfile/#cmd", Example: "bad:\nCMD [\"a\"]\nCMD [\"b\"]\ngood:\nCMD [\"b\"]",
		},
		{
			ID: ruleDockerTag, Severity: review.Low, Category: review.Maintainability, Profile: review.ProfileStandard, What: "An image is built on another without a version.",
			Why: "It is another image tomorrow, and builds cannot be repeated.", Fix: "Name a version, or better a digest.", HelpURL: best + "#pin-base-image-versions", Example: "bad:\nFROM node\nFROM node:latest\ngood:\nFROM node:24.1-slim",
		},
		{
			ID: ruleDockerAdd, Severity: review.Medium, Category: review.Security, Profile: review.ProfileStandard, What: "A file is fetched into the image without a checksum.",
			Why: "Whoever controls the address, or the way to it, decides what is in the image.", Fix: "Give ADD the checksum of the file.", HelpURL: "https://docs.docker.com/reference/dockerfile/#add---checksum",
			Example: "bad:\nADD https://example.com/x.tar.gz /\ngood:\nADD --checksum=sha256:24454f… https://example.com/x.tar.gz /",
		},
		{
			ID: ruleDockerAptYes, Severity: review.Low, Category: review.Correctness, Profile: review.ProfileStrict, What: "apt-get installs without -y.",
			Why: "It asks a question that nobody answers, and the build fails.", Fix: "Add -y.", HelpURL: best + "#apt-get", Example: "bad:\nRUN apt-get install git\ngood:\nRUN apt-get install -y git",
		},
		{
			ID: ruleDockerAptLeft, Severity: review.Info, Category: review.Maintainability, Profile: review.ProfileStrict, What: "The lists of packages stay in the image.",
			Why: "They make it larger, and old.", Fix: "Remove /var/lib/apt/lists in the same RUN.", HelpURL: best + "#apt-get", Example: "bad:\nRUN apt-get update && apt-get install -y git\ngood:\nRUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*",
		},
		{
			ID: ruleDockerRoot, Severity: review.Low, Category: review.Security, Profile: review.ProfileStrict, What: "The container runs as root.",
			Why: "Whoever breaks into the program owns the container.", Fix: "Switch to another user at the end.", HelpURL: best + "#user", Example: "bad:\nUSER root\nCMD [\"app\"]\ngood:\nUSER 65532\nCMD [\"app\"]",
		},
		{
			ID: ruleDockerWorkdir, Severity: review.Low, Category: review.Maintainability, Profile: review.ProfileStrict, What: "The first WORKDIR of a stage is relative.",
			Why: "Where it leads depends on the image that is built on.", Fix: "Write an absolute path.", HelpURL: best + "#workdir", Example: "bad:\nWORKDIR app\ngood:\nWORKDIR /app",
		},
	}
}

// docker checks a Dockerfile, and says what the change brought about.
func (a *Agent) docker(ctx context.Context, f review.File, files *texts) (found []review.Finding, gap string) {
	if !dockerfilePath(f.Path) || f.Binary || f.Mode == modeSymlink || agents.TestPath(f.Path) || unparsed.MatchString(f.Path) || len(f.Hunks) == 0 && f.Unread == "" {
		return nil, ""
	}
	text, gap := files.head(ctx, f)
	if gap != "" || strings.TrimSpace(text) == "" || len(text) > maxText/4 || templated.MatchString(text) {
		return nil, gap
	}
	head := a.dockerProblems(f.Path, text)
	if len(head) == 0 {
		return nil, ""
	}
	before, known := files.base(ctx, f)
	if !known {
		return agents.OnAdded(f, head), ""
	}
	return agents.Introduced(f, head, a.dockerProblems(f.Path, before)), ""
}

// dockerCheck collects what is wrong with one Dockerfile.
type dockerCheck struct {
	agent *Agent
	path  string
	lines []string
	found []review.Finding
}

func (a *Agent) dockerProblems(p, text string) []review.Finding {
	d := parseDockerfile(text)
	c := &dockerCheck{agent: a, path: p, lines: strings.Split(text, "\n")}
	for _, in := range d.head {
		if in.name == "ARG" {
			c.secret(in)
		} else {
			c.add(ruleDockerSyntax, in, fmt.Sprintf("%s stands before the first FROM, where only ARG may: the image does not build.", clip(in.name)))
		}
	}
	for i, s := range d.stages {
		c.base(d, s)
		c.stage(s)
		if i == len(d.stages)-1 {
			c.user(d, s)
		}
	}
	return c.found[:min(len(c.found), maxConflicts)]
}

func (c *dockerCheck) add(rule string, in instruction, message string) {
	f := c.agent.finding(rule, c.path, message)
	f.StartLine, f.EndLine = in.start, in.end
	f.Evidence = clip(strings.TrimSpace(c.lines[in.start-1]))
	c.found = append(c.found, f)
}

// base looks at what the stage builds on.
func (c *dockerCheck) base(d dockerfile, s stage) {
	image := s.image
	switch {
	case image == "" || image == "scratch" || d.names[strings.ToLower(image)] || strings.ContainsAny(image, "$@{"):
		return
	}
	tag := image[strings.LastIndexByte(image, '/')+1:]
	_, version, tagged := strings.Cut(tag, ":")
	switch {
	case !tagged:
		c.add(ruleDockerTag, s.from, fmt.Sprintf("The image %q has no version: name one, so that builds can be repeated.", clip(image)))
	case version == "latest":
		c.add(ruleDockerTag, s.from, fmt.Sprintf("The version of %q is another one every time: name one, so that builds can be repeated.", clip(image)))
	}
}

var (
	urlAdded   = regexp.MustCompile(`(?:^|[\s"\[])https?://\S+`)
	aptInstall = regexp.MustCompile(`\bapt-get\s+(?:-\S+\s+|\S+=\S+\s+)*install\b[^;&|]*`)
	aptYes     = regexp.MustCompile(`(?:^|\s)(?:-[a-zA-Z]*y[a-zA-Z]*|--yes|--assume-yes|-q=2|-qq)(?:\s|$)`)
	aptUpdate  = regexp.MustCompile(`\bapt-get\s+(?:-\S+\s+)*update\b`)
)

// stage looks at the instructions of a stage.
func (c *dockerCheck) stage(s stage) {
	last := make(map[string]instruction)
	workdir := false
	for _, in := range s.instructions {
		switch in.name {
		case "CMD", "ENTRYPOINT":
			if before, ok := last[in.name]; ok {
				c.add(ruleDockerDouble, before, fmt.Sprintf("This %s has no effect, for another one follows on line %d: keep one.", in.name, in.start))
			}
			last[in.name] = in
		case "ENV", "ARG":
			c.secret(in)
		case "ADD":
			if urlAdded.MatchString(in.args) && !strings.Contains(in.args, "--checksum") && !strings.Contains(in.args, ".git") {
				c.add(ruleDockerAdd, in, "This file is fetched without a checksum: give ADD the one it must have (--checksum=sha256:…).")
			}
		case "RUN":
			c.apt(in)
		case "WORKDIR":
			if !workdir && in.args != "" && !strings.ContainsAny(in.args[:1], `/$"'`) && !strings.Contains(in.args, ":") {
				c.add(ruleDockerWorkdir, in, "This path is relative to one that only the base image knows: write an absolute path.")
			}
			workdir = true
		default:
			if !instructionNames[in.name] {
				c.add(ruleDockerSyntax, in, fmt.Sprintf("There is no instruction %q: the image does not build. A command that goes on over lines needs a backslash at the end of each.", clip(in.name)))
			}
		}
	}
}

func (c *dockerCheck) apt(in instruction) {
	install := aptInstall.FindString(in.args)
	switch {
	case install == "":
		return
	case !aptYes.MatchString(install) && !strings.Contains(in.args, "yes |") && !strings.Contains(in.args, "APT::Get::Assume-Yes"):
		c.add(ruleDockerAptYes, in, "apt-get asks before it installs, and nobody answers: add -y.")
	}
	if aptUpdate.MatchString(in.args) && !strings.Contains(in.args, "/var/lib/apt") {
		c.add(ruleDockerAptLeft, in, "The lists of packages stay in the image: remove /var/lib/apt/lists/* in the same RUN.")
	}
}

// user looks at who the last stage runs as. Of a stage that builds on another
// of the file it knows nothing.
func (c *dockerCheck) user(d dockerfile, s stage) {
	who, at := "", s.from
	for _, in := range s.instructions {
		if in.name == "USER" {
			who, at = strings.Fields(in.args + " root")[0], in
		}
	}
	name, _, _ := strings.Cut(who, ":")
	switch {
	case name == "root" || name == "0":
		c.add(ruleDockerRoot, at, "The container runs as root: switch to another user at the end.")
	case who == "" && !d.names[strings.ToLower(s.image)] && !strings.Contains(s.image, "nonroot") && s.image != "scratch" && s.image != "":
		c.add(ruleDockerRoot, at, "No user is named, so the container most likely runs as root: switch to another user at the end.")
	}
}
