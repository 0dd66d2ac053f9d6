# Two commands need nothing before them: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
.DEFAULT_GOAL := help

.PHONY: help demo test test-slow check format up install clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: install  ## crawl real pages and train a chat model, in under ten minutes
	@$(BIN)/crawl2chat run crawl-to-chat --preset demo

test: install  ## the tests, in under eight minutes
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not slow and not network"

test-slow: install  ## the long tests
	@$(BIN)/python -m pytest -m "slow and not network"

check: install  ## lint, format, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

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
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
