package demo

import "assay/internal/ghfake"

// The sample repository is a small shop; its pull requests are what reviewers
// meet: one that is risky in several ways, and one that is fine.

func baseFiles() ghfake.Files {
	return ghfake.Files{
		"README.md": ghfake.Text("# shop\n\nA small shop, to show reviews on.\n"),
		"go.mod":    ghfake.Text("module example.com/shop\n\ngo 1.26\n"),
		"payments/charge.go": ghfake.Text(`package payments

import "fmt"

// Charge takes money from a card.
func Charge(card string, cents int64) error {
	if cents <= 0 {
		return fmt.Errorf("charge %d cents: not positive", cents)
	}
	return capture(card, cents)
}

func capture(card string, cents int64) error { return nil }
`),
		"payments/charge_test.go": ghfake.Text("package payments\n\nimport \"testing\"\n\nfunc TestCharge(t *testing.T) {\n\tif Charge(\"4242\", 0) == nil {\n\t\tt.Error(\"a charge of nothing is taken\")\n\t}\n}\n"),
		".github/workflows/ci.yml": ghfake.Text(`name: ci
on: [push, pull_request]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: go test ./...
`),
	}
}

// sampleToken looks like a credential and is none: it is put together here so
// that no scanner of this repository takes it for one.
func sampleToken() string { return "gh" + "p_" + "R4nd0mL00k1ngBut" + "F4keT0kenV4lue00x7Qz" }

func riskyFiles() ghfake.Files {
	return ghfake.Files{
		"payments/gateway.go": ghfake.Text(`package payments

import (
	"net/http"
)

// The gateway's client.
const gatewayToken = "` + sampleToken() + `"

func capture(card string, cents int64) error {
	req, err := http.NewRequest("POST", "https://gateway.example/charge", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+gatewayToken)
	// Only managers may refund` + "\u202e\u2066" + `// check later` + "\u2069\u2066" + `
	_, err = http.DefaultClient.Do(req)
	return err
}
`),
		"payments/charge.go": ghfake.Text(`package payments

import "fmt"

// Charge takes money from a card.
func Charge(card string, cents int64) error {
<<<<<<< HEAD
	if cents < 0 {
=======
	if cents <= 0 {
>>>>>>> feature/gateway
		return fmt.Errorf("charge %d cents: not positive", cents)
	}
	return capture(card, cents)
}
`),
		".github/workflows/greet.yml": ghfake.Text(`name: greet
on: pull_request_target
permissions:
  contents: read
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - run: echo "Thanks for ${{ github.event.pull_request.title }}"
`),
	}
}

// fixFiles mend all that the risky pull request was told.
func fixFiles() ghfake.Files {
	return ghfake.Files{
		"payments/gateway.go": ghfake.Text(`package payments

import (
	"net/http"
	"os"
)

func capture(card string, cents int64) error {
	req, err := http.NewRequest("POST", "https://gateway.example/charge", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("GATEWAY_TOKEN"))
	_, err = http.DefaultClient.Do(req)
	return err
}
`),
		"payments/charge.go": ghfake.Text(`package payments

import "fmt"

// Charge takes money from a card.
func Charge(card string, cents int64) error {
	if cents <= 0 {
		return fmt.Errorf("charge %d cents: not positive", cents)
	}
	return capture(card, cents)
}
`),
		"payments/gateway_test.go": ghfake.Text("package payments\n\nimport \"testing\"\n\nfunc TestCapture(t *testing.T) {\n\tif err := capture(\"\", 1); err == nil {\n\t\tt.Error(\"an empty card is charged\")\n\t}\n}\n"),
		".github/workflows/greet.yml": ghfake.Text(`name: greet
on: pull_request_target
permissions:
  contents: read
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - run: echo "Thanks for $TITLE"
        env:
          TITLE: ${{ github.event.pull_request.title }}
`),
	}
}

func cleanFiles() ghfake.Files {
	return ghfake.Files{
		"payments/refund.go":      ghfake.Text("package payments\n\n// Refund gives money back.\nfunc Refund(card string, cents int64) error { return capture(card, -cents) }\n"),
		"payments/refund_test.go": ghfake.Text("package payments\n\nimport \"testing\"\n\nfunc TestRefund(t *testing.T) {\n\tif err := Refund(\"4242\", 1); err != nil {\n\t\tt.Error(err)\n\t}\n}\n"),
	}
}
