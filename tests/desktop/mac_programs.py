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
# codesign(1): --display writes to standard error.
[ "$1 $2 $#" = "--display --verbose=2 3" ] || exit 2
cat "$(dirname "$0")/signature" >&2 && exit 0
echo "$3: code object is not signed at all" >&2
exit 1
"""

_PBCOPY = """#!/bin/sh
# pbcopy(1): without a UTF-8 locale it takes what comes for MacRoman.
case "$LC_CTYPE" in *UTF-8*) ;; *) exit 9 ;; esac
exec cat >"$(dirname "$0")/board"
"""

_PBPASTE = """#!/bin/sh
exec cat "$(dirname "$0")/board"
"""

TEAM = "Identifier=org.python.python\nAuthority=Developer ID Application\nTeamIdentifier=BMM5U3QVKW\n"
ADHOC = "Identifier=org.python.python\nSignature=adhoc\nTeamIdentifier=not set\n"


class MacPrograms:
    """The directory and what its programs were told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._put("osascript", _OSASCRIPT)
        self._put("codesign", _CODESIGN)
        self._put("pbcopy", _PBCOPY)
        self._put("pbpaste", _PBPASTE)

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

    @property
    def board(self) -> Path:
        """What is on the pasteboard."""
        return self.directory / "board"

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The notices that osascript has shown."""
        path = self.directory / "shown"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
