#!/bin/sh
# Tries a .deb as a person would: packaging/try_linux.sh PACKAGE.deb [quick]
#
# In a bare Debian 12, without Python and without a network: installs it with apt, runs the whole demo as a user
# (with `quick`: only starts the command), removes and purges it, and compares every file with what was there before.
# The Debian is made in memory by mmdebstrap, from the packages that apt is set up for. Needs root, for chroot; says
# on its last line what it saw.
set -eu

give_up() {
    printf '%s\n' "try_linux: $*" >&2
    exit 1
}

package=$(readlink -f "$1")
extent=${2:-whole}
[ "$(id -u)" = 0 ] || give_up "needs root"
if [ "${CREDTRAY_INSIDE:-}" != yes ]; then # mounts, processes and network of its own; they end with this script
    export CREDTRAY_INSIDE=yes
    # The last of Debian's own packages that apt knows come from here.
    CREDTRAY_MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print $1; exit }')
    export CREDTRAY_MIRROR
    exec unshare --mount --pid --fork --kill-child "$0" "$package" "$extent"
fi
[ -n "$CREDTRAY_MIRROR" ] || give_up "apt knows no Debian 12: run apt-get update"

place=$(mktemp -d)
trap 'umount -R "$place" 2>/dev/null; rmdir "$place"' EXIT
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

files >"$place/before"
cp "$package" "$root/tmp/credtray.deb"
inside apt-get install -y -qq --no-install-recommends /tmp/credtray.deb >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
inside dpkg --verify credtray
[ "$(as_user credtray version)" = "credtray $(inside dpkg-query -W -f '${Version}' credtray | sed 's/-[0-9]*$//')" ] ||
    give_up "credtray version: $(as_user credtray version 2>&1)"
as_user credtray status >"$place/log" 2>&1 || [ $? = 3 ] || give_up "$(cat "$place/log")"
if [ "$extent" = whole ]; then
    demo="credtray demo"
    as_user credtray demo --help >/dev/null 2>&1 || demo="/opt/credtray/bin/python3 -I -m credtray.demo"
    # shellcheck disable=SC2086 # a command of several words
    as_user $demo --unattended >"$place/demo" 2>&1 || give_up "$(cat "$place/demo")"
    grep -q "Your real home was not touched" "$place/demo" || give_up "$(cat "$place/demo")"
fi
inside dpkg --verify credtray # nothing has written into the tree
inside apt-get purge -y -qq credtray >"$place/log" 2>&1 || give_up "$(cat "$place/log")"
files >"$place/after"
diff "$place/before" "$place/after" || give_up "purging left this behind"
echo "$(basename "$package"): installed, run ($extent), purged without a trace"
