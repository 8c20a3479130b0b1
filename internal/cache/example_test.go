package cache_test

import (
	"context"
	"fmt"
	"time"

	"assay/internal/cache"
)

func ExampleCache_Get() {
	type token struct {
		secret string
		until  time.Time
	}
	tokens, err := cache.New[int64](cache.Config[token]{
		Name:    "tokens",
		Expires: func(t token) time.Time { return t.until.Add(-5 * time.Minute) },
	})
	if err != nil {
		panic(err)
	}
	mint := func(context.Context) (token, error) {
		fmt.Println("asking for a token")
		return token{secret: "ghs_1", until: time.Now().Add(time.Hour)}, nil
	}
	for range 3 {
		t, err := tokens.Get(context.Background(), 42, mint)
		fmt.Println(t.secret, err)
	}
	tokens.ForgetIf(42, func(t token) bool { return t.secret == "ghs_1" }) // it was refused
	fmt.Println(tokens.Stats().Hits, "hits,", tokens.Stats().Size, "kept")
	// Output:
	// asking for a token
	// ghs_1 <nil>
	// ghs_1 <nil>
	// ghs_1 <nil>
	// 2 hits, 0 kept
}
