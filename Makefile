# Everything needs only Python 3.11 or newer and make; the rest is set up on first use.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(shell command -v python3.12 python3.11 python3.13 python3))
CORES ?= all

.PHONY: run test check bench clean
.DEFAULT_GOAL := run

run: $(VENV)/.run ## the default study, on all cores
	@PATH="$(abspath $(BIN)):$$PATH" snakemake --cores $(CORES) --quiet rules
	@$(BIN)/phasezoo summary

test: $(VENV)/.dev ## all tests
	@PATH="$(abspath $(BIN)):$$PATH" pytest -n 2

check: $(VENV)/.dev ## style, types, import layers, workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/snakemake --lint

bench: $(VENV)/.run ## measured claims
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python benchmarks/sgd_step.py

clean: ## what can be made again without training; keeps data, runs and zoos
	rm -rf logs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.run: envs/requirements.txt pyproject.toml
	@echo "setting up $(VENV): about a minute"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "phasezoo needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run envs/requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/requirements-dev.txt
	@touch $@
