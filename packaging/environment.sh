#!/bin/sh
# Sets up what a checkout needs: packaging/environment.sh runtime | dev | tools | packages | wine
#
#   runtime  .venv with the locked runtime dependencies; the checkout itself is importable in it
#   dev      the same, the locked tools of development, and the project installed in place
#   tools    the Debian packages, the AWS SDK for JavaScript, and the packages for macOS that some tests need; says
#            which and why
#   packages what `make packages` builds and checks with: Debian packages, and .venv/packaging
#   wine     the Debian packages of Wine, for packaging/windows.sh; fails where they cannot be had
#
# Run from the root of the checkout. Whatever is there already is not touched: a second run costs nothing.
# Never writes outside .venv and tests/js/node_modules, except for Debian packages, and says so each time.
set -eu

say() {
    printf '%s\n' "setup: $*" >&2
}

give_up() {
    printf '%s\n' "setup: $*" >&2
    exit 1
}

# --- Debian packages -----------------------------------------------------------------------------------

# Prints how to become root: nothing, or `sudo`. Fails when that cannot be done here.
root_word() {
    if [ "$(id -u)" -eq 0 ]; then
        return 0
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        echo sudo
    else
        return 1
    fi
}

# install WHY PACKAGE... : installs them, or returns 1 having said which command would.
install() {
    why=$1
    shift
    if ! command -v apt-get >/dev/null; then
        say "missing: $* ($why). This is no Debian: install what corresponds."
        return 1
    fi
    if ! as_root=$(root_word); then
        say "missing: $* ($why). Run: sudo apt-get install --no-install-recommends $*"
        return 1
    fi
    say "apt-get install $* ($why)"
    export DEBIAN_FRONTEND=noninteractive
    # The package lists may be missing (a container) or old (an image): only then are they fetched.
    if ! $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then
        $as_root apt-get update -qq >&2
        $as_root apt-get install -y -qq --no-install-recommends "$@" >&2
    fi
}

# FILE PACKAGE WHY: some tests need FILE (a pattern of the shell), which is in PACKAGE.
wanted_tools() {
    cat <<'TABLE'
/usr/bin/aws awscli a real AWS CLI reads what credtray wrote, and credtray what it wrote
/usr/bin/skopeo skopeo signs in to a container registry with what the helper says
/usr/bin/strace strace kills and fails writes at each system call
/usr/bin/chromium chromium signs in on the pages as a person does
/usr/bin/firefox-esr firefox-esr does the same, as another browser would
/usr/lib/*/libatomic.so.1 libatomic1 the program that drives chromium needs it
/usr/bin/python3 python3 another user's process knocks at the agent's socket
/usr/bin/setpriv util-linux starts that other user's process
/usr/bin/unshare util-linux gives a test a network of its own
/sbin/ip iproute2 takes that network up and down
/usr/bin/Xvfb xvfb the screen of the test desktop
/usr/bin/dbus-daemon dbus-daemon the test desktop's bus, apart from everybody's
/usr/bin/xfce4-panel xfce4-panel a real panel shows icon and menu
/usr/lib/*/xfce4/xfconf/xfconfd xfconf the panel reads its settings through it
/usr/bin/xfce4-session xfce4-session a real session starts what is to start at login
/usr/bin/dunst dunst shows notifications without buttons
/usr/lib/*/xfce4/notifyd/xfce4-notifyd xfce4-notifyd shows notifications with buttons
/usr/bin/notify-send libnotify-bin tries the test desktop without credtray
/usr/bin/xsetroot x11-xserver-utils gives the pointer its shape in the moving picture
/usr/bin/xdotool xdotool moves the mouse and clicks as a person does
/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core letters on the test desktop, the same everywhere
/usr/share/icons/Adwaita/index.theme adwaita-icon-theme check marks and arrows of the menus
/usr/share/icons/hicolor/index.theme hicolor-icon-theme the theme that programs add their icons to
/usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders/libpixbufloader-svg.so librsvg2-common draws those icons
/usr/bin/desktop-file-validate desktop-file-utils judges the autostart entry
/usr/bin/gio libglib2.0-bin starts the autostart entry as GNOME and XFCE do
/usr/bin/trayer trayer is an X11 tray that knows nothing of StatusNotifierItem
/usr/bin/dex dex starts the autostart entry as a desktop does
/usr/bin/xclip xclip reads the clipboard as another program does
/usr/bin/plistutil libplist-utils reads the property list for macOS as another program does
/usr/bin/gcc gcc compiles what lets a process live in another time
/usr/include/stdlib.h libc6-dev needed to compile it
/usr/bin/zsh zsh takes pasted credentials
/usr/bin/fish fish takes pasted credentials
/usr/bin/busybox busybox fetches keys where there is no other shell
/usr/bin/tcsh tcsh takes the line that `credtray share` prints for it
/usr/bin/mmdebstrap mmdebstrap makes the bare Debian in which the package is tried
/usr/bin/lintian lintian judges the package as Debian does
/usr/bin/rpm rpm installs and lists the other package
/usr/sbin/piuparts piuparts installs and removes the package as Debian does with its own
/bin/ps procps tells which programs run, as on systems without /proc
/usr/bin/node nodejs runs the AWS SDK for JavaScript, which takes keys in its own order
/usr/sbin/sshd openssh-server the other machine that keys are shared with
/usr/bin/ssh openssh-client leads there
/usr/bin/curl curl fetches keys there
/usr/sbin/squid squid a proxy of companies, which wants a login
/usr/bin/mitmdump mitmproxy a proxy that opens TLS, as inspecting ones do
/usr/bin/openssl openssl hashes the password that squid asks for
/usr/bin/npm npm fetches that SDK, checked against tests/js/package-lock.json
TABLE
}

tools() {
    missing=
    reasons=
    while read -r file package why; do
        # shellcheck disable=SC2086 # the pattern is to be expanded
        ls $file >/dev/null 2>&1 && continue
        case " $missing " in *" $package "*) continue ;; esac
        missing="$missing $package"
        reasons="$reasons; $package: $why"
    done <<EOT
$(wanted_tools)
EOT
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086 # one word per package
        install "for tests${reasons}" $missing || say "tests that need them are skipped"
    fi
    javascript
    macos
}

wine() {
    [ -x /usr/bin/wine ] && [ -x /usr/lib/wine/wine64 ] && [ -x /usr/bin/Xvfb ] && return 0
    command -v wine >/dev/null && ! command -v apt-get >/dev/null && return 0 # another system's own
    install "runs CPython for Windows, with a screen for its windows" wine wine64 xvfb
}

packages() {
    exec 9>.venv/packaging.lock # several tests may ask for it at once
    flock 9
    missing=
    for pair in makensis:nsis wixl:wixl msiinfo:msitools patchelf:patchelf osslsigncode:osslsigncode; do
        command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
    done
    # shellcheck disable=SC2086 # one word per package
    [ -z "$missing" ] || install "for make packages" $missing || give_up "cannot do without them"
    print=$(fingerprint requirements/packaging.txt)
    is_done packaging "$print" && return 0
    say "tools for packages, checked against requirements/packaging.txt"
    rm -rf .venv/packaging
    .venv/bin/python -m venv .venv/packaging
    PIP_USER=0 .venv/packaging/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
        --require-hashes -r requirements/packaging.txt
    echo "$print" >.venv/credtray-packaging
}

# The AWS SDK for JavaScript, in tests/js/node_modules.
javascript() {
    command -v npm >/dev/null || return 0
    print=$(cat tests/js/package-lock.json | sha256sum | cut -d ' ' -f 1)
    [ -f tests/js/node_modules/credtray ] && [ "$(cat tests/js/node_modules/credtray)" = "$print" ] && return 0
    say "the AWS SDK for JavaScript, checked against tests/js/package-lock.json"
    # Its own scripts are not run: nothing of it is compiled or fetched from elsewhere.
    (cd tests/js && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
        { say "it cannot be fetched: tests that need it are skipped"; return 0; }
    echo "$print" >tests/js/node_modules/credtray
}

# What pyobjc says of the frameworks of macOS, out of its packages for that system, in .venv/macos-wheels.
macos() {
    [ -x .venv/bin/python ] || return 0
    wanted=.venv/macos-wheels.txt
    # Of the two packages only, and without their markers: pip would pass over them on this system.
    awk '/^pyobjc-framework-(cocoa|quartz)==/ { on = 1; sub(/ ; [^\\]*/, " ") }
         on { print } on && !/\\$/ { on = 0 }' requirements/runtime.txt >$wanted
    print=$(sha256sum <$wanted | cut -d ' ' -f 1)
    is_done macos "$print" && [ -d .venv/macos-wheels ] && return 0
    say "pyobjc's packages for macOS, checked against requirements/runtime.txt (600 kB)"
    rm -rf .venv/macos-wheels
    PIP_USER=0 .venv/bin/python -m pip download --quiet --no-input --disable-pip-version-check --require-hashes \
        --no-deps --only-binary :all: --platform macosx_11_0_universal2 --python-version 3.13 \
        --dest .venv/macos-wheels -r $wanted >&2 ||
        { rm -rf .venv/macos-wheels; say "they cannot be fetched: tests that need them are skipped"; return 0; }
    echo "$print" >.venv/credtray-macos
}

# --- Python --------------------------------------------------------------------------------------------

is_good() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && is_good "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

make_environment() {
    if [ -x .venv/bin/python ] && is_good .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1
    then
        return 0
    fi
    if ! found=$(find_python) || ! can_make_environments "$found"; then
        install "Python 3.11 or newer and its venv module" python3 python3-venv ||
            give_up "credtray needs Python 3.11 or newer with its venv module"
        found=/usr/bin/python3
        is_good "$found" || give_up "credtray needs Python 3.11 or newer, $found is $("$found" --version)"
    fi
    say "virtual environment in .venv ($("$found" --version))"
    rm -rf .venv
    "$found" -m venv .venv
}

pip_install() {
    # A pip.conf that says `user = true` would make pip refuse a virtual environment.
    PIP_USER=0 .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check "$@"
}

# What an installation depends on: the locked files, this checkout's place and the interpreter.
fingerprint() {
    {
        pwd
        .venv/bin/python --version
        cat "$@"
    } | sha256sum | cut -d ' ' -f 1
}

is_done() {
    [ -f ".venv/credtray-$1" ] && [ "$(cat ".venv/credtray-$1")" = "$2" ]
}

runtime() {
    make_environment
    print=$(fingerprint requirements/runtime.txt)
    is_done runtime "$print" && return 0
    say "runtime dependencies, checked against requirements/runtime.txt"
    pip_install --require-hashes -r requirements/runtime.txt
    # The checkout itself, importable in this environment also by a Python that ignores PYTHONPATH (-I).
    .venv/bin/python -c '
import pathlib, sysconfig
place = pathlib.Path(sysconfig.get_path("purelib"), "credtray_checkout.pth")
place.write_text(f"{pathlib.Path.cwd()}/agent\n", encoding="utf-8")
'
    echo "$print" >.venv/credtray-runtime
}

dev() {
    runtime
    print=$(fingerprint requirements/dev.txt pyproject.toml)
    is_done dev "$print" && return 0
    say "development tools, checked against requirements/dev.txt"
    pip_install --require-hashes -r requirements/dev.txt
    # The build back-end is among the locked tools: nothing else is fetched to install ourselves.
    pip_install --no-deps --no-build-isolation --editable .
    echo "$print" >.venv/credtray-dev
}

case "${1:-}" in
    runtime | dev | tools | packages | wine) "$1" ;;
    *) give_up "usage: packaging/environment.sh runtime | dev | tools | packages | wine" ;;
esac
