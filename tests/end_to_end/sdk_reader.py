"""A long-running program with botocore: one credentials object for each way to our keys.

For each line on standard input it says which keys each object has, as one JSON object per line. The argument
is the profile with the credential process.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from botocore.credentials import ContainerProvider, ProcessProvider
from botocore.session import Session


def main(profile: str) -> None:
    session = Session(profile=profile)
    held: dict[str, Any] = {
        "container": ContainerProvider().load(),
        "process": ProcessProvider(profile, lambda: session.full_config).load(),
    }
    for _ in sys.stdin:
        found = {}
        for name, credentials in held.items():
            keys = credentials.get_frozen_credentials()
            found[name] = {
                "key": keys.access_key,
                "whole": bool(keys.secret_key and keys.token),
                "left": credentials._expiry_time.timestamp() - time.time(),
            }
        print(json.dumps(found), flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    main(sys.argv[1])
