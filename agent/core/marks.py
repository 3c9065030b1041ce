"""How credtray recognises keys it wrote itself, without remembering them."""

from __future__ import annotations

import hashlib

_LENGTH = 12


def key_digest(access_key_id: str) -> str:
    """Return a short digest of an access key id: enough to tell our key from another, not to guess one."""
    return hashlib.sha256(access_key_id.encode()).hexdigest()[:_LENGTH]
