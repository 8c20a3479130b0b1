// Command dictionary trains the zstd dictionary that deliveries are stored
// with, on GitHub's example payloads (webhook/testdata). It is run by hand when
// the payloads change much; see compress.go for what else that needs.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"
)

// dictionaryID is stored in every body, so that a reader knows which
// dictionary it needs.
const dictionaryID = 0x41530001

func main() {
	in := flag.String("in", "../../webhook/testdata/webhooks-examples.json.zst", "example payloads, as [{name, examples}], zstd")
	out := flag.String("out", "dictionary/github.zdict", "where the dictionary goes")
	size := flag.Int("size", 48<<10, "size of the dictionary in bytes")
	flag.Parse()
	if err := train(*in, *out, *size); err != nil {
		fmt.Fprintln(os.Stderr, "dictionary:", err)
		os.Exit(1)
	}
}

func train(in, out string, size int) error {
	samples, err := read(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", in, err)
	}
	trained, err := dict.BuildZstdDict(samples, dict.Options{MaxDictSize: size, HashBytes: 6, ZstdDictID: dictionaryID, ZstdLevel: zstd.SpeedFastest})
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return os.WriteFile(out, trained, 0o644)
}

func read(path string) ([][]byte, error) {
	packed, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	raw, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(raw, &events); err != nil {
		return nil, err
	}
	var samples [][]byte
	for _, e := range events {
		for _, x := range e.Examples {
			samples = append(samples, x)
		}
	}
	if len(samples) == 0 {
		return nil, errors.New("no samples")
	}
	return samples, nil
}
