"""The resolution table: what each AWS client really uses for a profile, and why.

Reads no file and no variable itself; see ``surroundings_of`` and ``resolve``.
"""

from __future__ import annotations

from credtray.doctor.resolution.answer import Client, Place, Provider, Resolution, Trouble, TroubleKind, Where
from credtray.doctor.resolution.environment import (
    Beside,
    Surroundings,
    TokenFile,
    surroundings_of,
    token_file,
)
from credtray.doctor.resolution.table import resolve

__all__ = [
    "Beside",
    "Client",
    "Place",
    "Provider",
    "Resolution",
    "Surroundings",
    "TokenFile",
    "Trouble",
    "TroubleKind",
    "Where",
    "resolve",
    "surroundings_of",
    "token_file",
]
