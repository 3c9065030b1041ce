#!/bin/sh
# Chooses the newest versions that fit and locks them by their hashes, for every system and Python >= 3.11.
# The registry is the one your own pip or uv is set up for; none is named in the result.
set -eu

uv=$(command -v uv || command -v ./.venv/bin/uv) || {
    echo "lock: needs uv. Run: ./.venv/bin/python -m pip install uv" >&2
    exit 1
}

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links --upgrade "$@"
}

compile pyproject.toml --output-file requirements/runtime.txt
# Where both need a package it is the same version: they are installed into one environment.
compile requirements/dev.in --constraint requirements/runtime.txt --output-file requirements/dev.txt
# The back-end that builds a wheel, for who installs from a checkout: the one that the tests build with.
compile requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt
# What packaging/python_ways.py installs credtray with.
compile requirements/ways.in --constraint requirements/runtime.txt --constraint requirements/dev.txt \
    --output-file requirements/ways.txt
# What `make packages` uses has an environment of its own.
compile requirements/packaging.in --output-file requirements/packaging.txt
