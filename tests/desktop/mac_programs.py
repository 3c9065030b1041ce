"""macOS's own programs, as far as credtray calls them: each refuses what the real one does not know.

They lie in a directory of their own, keep what they were told in files beside them, and print what the manual
pages say that the real ones print.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_OSASCRIPT = """#!/usr/bin/env node
// osascript(1): with neither a file nor -e it runs what comes on standard input.
const fs = require("fs"), path = require("path"), vm = require("vm");
const words = process.argv.slice(2);
if (words.length !== 2 || words[0] !== "-l" || words[1] !== "JavaScript") process.exit(2);
const app = {
    displayNotification(text, options) {
        if (!this.includeStandardAdditions) throw new Error("Message not understood.");
        const shown = { text, title: options.withTitle, environment: process.env };
        fs.appendFileSync(path.join(__dirname, "shown"), JSON.stringify(shown) + "\\n");
    },
};
try {
    vm.runInNewContext(fs.readFileSync(0, "utf8"), { Application: { currentApplication: () => app } });
} catch (error) {
    console.error(`execution error: Error: ${error} (-2700)`);
    process.exit(1);
}
"""

_CODESIGN = """#!/bin/sh
# codesign(1): --display writes to standard error; --sign - needs no certificate.
case "$1 $2 $3 $#" in "--force --sign - 4")
    [ -f "$4/Contents/Info.plist" ] || { echo "$4: bundle format unrecognized" >&2; exit 1; }
    [ -x "$4/Contents/MacOS/credtray" ] || { echo "$4: code object is not signed at all" >&2; exit 1; }
    mkdir "$4/Contents/_CodeSignature" && : >"$4/Contents/_CodeSignature/CodeResources"; exit ;;
esac
[ "$1 $2 $#" = "--display --verbose=2 3" ] || exit 2
cat "$(dirname "$0")/signature" >&2 && exit 0
echo "$3: code object is not signed at all" >&2
exit 1
"""

_LAUNCHCTL = """#!/bin/sh
# launchctl(1) in a desktop session; beside it lie the labels that are disabled and the job that is loaded.
here=$(dirname "$0")
echo "$*" >>"$here/launchctl.log"
case "$1 $2" in
"print-disabled gui/$(cat "$here/uid")")
    printf '\n\tdisabled services = {\n'
    printf '\t\t"com.apple.ManagedClientAgent.enrollagent" => disabled\n'
    while read -r label said; do printf '\t\t"%s" => %s\n' "$label" "$said"; done <"$here/disabled"
    printf '\t}\n\tlogin item associations = {\n\t}\n' ;;
"enable gui/"*)
    [ -e "$here/stubborn" ] || : >"$here/disabled" ;;
"print gui/"*)
    [ -e "$here/job" ] || { echo "Bad request." >&2; echo "Could not find service" >&2; exit 113; }
    printf '%s = {\n\tactive count = 1\n' "$2"; cat "$here/job"; printf '}\n' ;;
"bootout gui/"*)
    [ -e "$here/job" ] || { echo "Boot-out failed: 3: No such process" >&2; exit 3; }
    rm "$here/job" ;;
*)
    echo "Unrecognized subcommand or no such domain: $*" >&2; exit 64 ;;
esac
"""

_PBCOPY = """#!/bin/sh
# pbcopy(1): without a UTF-8 locale it takes what comes for MacRoman.
case "$LC_CTYPE" in *UTF-8*) ;; *) exit 9 ;; esac
exec cat >"$(dirname "$0")/board"
"""

_PBPASTE = """#!/bin/sh
exec cat "$(dirname "$0")/board"
"""

_OPEN = """#!/bin/sh
# open(1): one address, or with -t a file that the editor for text shows; it refuses other options.
here=$(dirname "$0")
as=; [ "$1" = -t ] && { as=text; shift; }
case "$#$1" in 1-* | [!1]*) echo "open: invalid option or too many words" >&2; exit 64 ;; esac
[ -z "$as" ] || [ -e "$1" ] || { echo "The file $1 does not exist." >&2; exit 1; }
printf '%s|%s|%s\n' "$as" "$1" "$AWS_SECRET_ACCESS_KEY" >>"$here/opened"
"""

TEAM = "Identifier=org.python.python\nAuthority=Developer ID Application\nTeamIdentifier=BMM5U3QVKW\n"
ADHOC = "Identifier=org.python.python\nSignature=adhoc\nTeamIdentifier=not set\n"


class MacPrograms:
    """The directory and what its programs were told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._put("osascript", _OSASCRIPT)
        self._put("codesign", _CODESIGN)
        self._put("launchctl", _LAUNCHCTL)
        (directory / "disabled").touch()
        (directory / "uid").write_text(str(directory.stat().st_uid))
        self._put("pbcopy", _PBCOPY)
        self._put("pbpaste", _PBPASTE)
        self._put("open", _OPEN)

    def _put(self, name: str, program: str) -> None:
        path = self.directory / name
        path.write_text(program, encoding="utf-8")
        path.chmod(0o755)

    def breaks(self, name: str) -> None:
        """From now on this program fails."""
        self._put(name, "#!/bin/sh\nexit 1\n")

    def signed(self, signature: str) -> None:
        """How the interpreter is signed; not at all before."""
        (self.directory / "signature").write_text(signature, encoding="utf-8")

    def switch_off(self, label: str, said: str = "disabled", *, for_good: bool = False) -> None:
        """A person turns a login item off; ``for_good``: launchctl cannot turn it on again."""
        (self.directory / "disabled").write_text(f"{label} {said}\n", encoding="utf-8")
        if for_good:
            (self.directory / "stubborn").touch()

    def load(self, state: str) -> None:
        """Launchd has read the job at login; ``state`` is what it prints of it."""
        (self.directory / "job").write_text(state, encoding="utf-8")

    @property
    def is_loaded(self) -> bool:
        """Whether launchd knows the job."""
        return (self.directory / "job").exists()

    @property
    def board(self) -> Path:
        """What is on the pasteboard."""
        return self.directory / "board"

    @property
    def opened(self) -> list[str]:
        """What was opened: whether as text, the address or file, and the secret that came along."""
        path = self.directory / "opened"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The notices that osascript has shown."""
        path = self.directory / "shown"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
