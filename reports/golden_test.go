package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-golden +got; run with -update when it is meant):\n%s", path, diff)
	}
}

var extensions = map[string]string{"text": "txt", "markdown": "md", "json": "json", "sarif": "sarif", "rdjson": "rdjson"}

func TestFormatsGolden(t *testing.T) {
	for name, run := range samples() {
		for _, format := range Formats() {
			t.Run(name+"/"+format, func(t *testing.T) {
				var b bytes.Buffer
				if err := Write(&b, format, run, sampleOptions()); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"/report."+extensions[format], b.Bytes())
			})
		}
	}
}

func TestCheckGolden(t *testing.T) {
	for name, run := range samples() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+"/check.md", checkPage(t, Check(run, sampleOptions())))
		})
	}
}

// checkPage shows a check run as one file.
func checkPage(t *testing.T, c review.CheckRun) []byte {
	t.Helper()
	var b bytes.Buffer
	output := c.Output
	c.Output = review.CheckOutput{}
	for _, part := range []any{c, output.Annotations} {
		text, err := json.MarshalIndent(part, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	b.WriteString("---- title\n" + output.Title + "\n---- summary\n" + output.Summary + "---- text\n" + output.Text)
	return b.Bytes()
}

func TestCommentGolden(t *testing.T) {
	for name, run := range samples() {
		for _, policy := range []CommentPolicy{"", CommentAlways} {
			o := sampleOptions()
			o.Comment, o.HasComment = policy, true
			body, ok := Comment(run, o)
			if !ok {
				continue
			}
			t.Run(name+"/"+string(policy), func(t *testing.T) {
				golden(t, name+"/comment"+string(policy)+".md", []byte(body))
			})
		}
	}
}

func TestColorGolden(t *testing.T) {
	var b bytes.Buffer
	o := sampleOptions()
	o.Terminal = TerminalOptions{Color: true, Width: 60}
	if err := Terminal(&b, samples()["done-findings"], o); err != nil {
		t.Fatal(err)
	}
	golden(t, "done-findings/color.txt", b.Bytes())
}

// Without GitHub's address and a page, as in a local checkout, there is
// nothing to link to.
func TestLocalGolden(t *testing.T) {
	golden(t, "done-findings/local.md", []byte(Markdown(samples()["done-findings"], Options{})))
}
