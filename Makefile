# make help lists the targets.
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: demo
demo: build ## Watch pull requests being reviewed, on a GitHub of its own (PORT=8080)
	./bin/assay demo

.PHONY: run
run: build ## Run the service with the settings of the environment
	./bin/assay serve

.PHONY: build
build: ## Build bin/assay
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/assay ./cmd/assay

.PHONY: test
test: ## Run all tests, watch for races, and fuzz the first parsers for a few seconds
	./scripts/test

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (30s)
	./scripts/fuzz

.PHONY: lint
lint: ## Run the linters and the vulnerability check
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod golangci-lint run
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

.PHONY: generate
generate: ## Regenerate what is made from other files (pages, references)
	$(GO) tool -modfile=tools/go.mod templ generate
	$(GO) test ./internal/config ./internal/metrics ./internal/app ./reports -update

.PHONY: bench
bench: ## Measure: durable deliveries next to a bare HMAC check; agents, guard, cache
	$(GO) test ./internal/bench -run '^$$' -bench . -benchtime 1x -v
	$(GO) test ./agents/... ./internal/guard ./internal/cache -run '^$$' -bench .

.PHONY: eval-secrets
eval-secrets: ## Compare the secrets agent with gitleaks on gitleaks' own samples
	./scripts/eval-secrets

.PHONY: soak
soak: ## Kill the service at random, hundreds of times, under load
	SOAK_KILLS=$${SOAK_KILLS:-300} $(GO) test ./internal/e2e -run 'TestKill|TestHeal' -v -timeout 60m
