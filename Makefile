# Goals Tracker. `make help` lists what there is to do; each recipe is a script
# in scripts/ that also runs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup build run demo test test-full test-container chaos test-llm bench eval lint vulncheck generate checkgenerate clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

setup: ## Install what is missing: PostgreSQL, pgvector, Python (packages need root)
	@scripts/setup

build: ## Build the programs into bin/
	@scripts/build

run: ## Serve on http://127.0.0.1:8000, with its own PostgreSQL and a stand-in academy
	@scripts/setup run && scripts/build
	@scripts/run

demo: ## Walk through the product with real input, on a running server or one of its own
	@scripts/setup run && scripts/build
	@scripts/run --demo

test: ## Everything that CI runs: formatting, vet, all tests, then again without root
	@scripts/setup test && scripts/build
	@scripts/test

test-full: ## The same with the race detector and the long suites
	@scripts/setup test && scripts/build
	@TRACKER_TEST_FULL=1 scripts/test -race

test-container: ## Build the container file and judge in it under runc (as root: 10 minutes)
	@scripts/test-container

chaos: ## 200 learners on three replicas while each part of the system dies in turn
	@scripts/setup test && scripts/build
	@TRACKER_CHAOS=1 TRACKER_BIN=$(CURDIR)/bin go test -count=1 -timeout 30m -run '^TestChaos$$' -v ./cmd/tracker

test-llm: ## Language model plugins against a real llama.cpp server (builds it once: 15 minutes)
	@scripts/test-llm

bench: ## Measure verdicts against pytest and the like, requests and the log against plain PostgreSQL, pushes
	@scripts/setup run && scripts/build
	@bin/tracker bench --verdicts
	@bin/tracker bench
	@bin/tracker bench --realtime
	@bin/tracker rag bench

eval: ## Measure the quality of answers (tests named TestEval…)
	@scripts/setup test && scripts/build
	@scripts/eval

lint: ## golangci-lint, buf lint and the scripts' syntax
	@scripts/lint

vulncheck: ## Known vulnerabilities that our code reaches (GOVULNDB names an offline copy)
	@scripts/vulncheck

generate: ## Generate Go from the .proto files
	@scripts/generate

checkgenerate: ## Fail when what is committed differs from what generate makes
	@scripts/generate --check

clean: ## Remove bin/ and built tools, and stop the test server
	@scripts/stop-test-postgres
	@rm -rf bin .tools
