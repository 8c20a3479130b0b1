package repohealth

import (
	"context"
	"fmt"
	"regexp"
	"unicode"
)

// stubLetters is how many letters and digits a README must have beside its
// headings, links and pictures not to be called a stub: about two sentences.
const stubLetters = 80

// documents looks for what people expect to find in a repository.
func (e *exam) documents(ctx context.Context) error {
	readme, ok := e.tree.document("readme")
	if !ok {
		e.say(ruleReadmeMissing, "", "", "The repository has no README: add one that says what it is for and how to use it.")
	} else if err := e.readme(ctx, readme); err != nil {
		return err
	}
	// A repository that GitHub does not know is not known to be public.
	if public := e.asked && !e.change.Repo.Private; public {
		e.publicDocuments()
	}
	return nil
}

func (e *exam) publicDocuments() {
	_, licensed := e.tree.document("license", "licence", "copying", "unlicense", "copyright")
	if !licensed && !e.tree.dirs["LICENSES"] && e.setup.License == "" {
		e.say(ruleLicense, "", "", "The repository is public and has no licence, so nobody may use it: add a LICENSE file.")
	}
	if _, ok := e.tree.document("security"); !ok {
		e.say(ruleSecurity, "", "", "The repository is public and does not say how to report a vulnerability: add a SECURITY.md.")
	}
}

func (e *exam) readme(ctx context.Context, path string) error {
	if !e.speaks(ruleReadmeStub) || e.tree.byPath[path].Mode == modeLink {
		return nil
	}
	text, ok, err := e.read(ctx, path)
	if err != nil || !ok {
		return err
	}
	letters := 0
	for _, r := range string(ornaments.ReplaceAll(text, nil)) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters++
		}
	}
	if letters < stubLetters {
		e.say(ruleReadmeStub, path, "", fmt.Sprintf("Beside headings and links the README has %d letters: say what the project is for and how to use it.", letters))
	}
	return nil
}

// ornaments are comments, headings, pictures and the targets of links.
var ornaments = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)|<[^>]*>|!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?|\]\([^)]*\)|https?://\S+|(?-s)(?m)^#.*$`)
