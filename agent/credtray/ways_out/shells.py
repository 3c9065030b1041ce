"""Variables and role credentials written for a shell, an env file, JSON, or the credentials file.

Pure. What holds keys is one ``Secret``: it goes to the clipboard or a pipe somebody asked for, nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from credtray.core import ini
from credtray.core.errors import FormRefused, UnexpectedReply
from credtray.core.forms import SYNTAX, Form
from credtray.core.models import RoleCredentials, Secret
from credtray.core.protocol.messages import ProcessCredentials
from credtray.ways_out.child_environment import OVER_KEYS, REGIONS

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
EXPIRATION_VARIABLE = "AWS_CREDENTIAL_EXPIRATION"
"""botocore (credentials.py, ``EnvProvider``) and the SDK for JavaScript refuse the keys after that time."""

_SAME_IN_EVERY_ENV_FILE = re.compile(r"[A-Za-z0-9+/=._:@%,-]+", re.ASCII)
"""Neither quotes nor anything to quote: docker takes quotes literally, sh needs them for all the rest."""


def assignments(values: Mapping[str, str], form: Form) -> str:
    """Return text that sets each variable when the form's reader takes it in, every line ended.

    The values are plain here: what holds keys goes through ``written`` or ``exported``.

    Raises:
        FormRefused: a value is empty, cannot be printed, or cannot be written in this form.
    """
    for name, value in values.items():
        if not value or not value.isprintable():
            raise FormRefused(f"{name} is empty or holds characters that cannot be printed")
        if form is Form.DOTENV and not _SAME_IN_EVERY_ENV_FILE.fullmatch(value):
            raise FormRefused(f"{name} holds a character that programs read differently in an env file")
    if form is Form.JSON:
        return json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n"
    syntax = SYNTAX.get(form)
    if syntax is None:
        raise _no_lines(form)
    return "".join(syntax.assignment(name, value) for name, value in values.items())


def removals(names: Iterable[str], form: Form) -> str:
    """Return text that takes the variables away, whether they are set or not, every line ended.

    Raises:
        FormRefused: an env file can only set.
    """
    if form is Form.JSON:
        return json.dumps(dict.fromkeys(names), indent=2) + "\n"
    syntax = SYNTAX.get(form)
    if syntax is None or syntax.removal is None:
        raise _no_lines(form)
    return "".join(map(syntax.removal, names))


def _no_lines(form: Form) -> FormRefused:
    return FormRefused(f"{form.value} has no lines for that")


def variables(keys: ProcessCredentials, region: str | None) -> dict[str, str]:
    """Return the variables that hand over these keys; the secrets are in it.

    The same as `aws configure export-credentials` writes (AWS CLI 2.36), and the region where one is given.
    """
    secrets = (keys.access_key_id, keys.secret_access_key.reveal(), keys.session_token.reveal())
    found = dict(zip(KEYS, secrets, strict=True)) | {EXPIRATION_VARIABLE: keys.expiration}
    return found if region is None else found | dict.fromkeys(REGIONS, region)


def exported(values: Mapping[str, str], form: Form, shadows: Iterable[str] = OVER_KEYS) -> Secret:
    """Return text that makes these variables count: what would shadow them is unset first.

    Raises:
        FormRefused: a value cannot be written in this form; it is not quoted.
    """
    # An env file and a JSON object describe a new environment: there is nothing to take away.
    away = "" if form in {Form.DOTENV, Form.JSON} else removals(shadows, form)
    return Secret(away + assignments(values, form))


def written(credentials: RoleCredentials, form: Form, section: str, region: str | None) -> Secret:
    """Return role credentials as a whole text, every line ended.

    *section* and *region* count for the form they belong to: a region belongs into the config file.

    Raises:
        IniRefused: the section's name, or a value, cannot be written into an AWS file.
        UnexpectedReply: a value cannot be printed, so it cannot be pasted either; it is not quoted.
        FormRefused: a value cannot be written in this form; it is not quoted.
    """
    values = variables(ProcessCredentials.of(credentials), region)
    if not all(value and value.isprintable() for value in values.values()):
        raise UnexpectedReply("a key is empty or holds characters that cannot be printed")
    if form is Form.SECTION:
        return Secret(_section(section, {name: values[name] for name in KEYS}))
    return exported(values, form)


def _section(name: str, values: Mapping[str, str]) -> str:
    return ini.set_keys(b"", name, {key.lower(): value for key, value in values.items()}).decode()


# The parts of a set of role credentials, by the names that shells, files and JSON give them. Pure.


ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN = "access key ID", "secret access key", "session token"
SECURITY_TOKEN, REGION, EXPIRES, ACCOUNT_ID, ROLE = (
    "security token",
    "region",
    "expiration",
    "account ID",
    "role",
)
"""The first is what boto 2 called the session token."""

_PARTS = {
    "accesskeyid": ACCESS_KEY_ID,
    "accesskey": ACCESS_KEY_ID,
    "secretaccesskey": SECRET_ACCESS_KEY,
    "secretkey": SECRET_ACCESS_KEY,
    "sessiontoken": SESSION_TOKEN,
    "token": SESSION_TOKEN,
    "securitytoken": SECURITY_TOKEN,
    "region": REGION,
    "defaultregion": REGION,
    "expiration": EXPIRES,
    "credentialexpiration": EXPIRES,
    "sessionexpiration": EXPIRES,
    "xsecuritytokenexpires": EXPIRES,
    "accountid": ACCOUNT_ID,
}
"""By name in lower case, without what separates words and without whose it is."""


def part_named(name: str) -> str | None:
    """Return the part that a variable, a key of a file or a field of JSON holds; None: no part of keys."""
    bare = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return _PARTS.get(bare.removeprefix("tfvar").removeprefix("aws"))
