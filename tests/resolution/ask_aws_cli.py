"""Asks the real AWS CLI many questions in one process; to be run by the Python that Debian's CLI belongs to.

Reads a JSON list of ``{"environ", "profile", "explicit"}`` from stdin, prints a list of
``{"kind", "key", "token"}`` or ``{"error"}``: what ``aws configure export-credentials`` says.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

sys.path.insert(0, "/usr/lib/python3/dist-packages")

from awscli.clidriver import (  # type: ignore[import-not-found]  # it belongs to another Python
    create_clidriver,
)


def ask(question: dict[str, Any], clean: dict[str, str]) -> dict[str, str | None]:
    os.environ.clear()
    os.environ.update(clean | question["environ"])
    words = ["configure", "export-credentials", "--format", "process"]
    if question["explicit"]:
        words += ["--profile", question["profile"]]
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        try:
            driver = create_clidriver()
            done = driver.main(words)
        except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
            return {"error": f"{type(error).__name__}: {error}"}
    if done != 0:
        return {"error": complained.getvalue().strip()}
    try:
        driver.session.create_client("sts")  # keys that no client can be made with are of no use
    except Exception as error:  # noqa: BLE001 - as above
        return {"error": f"{type(error).__name__}: {error}"}
    keys = json.loads(said.getvalue())
    kind = driver.session.get_credentials().method
    return {"kind": kind, "key": keys["AccessKeyId"], "token": keys.get("SessionToken")}


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    inherited = dict(os.environ)
    json.dump([ask(question, inherited) for question in questions], sys.stdout)
