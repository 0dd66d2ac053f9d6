# Two commands need nothing before them: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
.DEFAULT_GOAL := help

BENCH := .venv-bench
BENCHED := $(BENCH)/.installed

.PHONY: help demo test test-slow check bench format up install clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: install  ## crawl real pages and train a chat model, in under ten minutes
	@$(BIN)/crawl2chat run crawl-to-chat --preset demo

test: install  ## the tests, in under eight minutes
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "not slow and not network"

test-slow: install  ## the long tests
	@$(BIN)/python -m pytest -m "slow and not network"

check: install  ## lint, format, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(BENCHED)  ## install what the benchmarks compare with, into an environment of its own
	@echo "now run one: $(BENCH)/bin/python benchmarks/bench_minhash.py; see benchmarks/README.md"

$(BENCHED): benchmarks/requirements.txt constraints.txt pyproject.toml
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@grep -v '^xxhash==' constraints.txt > $(BENCH)/constraints.txt
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(BENCH)/constraints.txt --requirement benchmarks/requirements.txt --editable '.[dev]'
	@touch $@

format: install  ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

up: install  ## the dashboard, the deployments and the schedules
	@$(BIN)/crawl2chat up

install: $(INSTALLED)

$(INSTALLED): constraints.txt pyproject.toml
	@sh scripts/check_prerequisites.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): once, a few minutes"
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:  ## remove .venv and caches, never the store
	rm -rf $(VENV) $(BENCH) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
