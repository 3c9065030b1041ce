#!/bin/sh
# Builds the installers for Windows into a folder: packaging/windows_installers.sh DIST VERSION
# packaging/packages.sh calls it, having set up what it needs and SOURCE_DATE_EPOCH.
set -eu
dist=$1 version=$2
build=${CREDTRAY_BUILD:-build/packages}/windows
tree=$build/credtray

rm -rf "$build"
mkdir -p "$build"
sh packaging/windows.sh unpack "$tree/python"
.venv/bin/python packaging/windows_tree.py "$tree"
sh packaging/sign.sh "$tree/credtray.exe" "$tree/credtrayw.exe"
# CREDTRAY_COMPRESSION=zlib is quicker, for tests.
makensis -V2 -NOCD "-DVERSION=$version" "-DTREE=$tree" "-DOUTPUT=$dist/credtray-$version-setup.exe" \
    "-DKILOBYTES=$(du -sk --apparent-size "$tree" | cut -f 1)" "-DCOMPRESSION=${CREDTRAY_COMPRESSION:-lzma}" \
    packaging/windows/installer.nsi >&2
.venv/bin/python packaging/windows_msi.py "$tree" "$version" >"$build/credtray.wxs"
wixl --arch x64 --output "$dist/credtray-$version.msi" "$build/credtray.wxs" >&2
sh packaging/sign.sh "$dist/credtray-$version-setup.exe" "$dist/credtray-$version.msi"
