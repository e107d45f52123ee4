# Goals Tracker. `make help` lists what there is to do; each recipe is a script
# in scripts/ that also runs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup build run demo test test-full bench eval lint generate checkgenerate clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

setup: ## Install what is missing: PostgreSQL, pgvector, Python (packages need root)
	@scripts/setup

build: ## Build the programs into bin/
	@scripts/build

run: setup build ## Serve on http://127.0.0.1:8000, with its own PostgreSQL and a stand-in academy
	@scripts/run

demo: setup build ## Walk through the product with real input, on a running server or one of its own
	@scripts/run --demo

test: setup build ## Everything that CI runs: formatting, vet, all tests, then again without root
	@scripts/test

test-full: setup build ## The same with the race detector and the long suites
	@TRACKER_TEST_FULL=1 scripts/test -race

bench: setup build ## Measure requests and the log against plain PostgreSQL in the same run
	@bin/tracker bench

eval: setup build ## Measure the quality of answers (tests named TestEval…)
	@scripts/eval

lint: ## golangci-lint, buf lint and the scripts' syntax
	@scripts/lint

generate: ## Generate Go from the .proto files
	@scripts/generate

checkgenerate: ## Fail when what is committed differs from what generate makes
	@scripts/generate --check

clean: ## Remove bin/ and built tools, and stop the test server
	@scripts/stop-test-postgres
	@rm -rf bin .tools
