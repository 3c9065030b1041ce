"""Homes for the doctor: files to lay into one, what the doctor sees there, and everything that lies there."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from credtray.doctor import collect
from credtray.doctor.all_rules import findings
from credtray.doctor.evidence import Facts

CANARY = "canary-7c41d09e"
URL = "https://d-9067000001.awsapps.com/start"
TOKEN = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
CONFIG = f"""\
[sso-session corp]
sso_start_url = {URL}
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111100000001
sso_role_name = ReadOnly
region = us-east-1
"""


def token(**parts: Any) -> str:
    fields = {
        "startUrl": URL,
        "region": "us-east-1",
        "accessToken": CANARY,
        "expiresAt": (datetime.now(UTC) + timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "clientId": "client",
        "clientSecret": CANARY,
        "registrationExpiresAt": "2099-01-01T00:00:00Z",
        "refreshToken": CANARY,
        **parts,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def lay(
    home: Path, config: str | bytes = CONFIG, credentials: str | bytes = b"", cached: str | bytes = b""
) -> None:
    """Write the files of a home, each 0600."""
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    files = {
        home / ".aws" / "config": config,
        home / ".aws" / "credentials": credentials,
        cache / TOKEN: cached,
    }
    for path, content in files.items():
        if content:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o600)


def look(**parts: Any) -> Facts:
    return collect.look(root=Path("/nonexistent"), **parts).facts


def codes(facts: Facts) -> set[str]:
    return {item.code for item in findings(facts)}


def tree(home: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a home: modes, times, contents."""
    found: dict[str, tuple[int, int, bytes]] = {}
    for path in sorted(home.rglob("*")):
        about = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
        found[str(path.relative_to(home))] = (about.st_mode, about.st_mtime_ns, content)
    return found
