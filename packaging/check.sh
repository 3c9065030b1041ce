#!/bin/sh
# Checks style and types, for the three systems credtray is written for. Changes nothing.
set -eu

python=./.venv/bin/python

step() {
    printf '%s\n' "check: $*" >&2
    "$@"
}

step "$python" -m ruff check .
step "$python" -m ruff format --check .
# One cache for each system: they evict one another otherwise, and a check takes three times as long.
for_other_systems() {
    for system in darwin win32; do
        # The tests drive real processes and are run on Linux only; the agent must fit everywhere.
        step "$python" -m mypy --cache-dir ".mypy_cache/$system" --platform "$system" agent || return
    done
    step "$python" -m mypy --cache-dir .mypy_cache/win32 --platform win32 \
        packaging/windows/sitecustomize.py packaging/windows/installed.py
}
told=$(mktemp)
for_other_systems >"$told" 2>&1 & # beside the next, which takes as long
others=$!
failed=0
step "$python" -m mypy --cache-dir .mypy_cache/linux agent tests bench \
    packaging/wheel_check.py packaging/compare_builds.py packaging/compare_trees.py packaging/bom.py packaging/linux_tree.py \
    packaging/man_page.py packaging/manifests.py packaging/one_file.py packaging/one_file/__main__.py packaging/release_lock.py packaging/site_packages.py \
    packaging/windows_msi.py packaging/windows_tree.py packaging/windows/forwarder_dll.py packaging/windows/unpack_python.py ||
    failed=1
wait $others || failed=1
cat "$told"
rm -f "$told"
exit $failed
