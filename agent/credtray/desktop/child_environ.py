"""The environment of programs we start for a person, such as a browser: no keys are in it. Starts nothing."""

from __future__ import annotations

from collections.abc import Mapping

_KEPT_FROM_OTHERS = ("AWS_", "CREDTRAY_")


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return it without the variables of AWS's programs and our own."""
    return {name: value for name, value in environ.items() if not name.startswith(_KEPT_FROM_OTHERS)}
