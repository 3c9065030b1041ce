#!/bin/sh
# Installs credtray from this checkout for you alone: packaging/install.sh [remove]
#
# Everything it fetches is checked against the hashes in requirements/, the build back-end included. It goes into
# ~/.local/share/credtray-venv, the command into ~/.local/bin. Run again to upgrade: the path of its Python stays, and
# so does what starts at login. `remove` takes both away; run `credtray uninstall` before.
# PYTHON=/path/to/python3.12 takes another Python.
set -eu
cd "$(dirname "$0")/.."

place=$HOME/.local/share/credtray-venv
command=$HOME/.local/bin/credtray

say() {
    printf '%s\n' "install: $*" >&2
}

give_up() {
    say "$*"
    exit 1
}

is_good() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && is_good "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# fetch PYTHON WORDS...: pip of that environment; a pip.conf with `user = true` would make it refuse.
fetch() {
    of=$1
    shift
    PIP_USER=0 "$of" -m pip install --quiet --no-input --disable-pip-version-check "$@"
}

install() {
    python=$(find_python) ||
        give_up "credtray needs Python 3.11 or newer with its venv module; python3 is $(python3 --version 2>&1 || true)"
    if [ -e "$command" ] && [ ! -h "$command" ]; then
        give_up "$command is there, and no link of ours: move it away, then try again"
    fi
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    say "building with the back-end of requirements/build.txt"
    "$python" -m venv "$scratch/venv"
    fetch "$scratch/venv/bin/python" --require-hashes -r requirements/build.txt
    "$scratch/venv/bin/python" -m hatchling build -t wheel -d "$scratch/dist" >"$scratch/said" 2>&1 ||
        { cat "$scratch/said" >&2; exit 1; }
    say "installing into $place, checked against requirements/runtime.txt"
    is_good "$place/bin/python" || "$python" -m venv --clear "$place"
    fetch "$place/bin/python" --require-hashes -r requirements/runtime.txt
    fetch "$place/bin/python" --no-deps --force-reinstall "$scratch"/dist/*.whl
    mkdir -p "${command%/*}"
    ln -sf "$place/bin/credtray" "$command"
    say "$("$command" version) is there: $command"
    case ":$PATH:" in
        *":${command%/*}:"*) say "begin with: credtray setup" ;;
        *)
            say "your shell does not look there yet. Add this line to ~/.profile, and run it now:"
            # shellcheck disable=SC2016 # the shell that reads it is to fill it in
            printf '%s\n' '  export PATH="$HOME/.local/bin:$PATH"' >&2
            ;;
    esac
}

remove() {
    [ ! -h "$command" ] || [ "$(readlink "$command")" != "$place/bin/credtray" ] || rm "$command"
    rm -rf "$place"
    say "removed $place"
}

case "${1:-}" in
    "") install ;;
    remove) remove ;;
    *) give_up "usage: packaging/install.sh [remove]" ;;
esac
