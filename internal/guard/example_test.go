package guard_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay/internal/fault"
	"assay/internal/guard"
)

func ExampleDo() {
	dependencies := guard.NewSet(func(string) guard.Config {
		return guard.Config{
			ResetTimeout: 15 * time.Second,
			OnChange:     func(c guard.Change) { fmt.Println(c.Dependency, "went from", c.From, "to", c.To) },
		}
	})
	model, err := dependencies.Get("llm.openai.gpt-5")
	if err != nil {
		panic(err)
	}
	ask := func(ctx context.Context) (string, error) {
		return "", fault.New(fault.Transient, errors.New("the provider answered 503"))
	}
	call := guard.Call{Key: "account", Idempotent: true, Deadline: 20 * time.Second}
	for range 3 {
		_, err = guard.Do(context.Background(), model, call, ask)
	}
	if open, ok := errors.AsType[*guard.OpenError](err); ok {
		fmt.Println("without", open.Dependency, "until", open.Until.After(time.Now()))
	}
	fmt.Println(fault.KindOf(err))
	// Output:
	// llm.openai.gpt-5 went from CLOSED to OPEN
	// without llm.openai.gpt-5 until true
	// busy
}
