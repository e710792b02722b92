# The door for people. `make` alone lists what there is.

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
endif
BIN := .venv/bin
PYTEST := nice $(BIN)/python -m pytest -p dataplat_tests.services.pytest_plugin

# Test files are dealt to so many processes; each starts the servers that its files need.
TEST_PROCESSES ?= 2
TOGETHER := -n $(TEST_PROCESSES) --no-loadscope-reorder

# How often the kill and property tests repeat themselves: a factor on each test's own count.
export DATAPLAT_TEST_EFFORT ?= 1.0

.DEFAULT_GOAL := help
.PHONY: help python setup setup-demo demo ui test test-long check bench lock

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  ## (.*)/  make \1@\2/' | awk -F@ '{printf "%-18s %s\n", $$1, $$2}'

python:
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11, 3.12 or 3.13 is needed, and none is on PATH"; \
	  echo "  next    sudo apt-get install -y python3 python3-venv   or   brew install python@3.13"; exit 1; }

setup: python  ## everything a fresh machine needs; demo and test do it themselves
	@$(PYTHON) scripts/setup.py --for-tests

setup-demo: python
	@$(PYTHON) scripts/setup.py

demo: setup-demo  ## fill a private MariaDB, build a warehouse of it, damage days and repair them
	@$(BIN)/dataplat demo

ui: setup-demo  ## open Dagster on 127.0.0.1 with what the demo left
	@$(BIN)/dataplat demo --ui

test: setup  ## run everything that CI runs; nothing may be skipped
	@DATAPLAT_REQUIRE_ALL=1 $(PYTEST) $(TOGETHER) dataplat_tests --ignore dataplat_tests/bench

test-long: setup  ## run everything, the kill and property tests ten times as long
	@DATAPLAT_TEST_EFFORT=10 DATAPLAT_REQUIRE_ALL=1 $(PYTEST) $(TOGETHER) dataplat_tests \
	  --ignore dataplat_tests/bench --timeout 7200

check: setup-demo  ## format, lint, types, and the tests that need no server: about four minutes
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(PYTEST) -q $(TOGETHER) dataplat_tests/unit dataplat_tests/golden dataplat_tests/definitions

bench: setup  ## measure against hand-written jobs, side by side; prints ratios
	@$(BIN)/python -m dataplat_tests.bench

lock:  ## write requirements.lock anew from pyproject.toml
	@.venv/tools/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
	  --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock
