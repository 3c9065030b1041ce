#!/bin/sh
# Installs locked wheels for another system or Python: packaging/wheels.sh PLATFORM PYTHON WORDS-FOR-UV...
#
#   packaging/wheels.sh x86_64-pc-windows-msvc 3.13 --target FOLDER -r requirements/runtime.txt
#   packaging/wheels.sh aarch64-apple-darwin 3.11 --dry-run --target FOLDER -r requirements/runtime.txt
#
# uv evaluates the markers of that system, which pip cannot. It reads no pip.conf: the index that pip is set up for is
# handed on to it.
set -eu

platform=$1 version=$2
shift 2
index=$(./.venv/bin/python -m pip config list | sed -n "s/^.*\.index.url='\(.*\)'\$/\1/p" | head -n 1)
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
exec ./.venv/bin/uv pip install --python ./.venv/bin/python --only-binary :all: --require-hashes --no-deps \
    --python-platform "$platform" --python-version "$version" "$@"
