package reports

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay/review"
)

func sarifSchemaFile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(sarifSchema, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The official schema, with its formats (URIs, dates) checked.
func TestSARIFIsValid(t *testing.T) {
	schema := sarifSchemaFile(t)
	runs := samples()
	runs["random"] = randomRun(rand.New(rand.NewPCG(3, 3)), 500)
	for _, bad := range hostile {
		runs["hostile "+bad] = hostileRun(bad)
	}
	for name, run := range runs {
		var b bytes.Buffer
		if err := SARIF(&b, run, sampleOptions()); err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSARIFReplacement(t *testing.T) {
	lines := sarifRegion{StartLine: 4, EndLine: 6}
	if r := replacement(lines, "x"); r.Deleted != lines || r.Inserted.Text != "x" {
		t.Errorf("a replacement of lines is %+v", r)
	}
	want := sarifRegion{StartLine: 4, StartColumn: 1, EndLine: 7, EndColumn: 1}
	if r := replacement(lines, ""); r.Deleted != want || r.Inserted != nil {
		t.Errorf("a deletion of lines is %+v, want the region %+v and nothing inserted", r, want)
	}
}

func TestSARIFPath(t *testing.T) {
	for path, want := range map[string]string{"a/b.go": "a/b.go", "a b/c#d.go": "a%20b/c%23d.go", "c:x": "c%3Ax", "100%.txt": "100%25.txt"} {
		if got := sarifPath(path); got != want {
			t.Errorf("sarifPath(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestSARIFResultsAreBounded(t *testing.T) {
	run := samples()["done-clean"]
	run.Findings = make([]review.Finding, MaxResults+2)
	for i := range run.Findings {
		run.Findings[i] = review.Finding{Rule: "a/b", Severity: review.Low, Message: "m"}
	}
	var b bytes.Buffer
	if err := SARIF(&b, run, Options{}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte(`"ruleId"`)); n != MaxResults {
		t.Errorf("%d results, want %d", n, MaxResults)
	}
	if !bytes.Contains(b.Bytes(), []byte("2 more findings are not in this log.")) {
		t.Error("the log does not say what it leaves out")
	}
}
