package store

import (
	_ "embed"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

//go:generate go run ./dictionary

// deliveryDictionary is trained on GitHub's own example payloads by
// internal/store/dictionary. Stored bodies cannot be read without it: a new
// dictionary needs a new ID and the old one kept beside it.
//
//go:embed dictionary/github.zdict
var deliveryDictionary []byte

// maxBody bounds what a stored body may grow to when it is read back, in bytes;
// GitHub sends at most 25 MB.
const maxBody = 32 << 20

// The encoder and decoder are stateless in EncodeAll and DecodeAll, and safe
// for concurrent use.
var (
	encoder = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderDict(deliveryDictionary), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<18)))
	decoder = must(zstd.NewReader(nil, zstd.WithDecoderDicts(deliveryDictionary), zstd.WithDecoderMaxMemory(maxBody), zstd.WithDecoderLowmem(true)))
)

// must panics: the dictionary is part of the program.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("load delivery dictionary: %v", err))
	}
	return v
}

func compress(body []byte) []byte { return encoder.EncodeAll(body, nil) }

func decompress(stored []byte) ([]byte, error) { return decoder.DecodeAll(stored, nil) }
