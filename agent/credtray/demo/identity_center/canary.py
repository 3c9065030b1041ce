"""Makes up every identifier and secret that the embedded Identity Center issues.

Each secret carries the word ``CANARY``, so that a scan of logs, files and process lists finds a leak.
Nothing here keeps what it made.
"""

from __future__ import annotations

import secrets
import string
import uuid

CANARY = "CANARY"
"""The word to search for: it must appear only where secrets belong."""

_URL_SAFE = string.ascii_letters + string.digits + "-_"
_BASE64 = string.ascii_letters + string.digits + "+/"
_KEY_ID = string.ascii_uppercase + "234567"
_USER_CODE = "BCDFGHJKLMNPQRSTVWXZ"


def _random(alphabet: str, length: int) -> str:
    """Return random characters; one that does not divide 256 is drawn a little unevenly, which is no harm."""
    table = (alphabet * (256 // len(alphabet) + 1))[:256].encode()
    return secrets.token_bytes(length).translate(table).decode()


def _marked(prefix: str, length: int, alphabet: str) -> str:
    """Return *length* characters: the prefix, the canary in the first third, noise around it."""
    rest = length - len(prefix) - len(CANARY)
    head = rest // 3
    return prefix + _random(alphabet, head) + CANARY + _random(alphabet, rest - head)


def client_id() -> str:
    """Return a client id of the live service's length; it is no secret."""
    return _random(_URL_SAFE, 24)


def client_secret() -> str:
    """Return a client secret; the live one is a JSON web token of some hundred characters."""
    return _marked("eyJraWQiOi", 420, _URL_SAFE)


def device_code() -> str:
    """Return the secret half of a device authorization."""
    return _marked("", 64, _URL_SAFE)


def user_code() -> str:
    """Return the half that a person compares: no vowels, so no words (RFC 8628, 6.1)."""
    letters = _random(_USER_CODE, 8)
    return f"{letters[:4]}-{letters[4:]}"


def authorization_code() -> str:
    """Return a code for the redirect."""
    return _marked("eyJraWQiOi", 240, _URL_SAFE)


def access_token() -> str:
    """Return a bearer token shaped like the live ones."""
    return _marked("aoa", 270, _URL_SAFE)


def refresh_token() -> str:
    """Return a refresh token shaped like the live ones."""
    return _marked("aor", 275, _URL_SAFE)


def browser_cookie() -> str:
    """Return the value of the cookie that is a browser's half of a sign-in."""
    return _marked("", 48, _URL_SAFE)


def opaque_id() -> str:
    """Return an unguessable id for page flows and control addresses; it is no credential."""
    return _random(_URL_SAFE, 32)


def access_key_id() -> str:
    """Return a temporary access key id; key ids are no secrets and carry no canary."""
    return "ASIA" + _random(_KEY_ID, 16)


def role_id() -> str:
    """Return a role's unique id, as it appears in GetCallerIdentity."""
    return "AROA" + _random(_KEY_ID, 17)


def secret_access_key() -> str:
    """Return 40 characters, as AWS does."""
    return _marked("", 40, _BASE64)


def session_token() -> str:
    """Return a session token of the usual length."""
    return _marked("IQoJb3JpZ2luX2Vj", 900, _BASE64)


def sign_in_token() -> str:
    """Return a console sign-in token of the federation endpoint."""
    return _marked("VCQgs5qZZt3Q6fn8Tr5EXAMPLETOKEN", 400, _URL_SAFE)


def request_id() -> str:
    """Return an id for x-amzn-RequestId."""
    return str(uuid.uuid4())
