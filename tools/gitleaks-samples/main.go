// Command gitleaks-samples reads samples, one JSON object a line, and writes
// them again with the rules by which gitleaks' own engine finds something in
// them.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/zricethezav/gitleaks/v8/detect"
)

func main() {
	detector, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var s map[string]any
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			log.Fatalf("read a sample: %v", err)
		}
		text, _ := s["text"].(string)
		path, _ := s["path"].(string)
		theirs := []string{}
		for _, f := range detector.Detect(detect.Fragment{Raw: text, FilePath: path}) {
			theirs = append(theirs, f.RuleID)
		}
		s["theirs"] = theirs
		if err := out.Encode(s); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
