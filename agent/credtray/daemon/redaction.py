"""Takes the secrets that are alive out of any text that is about to be written.

The last net only: secrets are ``Secret`` objects and reach no message in the first place.
"""

from __future__ import annotations

import threading
from urllib.parse import quote

from credtray.core.models import Secret

_SHORTEST = 8
"""Shorter than any token or key: replacing it would garble innocent words."""
HIDDEN = "***"


class Redactor:
    """Knows the latest ``most`` secrets; safe from any thread.

    What hundreds of profiles have alive at a time: what has ended need not be hidden, and not be kept either.
    """

    def __init__(self, most: int = 2048) -> None:
        self._most = most
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    def register(self, secret: Secret) -> None:
        """Hide this value from now on, also in its URL-encoded form."""
        text = secret.reveal()
        if len(text) < _SHORTEST:
            return
        with self._lock:
            for form in (text, quote(text, safe="")):
                self._known.pop(form, None)
                self._known[form] = None  # the latest is the last: the first one is forgotten
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]

    def redact(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        with self._lock:
            known = [form for form in self._known if form in text]
        # The longest first: what begins another one would leave its tail behind.
        for form in sorted(known, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text
