#!/bin/sh
# Tries an installer for Windows under Wine: packaging/try_windows.sh INSTALLER.exe|INSTALLER.msi [quick]
#
# On a C: drive of its own: installs silently with the start at login, looks for its entries, runs the installed
# credtray.exe and the whole demo (with `quick`: only its version), uninstalls silently, and finds nothing left in files
# or registry. `packaging/windows.sh setup` must have been called before. Says on its last line what it saw.
set -eu
cd "$(dirname "$0")/.."

give_up() {
    printf '%s\n' "try_windows: $*" >&2
    exit 1
}

installer=$1
extent=${2:-whole}
name=$(basename "$installer")
scratch=$(mktemp -d)
WINDOWS_PREFIX=$scratch/prefix
export WINDOWS_PREFIX
trap 'WINEPREFIX=$WINDOWS_PREFIX wineserver --kill >/dev/null 2>&1 || true; rm -rf "$scratch"' EXIT
cp -a .venv/windows/prefix "$WINDOWS_PREFIX"
drive=$WINDOWS_PREFIX/drive_c
# What Wine lacks and Windows has (docs/adr/0043-windows-under-wine.md).
.venv/bin/python packaging/windows/forwarder_dll.py "$drive/windows/system32/bcryptprimitives.dll" \
    ProcessPrng=advapi32.SystemFunction036

wine() {
    sh packaging/windows.sh wine "$@"
}

settled() {
    WINEPREFIX=$WINDOWS_PREFIX wineserver --wait
}

files() {
    (cd "$drive" && find . -path ./users/\*/Temp -prune -o -path ./windows/Installer -prune -o -print | LC_ALL=C sort)
}

query() {
    wine reg query "$@" 2>/dev/null | tr -d '\r'
}

cp "$installer" "$drive/$name"
files >"$scratch/before"
case $name in
    *.msi) wine msiexec /i "C:\\$name" /qn LOGIN=1 >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
    *) wine "C:\\$name" /S /LOGIN=1 >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
esac
folder=$(find "$drive/users" -type d -path '*/AppData/Local/Programs/credtray')
[ -f "$folder/credtray.exe" ] || give_up "there is no credtray.exe: $(cat "$scratch/log")"
program=$(query 'HKCU\Environment' /v Path | sed -n 's/.*REG_[A-Z_]*SZ *//p')
[ -n "$program" ] || give_up "it is not on PATH"
query 'HKCU\Software\Microsoft\Windows\CurrentVersion\Run' | grep -q 'pythonw.exe.* run' || give_up "it does not start at login"
shortcut=$(find "$drive/users" -name credtray.lnk)
[ -n "$shortcut" ] || give_up "it is not in the Start menu"
# The AppUserModelID, as the property store keeps it: by its name, in UTF-16.
tr -d '\0' <"$shortcut" | grep -aq credtray || give_up "the shortcut has no AppUserModelID"
case $(wine "$program\\credtray.exe" version | tr -d '\r') in
    "credtray "[0-9]*) ;;
    *) give_up "credtray.exe does not start" ;;
esac
if [ "$extent" = whole ]; then
    gaps=$folder/python/Lib/site-packages/sitecustomize.py # of Wine again: see there
    cp packaging/windows/sitecustomize.py "$gaps"
    demo="$program\\credtray.exe demo"
    wine "$program\\credtray.exe" demo --help >/dev/null 2>&1 || demo="$program\\python\\python.exe -I -m credtray.demo"
    # shellcheck disable=SC2086 # a command of several words; the path has no blanks
    wine $demo --unattended >"$scratch/demo" 2>&1 || give_up "$(cat "$scratch/demo")"
    grep -q "Your real home was not touched" "$scratch/demo" || give_up "$(cat "$scratch/demo")"
    rm "$gaps"
fi
case $name in
    *.msi) wine msiexec /x "C:\\$name" /qn >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
    *) wine "$program\\uninstall.exe" /S >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
esac
settled
files >"$scratch/after"
diff "$scratch/before" "$scratch/after" | grep -i credtray && give_up "uninstalling left this behind"
# What Windows Installer notes of a cached file is Wine's own; everything else of ours is gone.
if grep -ai credtray "$WINDOWS_PREFIX/user.reg" | grep -v "$name"; then give_up "uninstalling left this in the registry"; fi
echo "$name: installed, run ($extent), uninstalled without a trace"
