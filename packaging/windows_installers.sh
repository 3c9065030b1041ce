#!/bin/sh
# Builds the installers for Windows into a folder: packaging/windows_installers.sh DIST VERSION [again]
# packaging/packages.sh calls it, having set up what it needs and SOURCE_DATE_EPOCH. `again` only packs the tree that
# is there.
set -eu
dist=$1 version=$2
build=${CREDTRAY_BUILD:-build/packages}/windows
tree=$build/credtray

if [ "${3:-}" != again ]; then
    rm -rf "$build"
    mkdir -p "$build"
    sh packaging/windows.sh unpack "$tree/python"
    .venv/bin/python packaging/windows_tree.py "$tree"
    sh packaging/sign.sh "$tree/credtray.exe" "$tree/credtrayw.exe" "$tree/docker-credential-credtray.exe"
fi
# Of the files alone: how large a folder is, each file system says differently.
kilobytes=$(find "$tree" -type f -printf '%s\n' | awk '{ bytes += $1 } END { printf "%d", bytes / 1024 }')
# CREDTRAY_COMPRESSION=zlib is quicker, for tests.
makensis -V2 -NOCD "-DVERSION=$version" "-DTREE=$tree" "-DOUTPUT=$dist/credtray-$version-setup.exe" \
    "-DKILOBYTES=$kilobytes" "-DCOMPRESSION=${CREDTRAY_COMPRESSION:-lzma}" \
    packaging/windows/installer.nsi >&2
.venv/bin/python packaging/windows_msi.py describe "$tree" "$version" >"$build/credtray.wxs"
TZ=UTC0 wixl --arch x64 --output "$dist/credtray-$version.msi" "$build/credtray.wxs" >&2
.venv/bin/python packaging/windows_msi.py settle "$dist/credtray-$version.msi"
sh packaging/sign.sh "$dist/credtray-$version-setup.exe" "$dist/credtray-$version.msi"
