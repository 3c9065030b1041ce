"""The JSON encoder of everything that may hold a secret. What it writes must go nowhere but to its reader."""

from __future__ import annotations

from typing import Final

import msgspec

from credtray.core.secret import Secret


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError


ENCODER: Final = msgspec.json.Encoder(enc_hook=_reveal)
