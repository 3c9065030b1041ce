#!/bin/sh
# Builds what people install, into dist/: packaging/packages.sh [twice] [python | one-file | linux | windows]...
#
# Without words: all of it. Then the list of parts (SBOM), what Homebrew and winget are told, and SHA256SUMS. The same commit makes the same bytes:
# SOURCE_DATE_EPOCH is the time of the commit unless it is set. CREDTRAY_DIST names another folder than dist/.
# `twice` builds a second time, elsewhere and under other circumstances, and fails if any byte differs.
# Each way is a script or program of its own in packaging/; tests/packaging and tests/wine try what they make.
set -eu
cd "$(dirname "$0")/.."

dist=${CREDTRAY_DIST:-dist}
build=${CREDTRAY_BUILD:-build/packages}
python=.venv/bin/python
nowhere=file:///the-address-of-the-release

if [ "${1:-}" = twice ]; then
    shift
    sh packaging/packages.sh "$@"
    again=$(mktemp -d "${TMPDIR:-/tmp}/credtray again.XXXXXX")
    trap 'rm -rf "$again"' EXIT
    (
        umask 077
        # Another time zone, another language, another order of what has none, and a path with a space.
        TZ=XYZ-5:45 LC_ALL=C PYTHONHASHSEED=7 CREDTRAY_DIST=$again/dist CREDTRAY_BUILD=$again/build \
            sh packaging/packages.sh "$@"
    )
    $python packaging/compare_builds.py "$dist" "$again/dist"
    for tree in linux/root windows/credtray; do
        [ ! -d "$again/build/$tree" ] || $python packaging/compare_builds.py --modes "$build/$tree" "$again/build/$tree"
    done
    exit
fi

say() {
    printf '%s\n' "packages: $*" >&2
}

# The moment that everything made here carries.
moment() {
    git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md
}

# The two wheels (docs/adr/0032-isolation.md), the source package, and the lock that names them.
python_packages() {
    $python -I -m hatchling build -t sdist -d "$dist" >/dev/null
    for system in posix win_amd64; do
        CREDTRAY_WHEEL_FOR=$system $python -I -m hatchling build -t wheel -d "$dist" >/dev/null
    done
    $python packaging/release_lock.py "$dist" "$version"
}

one_file() {
    $python packaging/one_file.py "$dist/credtray.pyz"
}

# .deb and .rpm of the same files.
linux() {
    rm -rf "$build/linux"
    mkdir -p "$build/linux"
    $python packaging/linux_tree.py "$build/linux/root"
    linux_again
}

# The packages only, of the tree that is there. CREDTRAY_DEB_COMPRESSION=none is quicker, for tests.
linux_again() {
    sed "s/^  compression: gzip\$/  compression: ${CREDTRAY_DEB_COMPRESSION:-gzip}/" packaging/linux/nfpm.yaml >"$build/linux/nfpm.yaml"
    for kind in deb rpm; do
        CREDTRAY_VERSION=$version CREDTRAY_ROOT=$build/linux/root CREDTRAY_ARCH=$(dpkg --print-architecture) \
            .venv/packaging/bin/nfpm package -f "$build/linux/nfpm.yaml" -p $kind -t "$dist" >&2
    done
}

bill() {
    if [ -f "$build/linux/debian.txt" ]; then
        $python packaging/bom.py "$dist/credtray.cdx.json" "$build/linux/debian.txt"
    else
        $python packaging/bom.py "$dist/credtray.cdx.json"
    fi
    .venv/packaging/bin/python packaging/judge_bom.py "$dist/credtray.cdx.json"
}

sums() {
    (cd "$dist" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
}

sh packaging/environment.sh dev
sh packaging/environment.sh packages
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(moment)}
export SOURCE_DATE_EPOCH
version=$($python -I -c 'import credtray; print(credtray.__version__)')
umask 022
mkdir -p "$dist" "$build"
[ $# -gt 0 ] || set -- python one-file linux windows
for way in "$@"; do
    say "$way"
    case $way in
        python) python_packages ;;
        one-file) one_file ;;
        linux) linux ;;
        linux-again) linux_again ;;
        windows) sh packaging/windows_installers.sh "$dist" "$version" ;;
        windows-again) sh packaging/windows_installers.sh "$dist" "$version" again ;;
        *) say "no such way: $way"; exit 2 ;;
    esac
done
bill
# Where the files will be: the release workflow says it.
$python packaging/manifests.py "$dist" "${CREDTRAY_RELEASE_URL:-$nowhere}"
sums
say "$(wc -l <"$dist/SHA256SUMS") files in $dist"
