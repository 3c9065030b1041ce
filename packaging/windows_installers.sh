#!/bin/sh
# Builds the installers for Windows into a folder: packaging/windows_installers.sh DIST VERSION
# packaging/packages.sh calls it, having set up what it needs and SOURCE_DATE_EPOCH.
set -eu
dist=$1 version=$2
build=build/packages/windows
tree=$build/credtray

rm -rf $build
mkdir -p $build
sh packaging/windows.sh unpack $tree/python
.venv/bin/python packaging/windows_tree.py $tree
sh packaging/sign.sh $tree/credtray.exe $tree/credtrayw.exe
makensis -V2 -NOCD "-DVERSION=$version" "-DTREE=$tree" "-DOUTPUT=$dist/credtray-$version-setup.exe" \
    "-DKILOBYTES=$(du -sk --apparent-size $tree | cut -f 1)" packaging/windows/installer.nsi >&2
sh packaging/sign.sh "$dist/credtray-$version-setup.exe"
