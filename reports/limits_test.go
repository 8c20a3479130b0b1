package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"assay/review"
)

// checkAll renders run in every way and complains of anything that GitHub would
// refuse or a reader could not read.
func checkAll(t *testing.T, run review.Run, o Options) {
	t.Helper()
	checkLimits(t, run, o)
	checkFormats(t, run, o)
}

// checkLimits is about what GitHub gets.
func checkLimits(t *testing.T, run review.Run, o Options) {
	t.Helper()
	c := Check(run, o)
	if !reflect.DeepEqual(c, Check(run, o)) {
		t.Error("two renderings of the check differ")
	}
	within := func(what, s string, limit int) {
		t.Helper()
		if len(s) > limit {
			t.Errorf("%s has %d bytes, limit %d", what, len(s), limit)
		}
		if !utf8.ValidString(s) {
			t.Errorf("%s is not UTF-8", what)
		}
	}
	body := func(what, s string, limit int) {
		t.Helper()
		within(what, s, limit)
		if problem := unbalanced(s); problem != "" {
			t.Errorf("%s: %s", what, problem)
		}
	}
	within("title", c.Output.Title, MaxTitle)
	if c.Output.Title == "" || c.Output.Summary == "" {
		t.Error("the check has no title or no summary")
	}
	body("summary", c.Output.Summary, MaxSummary)
	body("text", c.Output.Text, MaxText)
	comment, _ := Comment(run, o)
	body("comment", comment, MaxComment)
	body("markdown", Markdown(run, o), MaxStepSummary)
	checkAnnotations(t, c.Output.Annotations, within)
}

// checkFormats is about what files and terminals get.
func checkFormats(t *testing.T, run review.Run, o Options) {
	t.Helper()
	for _, format := range Formats() {
		var a, b bytes.Buffer
		if err := Write(&a, format, run, o); err != nil {
			t.Fatal(err)
		}
		if len(run.Findings) <= 100 { // the order of few findings is that of many
			if err := Write(&b, format, run, o); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("two renderings as %s differ", format)
			}
		}
		if !utf8.Valid(a.Bytes()) {
			t.Errorf("%s is not UTF-8", format)
		}
		switch format {
		case "json", "sarif", "rdjson":
			if !json.Valid(a.Bytes()) {
				t.Errorf("%s is not JSON", format)
			}
		case "text":
			if i := bytes.IndexFunc(a.Bytes(), hidden); i >= 0 {
				t.Errorf("text has a hidden character: %q", a.Bytes()[i:min(i+20, a.Len())])
			}
		}
	}
}

func checkAnnotations(t *testing.T, annotations []review.Annotation, within func(what, s string, limit int)) {
	t.Helper()
	if len(annotations) > MaxAnnotations {
		t.Errorf("%d annotations, limit %d", len(annotations), MaxAnnotations)
	}
	for _, a := range annotations {
		within("annotation path", a.Path, 1<<20)
		within("annotation title", a.Title, MaxTitle)
		within("annotation message", a.Message, MaxMessage)
		within("annotation details", a.RawDetails, MaxRawDetails)
		if a.Path == "" || a.Message == "" || a.StartLine < 1 || a.EndLine < a.StartLine {
			t.Errorf("GitHub refuses the annotation %+v", a)
		}
	}
}

var fenceLine = regexp.MustCompile("^(`{3,})(text)?$")

// unbalanced says what is left open in Markdown of ours, where fences stand at
// the beginning of lines.
func unbalanced(s string) string {
	open := ""
	outside := 0
	for line := range strings.SplitSeq(s, "\n") {
		m := fenceLine.FindStringSubmatch(line)
		switch {
		case m == nil && open == "":
			if strings.HasPrefix(line, "<details>") {
				outside++
			} else if strings.HasPrefix(line, "</details>") {
				outside--
			}
		case m == nil:
		case open == "" && m[2] == "text":
			open = m[1]
		case m[1] == open && m[2] == "":
			open = ""
		default:
			return "a fence inside a fence: " + line
		}
	}
	if open != "" {
		return "an open fence"
	}
	if outside != 0 {
		return "an open <details>"
	}
	return ""
}

// randomRun has n findings of hostile and long texts.
func randomRun(r *rand.Rand, n int) review.Run {
	word := func() string {
		s := hostile[r.IntN(len(hostile))]
		if n <= 100 && r.IntN(4) == 0 {
			s = strings.Repeat(s, r.IntN(60))
		}
		return s
	}
	run := hostileRun(word())
	run.Findings = nil
	for range n {
		start := r.IntN(100)
		f := review.Finding{
			Agent: word(), Rule: word() + "/" + word(), Severity: review.Severity(1 + r.IntN(5)), Category: review.Security,
			Path: word() + "/" + word(), StartLine: start, EndLine: start + r.IntN(4) - 1, Message: word() + word() + word(), Evidence: word() + "\n" + word(), HelpURL: word(),
		}
		if r.IntN(3) == 0 {
			f.Fix = &review.Fix{Replacement: word()}
		}
		run.Findings = append(run.Findings, f)
		run.Coverage = append(run.Coverage, review.Coverage{Agent: word(), Path: word(), Level: review.Partial, Reason: word()})
	}
	for range n / 10 {
		run.Agents = append(run.Agents, review.AgentRun{Name: word(), Status: review.AgentUnavailable, Reason: word()})
		run.Problems = append(run.Problems, review.Problem{Path: word(), Line: r.IntN(9), Message: word()})
	}
	review.Fingerprint(run.Findings)
	return run
}

func TestLimitsHold(t *testing.T) {
	for _, n := range []int{0, 1, 50, 10000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			checkAll(t, randomRun(rand.New(rand.NewPCG(1, uint64(n))), n), sampleOptions())
		})
	}
}

// One text of every field at a size that alone is over the limits.
func TestHugeFields(t *testing.T) {
	for _, bad := range []string{strings.Repeat("@", 70_000), strings.Repeat("`", 70_000), strings.Repeat("\u202E", 25_000), strings.Repeat("a\n", 35_000), strings.Repeat("😀", 20_000)} {
		run := hostileRun(bad)
		run.Findings = run.Findings[:2]
		checkLimits(t, run, sampleOptions())
	}
}

// Whatever is cut is counted, and the count is right.
func TestCutIsCounted(t *testing.T) {
	run := samples()["done-clean"]
	for i := range 10_000 {
		run.Findings = append(run.Findings, review.Finding{Rule: "a/b", Severity: review.Low, Path: fmt.Sprintf("f%05d.go", i), StartLine: 1, EndLine: 1, Message: "m", Evidence: "e"})
	}
	o := sampleOptions()
	c := Check(run, o)
	for name, s := range map[string]string{"summary": c.Output.Summary, "text": c.Output.Text} {
		shown := strings.Count(s, "`a/b`")
		want := fmt.Sprintf("%d more in the [full report](%s).", len(run.Findings)-shown, o.RunURL)
		if shown == 0 || !strings.Contains(s, want) {
			t.Errorf("%s shows %d findings and does not say %q", name, shown, want)
		}
	}
	if len(c.Output.Text) < MaxText*9/10 {
		t.Errorf("text of %d bytes leaves its room unused", len(c.Output.Text))
	}
	if len(c.Output.Annotations) != MaxAnnotations || !strings.Contains(c.Output.Summary, "The 500 most severe findings are annotated") {
		t.Errorf("%d annotations, and the summary does not say that there are more", len(c.Output.Annotations))
	}
}

func FuzzLimits(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, 3, 4)
	}
	f.Fuzz(func(t *testing.T, a, b string, start, end int) {
		run := samples()["done-findings"]
		run.StartedAt, run.FinishedAt = time.Unix(0, 0), time.Unix(int64(end), 0)
		run.Pull.Title, run.Outcome.Reason, run.Truncated = a, b, a
		run.Findings = []review.Finding{
			{Rule: a, Severity: review.High, Path: b, StartLine: start, EndLine: end, Message: a, Evidence: b, Fix: &review.Fix{Replacement: a}, HelpURL: b},
			{Rule: b, Severity: review.Low, Path: a, StartLine: start, EndLine: start, Message: b, Evidence: a},
		}
		run.Agents = []review.AgentRun{{Name: a, Status: review.AgentUnavailable, Reason: b}, {Name: b, Status: review.AgentDone}}
		checkAll(t, run, sampleOptions())
		for _, markdown := range []string{Check(run, sampleOptions()).Output.Summary, Markdown(run, sampleOptions())} {
			for _, complaint := range inert(markdown) {
				t.Error(complaint)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		run := randomRun(rand.New(rand.NewPCG(1, 1)), n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Check(run, sampleOptions())
			}
		})
	}
}
