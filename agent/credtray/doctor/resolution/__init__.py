"""The resolution table: what each AWS client really uses for a profile, and why.

Reads no file and no variable itself; see ``environment_of`` and ``resolve``.
"""

from __future__ import annotations

from credtray.doctor.resolution.answer import Client, Place, Provider, Resolution, Trouble, TroubleKind, Where
from credtray.doctor.resolution.environment import (
    ClientEnvironment,
    OtherInputs,
    TokenFile,
    environment_of,
    token_file,
)
from credtray.doctor.resolution.table import resolve

__all__ = [
    "Client",
    "ClientEnvironment",
    "OtherInputs",
    "Place",
    "Provider",
    "Resolution",
    "TokenFile",
    "Trouble",
    "TroubleKind",
    "Where",
    "environment_of",
    "resolve",
    "token_file",
]
