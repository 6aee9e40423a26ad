# Every target runs from a fresh clone. "make help" lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Long enough for a slow machine, short enough to notice that a test hangs.
TEST_TIMEOUT ?= 15m

# How long each fuzz target runs.
FUZZTIME ?= 30s

# How many simulated deployments to run, and the first of them.
SEEDS ?= 1000
FROM ?= 0

# Packages to test and measure.
PKG ?= ./...

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: deps ## five services share 60 connections of a real PostgreSQL (DURATION=30s)
	@go run ./cmd/demo

.PHONY: test
test: deps test-deps ## run all tests with the race detector (PKG=./...)
	go test -race -count=1 -timeout $(TEST_TIMEOUT) $(PKG)

.PHONY: sim
sim: ## simulate deployments in virtual time (SEEDS=1000 FROM=0)
	@go run ./cmd/sim -seeds $(SEEDS) -from $(FROM)

.PHONY: chaos
chaos: deps ## break real processes and judge by PostgreSQL (DURATION=5m SEED=)
	@go run ./cmd/chaos

.PHONY: model
model: ## check the protocol's model exhaustively, and that it can fail
	@deploy/install-deps.sh spin
	@docs/model/check.sh

.PHONY: bench
bench: deps ## run the benchmarks (PKG=./...)
	go test -run '^$$' -bench . -benchmem $(PKG)

# go test fuzzes one target of one package at a time.
.PHONY: fuzz
fuzz: deps ## run each fuzz target for FUZZTIME (30s)
	@go list -f '{{.Dir}}' $(PKG) | while read -r dir; do \
		for target in $$(cat "$$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do \
			echo "== $$target in $${dir#$(CURDIR)/}"; \
			(cd "$$dir" && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) .) </dev/null; \
		done; \
	done

.PHONY: lint
lint: ## check the formatting and look for mistakes
	@unformatted=$$(gofmt -l .); \
	if [[ -n "$$unformatted" ]]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

.PHONY: build
build: ## build the programs into bin/
	@mkdir -p bin
	go build -trimpath -o bin/ ./cmd/...

.PHONY: deps
deps: ## install Redis, PostgreSQL and a C compiler where they are missing
	@deploy/install-deps.sh

.PHONY: test-deps
test-deps:
	@deploy/install-deps.sh promtool
	@deploy/install-deps.sh chromium || echo "make: there is no browser: the tests of the page in a browser will be skipped" >&2

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
