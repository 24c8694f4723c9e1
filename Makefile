# Two commands: `make demo` shows what it does, `make test` proves it. Both need Python 3.10+ and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench clean

help:
	@echo "make demo   profile real example suites into an embedded PostgreSQL and print the report"
	@echo "make test   install what the tests need and run them all"
	@echo "make bench  measure every budget, write docs/performance.md (takes a while; wants a quiet machine)"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "crossbridge needs Python 3.10 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'

$(VENV)/.demo: $(BIN)/python pyproject.toml
	@echo "installing crossbridge into $(VENV) ..."
	@$(BIN)/python -m pip install -q -e '.[all]' pytest pytest-xdist pytest-rerunfailures requests
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	@echo "installing crossbridge and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install -q -e '.[all]' --group test
	@touch $@

demo: $(VENV)/.demo
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

bench: $(VENV)/.test
	$(BIN)/python -m pip install -q --group bench
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .cache .crossbridge build dist
