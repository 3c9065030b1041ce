"""The resolution table: what each AWS client really uses for a profile, and why.

Reads no file and no variable itself; see ``surroundings_of`` and ``resolve``.
"""

from credtray.core.resolution.answer import Client, Place, Provider, Resolution, Trouble, TroubleKind, Where
from credtray.core.resolution.surroundings import (
    Beside,
    Surroundings,
    TokenFile,
    surroundings_of,
    token_file,
)
from credtray.core.resolution.table import resolve

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
