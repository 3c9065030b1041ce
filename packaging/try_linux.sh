#!/bin/sh
# Tries a .deb and an .rpm as a person would: packaging/try_linux.sh [whole] PACKAGE...
#
# In a bare Debian 12, without Python and without a network: installs each package, runs the whole demo as a user, lets
# an agent run while the package is installed once more, removes and purges it, and compares every file with what was
# there before. First of all /opt is full, which must be said and must leave nothing. The demo is played with the first
# package only, and with `whole` with each. An .rpm is installed by rpm itself, without its dependencies: this Debian has
# them, and rpm does not know.
# The Debian is made in memory by mmdebstrap, from the packages that apt is set up for. Needs root, for chroot; says
# on a line for each package what it saw.
set -eu

give_up() {
    printf '%s\n' "try_linux: $*" >&2
    exit 1
}

extent=first
if [ "$1" = whole ]; then
    extent=whole
    shift
fi
[ "$(id -u)" = 0 ] || give_up "needs root"
if [ "${CREDTRAY_INSIDE:-}" != yes ]; then # mounts, processes and network of its own; they end with this script
    export CREDTRAY_INSIDE=yes
    # The last of Debian's own packages that apt knows come from here.
    CREDTRAY_MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print $1; exit }')
    export CREDTRAY_MIRROR
    [ $extent = first ] || set -- whole "$@"
    exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi
[ -n "$CREDTRAY_MIRROR" ] || give_up "apt knows no Debian 12: run apt-get update"

place=$(mktemp -d)
trap 'umount --recursive --lazy "$place" && rmdir "$place" || true' EXIT # lazy: what was killed may not be gone yet
mount -t tmpfs -o size=2g credtray "$place"
root=$place/root
mmdebstrap --quiet --mode=root --variant=apt --dpkgopt=force-unsafe-io bookworm "$root" "$CREDTRAY_MIRROR" >"$place/log" 2>&1 ||
    give_up "mmdebstrap: $(tail -n 5 "$place/log")"
if [ -e "$root/usr/bin/python3" ]; then give_up "this Debian is not bare: it has a Python"; fi
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
chroot "$root" useradd --create-home tester

inside() {
    unshare --net sh -c '/sbin/ip link set lo up && exec "$@"' sh \
        chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}

as_user() {
    inside setpriv --reuid=tester --regid=tester --init-groups env -C /home/tester HOME=/home/tester "$@"
}

# Each file with its mode, owner, size and content; without what dpkg and apt keep about all packages.
files() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./sys -o -path ./tmp -o -path ./var/lib/dpkg \
        -o -path ./var/lib/apt -o -path ./var/log -o -path ./var/cache -o -path ./home \) -prune -o \
        -printf '%p %M %U:%G %l\n' -type f -exec sha256sum {} +) | LC_ALL=C sort
}

# --- what a package manager does ---------------------------------------------------------------------------

of_rpm() {
    unshare --net rpm --root "$root" --dbpath /tmp/rpm --force-debian "$@"
}

install() { # [again]
    case $package in
        *.deb) inside apt-get install -y -qq --no-install-recommends ${1:+--reinstall} /tmp/package.deb ;;
        *.rpm) of_rpm --upgrade --nodeps ${1:+--replacepkgs} "$package" ;;
    esac
}

verify() { # nothing has written into the tree
    case $package in
        *.deb) inside dpkg --verify credtray ;;
        *.rpm) of_rpm --verify --nodeps credtray ;;
    esac
}

version() {
    case $package in
        *.deb) inside dpkg-query -W -f '${Version}' credtray | sed 's/-[0-9]*$//' ;;
        *.rpm) of_rpm --query --qf '%{VERSION}' credtray ;;
    esac
}

purge() {
    case $package in
        *.deb) inside apt-get purge -y -qq credtray ;;
        *.rpm) of_rpm --erase --nodeps credtray ;;
    esac
}

# --- what is tried -----------------------------------------------------------------------------------------

full() {
    mount -t tmpfs -o size=20m full "$root/opt"
    if install >"$place/log" 2>&1; then give_up "it was installed where there is no room"; fi
    grep -Eq "No space left on device|needs [0-9]+MB more space on the /opt" "$place/log" || give_up "$(cat "$place/log")"
    umount "$root/opt"
    case $package in *.deb) purge >"$place/log" 2>&1 || give_up "$(cat "$place/log")" ;; esac
    files >"$place/after"
    diff "$place/before" "$place/after" || give_up "what had no room left this behind"
}

used() {
    [ "$(as_user credtray version)" = "credtray $(version)" ] || give_up "credtray version: $(as_user credtray version 2>&1)"
    as_user credtray status >"$place/log" 2>&1 || [ $? = 3 ] || give_up "$(cat "$place/log")"
    as_user credtray help install | grep -q "credtray_.*_amd64.deb" || give_up "there is no documentation"
    if [ $extent != none ]; then
        as_user credtray demo --unattended >"$place/demo" 2>&1 || give_up "$(cat "$place/demo")"
        grep -q "Your real home was not touched" "$place/demo" || give_up "$(cat "$place/demo")"
        [ $extent = whole ] || extent=none
    fi
    verify
}

replaced() { # while an agent runs
    as_user credtray start >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
    install again >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
    for words in status restart status; do
        as_user credtray $words >"$place/log" 2>&1 || give_up "credtray $words: $(cat "$place/log")"
    done
}

for package in "$@"; do
    package=$(readlink -f "$package")
    case $package in
        *.rpm) # Fedora's package `filesystem` owns these, so that no other one does
            (cd "$root/usr" && mkdir -p lib/systemd/user share/applications share/fish/vendor_completions.d share/icons \
                share/zsh/site-functions)
            ;;
    esac
    files >"$place/before"
    cp "$package" "$root/tmp/package.deb"
    full
    install >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
    used
    replaced
    purge >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
    grep -q "run 'credtray uninstall' before" "$place/log" || give_up "it does not say what stays in homes: $(cat "$place/log")"
    files >"$place/after"
    diff "$place/before" "$place/after" || give_up "purging left this behind"
    inside setpriv --reuid=tester --regid=tester --clear-groups sh -c 'kill -- -1' || true # the agent, which ran until now
    echo "$(basename "$package"): installed, run, replaced beside an agent, purged without a trace"
done
