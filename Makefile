# Everything needs only Python 3.11 or newer and make; the rest is set up on first use.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
CORES ?= all

.PHONY: run test check bench faults slurm publish clean
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
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python benchmarks/dry_run.py
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python benchmarks/trace_estimators.py

faults: $(VENV)/.dev ## kills, full disks, broken downloads: the long form of tests/faults
	@PATH="$(abspath $(BIN)):$$PATH" pytest tests/faults --long -s

slurm: $(VENV)/.dev ## the workflow on a real Slurm of one node (root; installs Debian's packages)
	bash tests/slurm/cluster.sh install
	@$(BIN)/pip install --quiet --disable-pip-version-check snakemake-executor-plugin-slurm==2.8.0
	@PATH="$(abspath $(BIN)):$$PATH" PHASEZOO_SLURM=required pytest tests/slurm

publish: $(VENV)/.dev ## record the study and put it into published/, without what is no longer used
	@PATH="$(abspath $(BIN)):$$PATH" dvc repro --quiet study
	@PATH="$(abspath $(BIN)):$$PATH" dvc push --quiet
	@PATH="$(abspath $(BIN)):$$PATH" dvc gc --quiet --force --workspace --cloud
	@du -sh published

clean: ## what can be made again without training; keeps data, runs and zoos
	rm -rf logs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.run: envs/requirements.txt pyproject.toml
	@echo "setting up $(VENV): about a minute"
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer on the path; say PYTHON=..." >&2; exit 1; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run envs/requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement envs/requirements-dev.txt
	@touch $@
