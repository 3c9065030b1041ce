#!/bin/sh
# Tries an installer for Windows under Wine: packaging/try_windows.sh INSTALLER.exe|INSTALLER.msi [quick]
#
# On a C: drive of its own: installs silently with the start at login, looks for its entries, runs the installed
# credtray.exe and the whole demo (with `quick`: only its version). Then leaves in the home all that credtray leaves in
# one that is used, and starts an agent. Uninstalling silently must stop it and leave nothing but settings, profiles,
# backups and state; after another installation, /PURGE must leave nothing at all, in files or registry (with `quick`,
# the first of the two is done by installed.py alone). `packaging/windows.sh setup` must have been called before. Says
# on its last line what it saw.
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
    (cd "$drive" && find . -path ./users/\*/Temp -prune -o -path ./windows/Installer -prune -o -print | LC_ALL=C sort) |
        grep -v '/AppData/Roaming/Microsoft/Installer$' # Windows Installer's own
}

query() {
    wine reg query "$@" 2>/dev/null | tr -d '\r'
}

install() {
    case $name in
        *.msi) wine msiexec /i "C:\\$name" /qn LOGIN=1 >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
        *) wine "C:\\$name" /S /LOGIN=1 >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
    esac
}

uninstall() { # [purge]
    case $name,${1:-} in
        *.msi,*) wine msiexec /x "C:\\$name" /qn ${1:+PURGE=1} >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
        *) wine "$program\\uninstall.exe" /S ${1:+/PURGE} >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")" ;;
    esac
    settled # the uninstaller copies itself and goes on
    if [ -f "$gaps" ]; then # Windows Installer removes its own files only, and the folders that are empty then
        rm "$gaps"
        (cd "$folder" && rmdir -p python/Lib/site-packages) && rmdir "$folder"
    fi
}

# What is there, in files or registry, and was not before.
left() {
    files >"$scratch/after"
    diff "$scratch/before" "$scratch/after" | sed -n 's/^[<>] //p'
    # What Windows Installer notes of a cached file is Wine's own.
    grep -ai credtray "$WINDOWS_PREFIX/user.reg" | grep -v "$name" || true
}

cp "$installer" "$drive/$name"
for local in "$drive"/users/*/AppData/Local; do
    mkdir -p "$local/Programs" # Windows' own; Wine has none
done
files >"$scratch/before"
install
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
case $(wine "$program\\docker-credential-credtray.exe" version | tr -d '\r') in
    "docker-credential-credtray "*) ;;
    *) give_up "docker-credential-credtray.exe does not start" ;;
esac
wine "$program\\credtray.exe" help install 2>/dev/null | grep -q setup.exe || give_up "there is no documentation"
gaps=$folder/python/Lib/site-packages/sitecustomize.py # of Wine again: see there
cp packaging/windows/sitecustomize.py "$gaps"
if [ "$extent" = whole ]; then
    wine "$program\\credtray.exe" demo --unattended >"$scratch/demo" 2>&1 || give_up "$(cat "$scratch/demo")"
    grep -q "Your real home was not touched" "$scratch/demo" || give_up "$(cat "$scratch/demo")"
fi
home=${folder%/AppData/Local/Programs/credtray}
# One file for what a person may still want: settings, their last edit, state, changes, backups, profiles, a sign-in.
wanted="config config.credtray-backup credentials.credtray-backup ee0bfd2552fbd840c02cc48b6e823320543c450f.json \
made.jsonl settings.toml settings.toml.before state.json undo.json "
# As tests/uninstall leaves it, by the installed program's own writers; and a line of the person's own.
wine "$program\\python\\python.exe" -I -B -c 'import pathlib, sys; sys.path.insert(0, "")
from tests.uninstall.homes import lay_traces; lay_traces(pathlib.Path.home())' >"$scratch/log" 2>&1 ||
    give_up "$(cat "$scratch/log")"
grep -q "credtray keeps" "$home/.aws/credentials" || give_up "there are no keys that could be taken out"
wine "$program\\credtray.exe" start >"$scratch/started" 2>&1 & # ends with the agent, which keeps its output
agent=$!
tries=600
until [ -n "$(find "$home/AppData" -name agent.pipe)" ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || give_up "the agent does not start: $(cat "$scratch/started")"
    sleep 0.1
done
if [ "$extent" = whole ]; then
    uninstall
    [ ! -d "$folder" ] || give_up "the program is still there"
else
    wine "$program\\python\\python.exe" -I -B "$program\\installed.py" remove >"$scratch/log" 2>&1 || give_up "$(cat "$scratch/log")"
fi
timeout 60 tail --pid=$agent -f /dev/null || give_up "the agent still runs: $(cat "$scratch/log")"
kept=$(cd "$home" && find .aws AppData/Local/credtray -type f -printf '%f ')
[ "$(printf '%s\n' $kept | LC_ALL=C sort | tr '\n' ' ')" = "$wanted" ] || give_up "it should keep $wanted, and not $kept: $(cat "$scratch/log")"
entries=$(find "$drive/users" -name credtray.lnk; query 'HKCU\Environment' /v Path | grep -i credtray
    query 'HKCU\Software\Microsoft\Windows\CurrentVersion\Run' | grep -i credtray) || true
[ -z "$entries" ] || give_up "these entries are left: $entries"
[ "$extent" != whole ] || install
uninstall purge
[ -z "$(left)" ] || give_up "uninstalling left this behind: $(left)"
echo "$name: installed, run ($extent), uninstalled without a trace"
