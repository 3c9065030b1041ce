"""Asks the real botocore, as boto3 uses it, many questions in one process.

Reads a JSON list of ``{"environ", "profile", "explicit"}`` from stdin, prints a list of
``{"kind", "key", "token"}`` or ``{"error"}``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3
import botocore.loaders
import botocore.session

_LOADER = botocore.loaders.create_loader()


def ask(question: dict[str, Any], clean: dict[str, str]) -> dict[str, str | None]:
    os.environ.clear()
    os.environ.update(clean | question["environ"])
    try:
        core = botocore.session.Session()
        core.register_component("data_loader", _LOADER)  # parses the service models once
        named = question["profile"] if question["explicit"] else None
        session = boto3.Session(botocore_session=core, profile_name=named)
        credentials = session.get_credentials()
        if credentials is None:
            return {"error": "None"}
        session.client("sts")  # keys that no client can be made with are of no use
        frozen = credentials.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}
    else:
        return {"kind": credentials.method, "key": frozen.access_key, "token": frozen.token}


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    inherited = dict(os.environ)
    json.dump([ask(question, inherited) for question in questions], sys.stdout)
