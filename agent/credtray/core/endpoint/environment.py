"""The variables that lead a program to the local credentials endpoint, and those that lead it elsewhere.

Pure: names and values only. The token stays in its file, but for programs that are too old to read one.
"""

from __future__ import annotations

from collections.abc import Mapping

from credtray.core.child_environment import REGIONS
from credtray.core.secret import Secret

ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 -- the name of a variable
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 -- as above

SHADOWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)
"""What has to go for the endpoint to count: it is the last but one place where botocore 1.44 looks.

The relative address comes before the full one in botocore, and the SDK for JavaScript 3.840 takes a token
in the environment before the one in the file (credential-provider-http).
"""


def variables(url: str, token_file: str, region: str | None) -> dict[str, str]:
    """Return the variables a program needs to be given."""
    found = {ADDRESS: url, TOKEN_FILE: token_file}
    return found if region is None else found | dict.fromkeys(REGIONS, region)


def with_token(found: Mapping[str, str], token: Secret) -> dict[str, str]:
    """Return the same variables with the token itself, for programs that do not read a file."""
    return {name: value for name, value in found.items() if name != TOKEN_FILE} | {TOKEN: token.reveal()}


def shadows_of(found: Mapping[str, str]) -> tuple[str, ...]:
    """Return what has to go for these variables to count."""
    return tuple(name for name in (*SHADOWS, TOKEN_FILE) if name not in found)
