#!/bin/sh
# Runs tests; what fails is run once more, alone: packaging/twice.sh "WORDS OF TESTS" COMMAND THAT CALLS PYTEST...
#
# Among thousands of tests that start programs on a machine busy with them, now and then one fails for want of time. Up
# to three get a second run on the machine that is quiet by then. What fails there as well has failed; what passes is
# named at the end, because somebody has to look into it (docs/adr/0075-a-second-look.md).
set -eu

main() {
    tests=$1
    shift
    failures=.venv/failures-$$ # relative: Python for Windows opens it as well
    trap 'rm -f "$failures"' EXIT
    code=0
    # shellcheck disable=SC2086 # one word per folder
    CREDTRAY_FAILURES=$failures "$@" $tests || code=$?
    [ "$code" = 1 ] && [ -s "$failures" ] || exit "$code"
    number=$(($(wc -l <"$failures")))
    [ "$number" -le 3 ] || exit "$code"

    printf '%s\n' "twice: these failed among the others, and get a second run alone:"
    cat "$failures"
    CREDTRAY_FAILURES='' CREDTRAY_LEAST_PASSED=$number "$@" --numprocesses=0 "@$failures"
    printf '%s\n' "twice: all other tests passed at once; these only when run alone:"
    cat "$failures"
}

main "$@"; exit
