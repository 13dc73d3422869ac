# Every target prints what it does; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
TOOL := go tool -modfile=tools/go.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z\/-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: packages ## bring up the lab and the bot, and print the page's address
	go run ./lab up

.PHONY: check
check: packages servers lint test ## all that continuous integration runs

.PHONY: packages
packages: ## install the Debian packages that are missing
	@scripts/packages

.PHONY: servers
servers: ## build the lab's real servers, unless they are there
	go run ./lab build

.PHONY: test
test: ## unit, transcript, browser and end-to-end tests, with the race detector
	go test -race -timeout 50m ./...

.PHONY: test/crash
test/crash: packages ## kill the bot at every step of an approval, and 200 times at random, on SQLite and PostgreSQL
	go test -run 'Killed|Dead' -v -timeout 40m ./store -kills 100

.PHONY: range
range: packages ## inject every fault into a lab of its own, hold each verdict against the right one, and write docs/range.md
	go run ./lab range --to docs/range.md

.PHONY: lint
lint: ## go vet, golangci-lint (with the rooms), formatting
	go vet ./...
	$(TOOL) golangci-lint run
	@unformatted="$$($(TOOL) gofumpt -l .)" && test -z "$$unformatted" || { echo "$$unformatted: run: make fmt" >&2; exit 1; }

.PHONY: fmt
fmt: ## format
	$(TOOL) gofumpt -w .

.PHONY: build
build: ## build bin/bot, static
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/bot ./cmd/bot

.PHONY: bench
bench: packages ## benchmarks, each as a ratio to a baseline of the same run
	go test -run '^$$' -bench . -benchtime 1x -timeout 40m ./diagnostics ./store ./lab/bench

.PHONY: fuzz
fuzz: ## each fuzz target for ten seconds
	@grep -rho --include='*_test.go' '^func Fuzz[A-Za-z]*' --with-filename . | sed 's|/[^/]*:func | |' | sort -u | \
	  while read -r dir target; do echo "$$dir $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime 10s "$$dir" || exit 1; done

.PHONY: vuln
vuln: ## known vulnerabilities in what the bot calls
	$(TOOL) govulncheck ./cmd/bot

.PHONY: dead
dead: ## functions that nothing calls
	$(TOOL) deadcode -test ./...

.PHONY: pictures
pictures: packages ## make the pictures of docs/ in the running lab (make demo)
	go run ./lab pictures

.PHONY: clean
clean: ## remove what was built; the lab must be down
	rm -rf bin .lab
