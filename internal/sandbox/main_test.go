package sandbox

import (
	"os"
	"testing"
)

// TestMain lets the test binary be a stage, and the program that is kept in.
func TestMain(m *testing.M) {
	Main()
	if len(os.Args) > 1 && os.Args[1] == attackArg {
		os.Exit(attack(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

const attackArg = "attack"
