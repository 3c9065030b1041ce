# Everything a checkout needs, on a bare Debian 12: `make demo` and `make test` set up what they use.
#
# The recipes stay one line each; what has to be decided is decided in packaging/. Works from any directory
# (`make -f /some/where/Makefile test`) and below a path with spaces.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

here := $(shell list="$(MAKEFILE_LIST)"; dirname "$${list# }")
enter := cd "$(here)" &&
python := ./.venv/bin/python

# Without the cache, each of thousands of program starts would translate all of Python's sources anew.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
# More than cores: most of an end-to-end test is waiting for another process. Six were too many once packages were built.
WORKERS ?= 4

# What `make quick` runs: the parts by themselves, without whole programs and without a screen.
rooms := core ways_out daemon store files web aws desktop

.PHONY: help install demo quick test lint pytest bench soak wheel packages docs screenshots lock clean setup-runtime setup-dev setup-tools setup-packages

help: ## Say what can be made
	@$(enter) sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; \
		do printf '  make %-12s %s\n' "$$name" "$$what"; done

install: ## Install credtray for yourself, all of it checked against requirements/ (ARGS=remove: take it away)
	@$(enter) sh packaging/install.sh $(ARGS)

demo: setup-runtime ## Show the whole of it against an embedded Identity Center, in a throw-away home
	@$(enter) $(python) -I -m credtray.demo $(ARGS)

quick: setup-dev ## Test the parts by themselves, with few examples: while you work
	@$(enter) CREDTRAY_QUICK=1 $(python) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(rooms:%=tests/%) $(ARGS)

test: setup-dev setup-tools setup-packages ## Check everything: style, types for three systems, all tests, Windows under Wine (what CI runs)
	@$(enter) sh packaging/check.sh
	@$(enter) if [ "$${WINDOWS:-1}" != 0 ]; then sh packaging/windows.sh setup; fi # tests/wine starts programs there
	@$(enter) sh packaging/twice.sh "" $(python) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)
	@$(enter) sh packaging/windows.sh test

lint: setup-dev ## Check style and types only
	@$(enter) sh packaging/check.sh

pytest: setup-dev ## Run the tests only: make pytest ARGS=tests/core
	@$(enter) $(python) -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

bench: setup-dev setup-tools ## Measure what docs/explanation/performance.md claims
	@$(enter) $(python) -m bench $(ARGS)

soak: setup-dev setup-tools setup-packages ## Run all tests with the full budgets of docs/explanation/gates.md (hours)
	@$(enter) if [ "$${WINDOWS:-1}" != 0 ]; then sh packaging/windows.sh setup; fi
	@$(enter) CREDTRAY_SOAK=1 $(python) -m pytest --numprocesses=$(WORKERS) --dist=worksteal --timeout=14400 $(ARGS)
	@$(enter) CREDTRAY_SOAK=1 sh packaging/windows.sh test

wheel: setup-dev ## Build the wheel, install it elsewhere by pip, pipx and uv, run it and upgrade it
	@$(enter) $(python) packaging/wheel_check.py $(ARGS)
	@$(enter) $(python) packaging/python_ways.py

packages: ## Build all that people install (packages, installers, one file) into dist/, with SHA256SUMS and SBOM
	@$(enter) sh packaging/packages.sh $(ARGS)

docs: setup-runtime ## Write the reference pages that are generated from the code
	@$(enter) $(python) -I -m credtray.cli.reference docs/reference

screenshots: setup-dev setup-tools ## Take the pictures of docs/images from a desktop nobody sees
	@$(enter) $(python) packaging/screenshots.py
	@$(enter) $(python) packaging/page_pictures.py
	@$(enter) if [ "$${WINDOWS:-1}" != 0 ]; then sh packaging/windows.sh setup && $(python) packaging/windows_screenshots.py; fi

lock: ## Choose the newest dependencies anew and lock them by their hashes
	@$(enter) sh packaging/lock.sh

clean: ## Take away everything that was made here
	@$(enter) rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist tests/js/node_modules
	@$(enter) find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-runtime:
	@$(enter) sh packaging/environment.sh runtime

setup-dev:
	@$(enter) sh packaging/environment.sh dev

setup-tools:
	@$(enter) sh packaging/environment.sh tools

setup-packages:
	@$(enter) sh packaging/environment.sh packages
