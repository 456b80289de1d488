# `make demo` runs the main job, `make test` passes the tests; both set up what they need first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
BUILD := .build
PLATFORM := $(shell node -p "const {platform,arch}=process; platform+'-'+({x64:'amd64'}[arch]||arch)" 2>/dev/null)
# The platform's binary from npm, never npm's wrapper: that exits 0 with failing tests. Only linux-amd64 is locked;
# elsewhere an installed Foundry serves.
ifeq ($(PLATFORM),linux-amd64)
FORGE := node_modules/@foundry-rs/forge-$(PLATFORM)/bin/forge
else
FORGE := $(shell command -v forge || echo forge)
endif
SOLIDITY := $(shell find contracts/src -name '*.sol' 2>/dev/null)
LINTED := offchain proofs tests tools examples benchmarks

.PHONY: help setup build demo test lint format test-artifacts test-contracts test-page test-python test-faults soak test-deep symbolic slither mutants \
  bench bench-indexer bench-executor conformance snapshots fixtures dapp page clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# --- set-up: each step leaves a stamp, so that a second run does nothing -------------------------

$(BUILD)/tools.stamp: tools/check_machine.sh
	@mkdir -p $(BUILD)
	@bash tools/check_machine.sh "$(PYTHON)"
	@touch $@

$(BUILD)/python.stamp: requirements.lock pyproject.toml $(BUILD)/tools.stamp
	@echo "Setting up Python (once; a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) tools/link_packages.py
	@touch $@

$(BUILD)/node.stamp: package-lock.json $(BUILD)/tools.stamp
	@echo "Setting up the Solidity toolchain (once) ..."
	@npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@$(FORGE) --version >/dev/null || { echo "No forge for $(PLATFORM): install Foundry 1.7 (docs/development.md)" >&2; exit 1; }
	@touch $@

contracts/generated/Halo2VerifierReusable.json: tools/build_verifier.py tools/solc $(BUILD)/python.stamp $(BUILD)/node.stamp
	@$(PY) tools/build_verifier.py

$(BUILD)/contracts.stamp: foundry.toml $(SOLIDITY) tools/gen_artifacts.py contracts/generated/Halo2VerifierReusable.json
	@$(FORGE) build --quiet contracts/src
	@$(PY) tools/gen_artifacts.py
	@touch $@

# Slither brings versions of its own, so it gets an environment of its own.
$(BUILD)/analysis.stamp: tools/analysis.lock $(BUILD)/tools.stamp
	@echo "Setting up the static analysis (once) ..."
	@$(PYTHON) -m venv $(BUILD)/analysis
	@$(BUILD)/analysis/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/analysis.lock
	@touch $@

$(BUILD)/symbolic.stamp: tools/symbolic.lock $(BUILD)/tools.stamp
	@echo "Setting up the symbolic checks (once) ..."
	@$(PYTHON) -m venv $(BUILD)/symbolic/env
	@$(BUILD)/symbolic/env/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/symbolic.lock
	@touch $@

setup: $(BUILD)/python.stamp $(BUILD)/node.stamp ## install the locked dependencies
build: $(BUILD)/contracts.stamp ## compile the contracts and generate their ABIs

# --- the main job --------------------------------------------------------------------------------

demo: build ## the whole road on this machine: publish, request, run, prove, verify, get paid
	@$(PY) -m examples.digits.demo

# --- checks --------------------------------------------------------------------------------------

test: lint test-contracts test-page test-python ## everything that must pass; some twenty minutes on 2 cores

lint: build
	@$(VENV)/bin/ruff format --check $(LINTED)
	@$(VENV)/bin/ruff check $(LINTED)
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache
	@$(FORGE) fmt --check contracts/src contracts/test
	@node_modules/.bin/solhint --max-warnings 0 --noPoster --disc 'contracts/src/**/*.sol'

# All tests at once are too much for the compiler in WebAssembly ("Error writing output JSON"); a folder at a time is not.
test-artifacts: build
	@for folder in unit attacks fuzz invariant; do $(FORGE) build --quiet contracts/test/$$folder; done

test-contracts: test-artifacts ## Solidity: unit, fuzz, invariant and attack tests, gas snapshots
	@bash tools/forge_must_fail.sh "$(FORGE)"
	@FORGE_SNAPSHOT_CHECK=true $(FORGE) test --summary

test-page: dapp ## the example page: types and unit tests; tests/browser drives it in Chromium
	@node examples/dapp/build.mjs --tests
	@node_modules/.bin/tsc -p examples/dapp
	@node --test .build/dapp-tests/

test-python: build dapp ## Python: unit, property and end-to-end tests on anvil with real proofs
	@$(PY) -m pytest -n 2 --dist loadgroup

test-faults: build ## fault cases: kills, reorgs, bad endpoints, full disks; an hour on 2 cores
	@$(PY) -m pytest tests/faults -n 2 $(ARGS)

soak: build ## MINUTES (30) of random kills, reorgs and RPC faults; ARGS="--seed 7" repeats one
	@PYTHONPATH=tests:tests/faults $(PY) -m soak --minutes $(or $(MINUTES),30) $(ARGS)

test-deep: symbolic test-artifacts ## the long invariant and fuzz profile, symbolic checks
	@FOUNDRY_PROFILE=deep $(FORGE) test

symbolic: build $(BUILD)/symbolic.stamp ## symbolic checks of accounts, nonces and prices (halmos, a minute)
	@bash tools/symbolic.sh "$(FORGE)" $(BUILD)/symbolic/env/bin/halmos

slither: build $(BUILD)/analysis.stamp ## static analysis; docs/static-analysis.md answers what it says
	@bash tools/slither.sh "$(FORGE)" $(BUILD)/analysis/bin/slither

# CONTRACT: see `python -m tools.mutation --help`. ARGS: further options, e.g. ARGS="--sample 400"
mutants: build $(BUILD)/analysis.stamp ## mutation tests of CONTRACT with slither-mutate's operators (hours; resumes)
	@$(BUILD)/analysis/bin/python -m tools.mutation $(CONTRACT) $(ARGS)

# --- measurements --------------------------------------------------------------------------------

# MODELS: a folder of folders with network.onnx and input.json. ARGS: further options, e.g. ARGS=--resume
BENCH = $(PY) -m benchmarks $(if $(MODELS),--models $(MODELS)) $(ARGS)

bench: build ## ezkl's default and ours side by side; MODELS=folder adds models, ARGS=--help lists options
	@$(BENCH)

conformance: build ## which models of MODELS prove and verify on chain, and why the rest does not
	@$(BENCH) --conformance

bench-indexer: build ## events the indexer follows in a second, times of searches; ARGS=--help lists options
	@$(PY) -m benchmarks.indexing $(ARGS)

bench-executor: build ## memory of an idle executor, what it adds to lazy requests; ARGS=--help lists options
	@$(PY) -m benchmarks.executing $(ARGS)

# --- maintenance ---------------------------------------------------------------------------------

format: setup ## format Python and Solidity
	@$(VENV)/bin/ruff format $(LINTED)
	@$(VENV)/bin/ruff check --fix --quiet $(LINTED) || true
	@$(FORGE) fmt contracts/src contracts/test

snapshots: test-artifacts ## rewrite the committed gas snapshots
	@FORGE_SNAPSHOT_CHECK=false $(FORGE) test --quiet
	@git --no-pager diff --stat contracts/snapshots

fixtures: build ## make the missing proofs of the Solidity tests, or those in NAMES anew
	@$(PY) tools/make_fixtures.py $(NAMES)
	@PYTHONPATH=. $(PY) tools/make_batch_fixtures.py $(NAMES)
	@PYTHONPATH=. $(PY) tools/make_digits_fixture.py $(NAMES)
	@PYTHONPATH=. $(PY) tools/make_volatility_fixture.py $(NAMES)

dapp: build ## write what dApps need: ABIs, devnet addresses, typed data, vectors, in one JSON file
	@$(PY) -m tools.make_dapp

page: dapp ## build the example page into .build/dapp
	@node examples/dapp/build.mjs

clean: ## remove everything that was built or installed here
	rm -rf $(BUILD) $(VENV) node_modules contracts/out contracts/cache contracts/generated offchain/gateless/generated
