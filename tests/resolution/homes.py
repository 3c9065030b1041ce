"""Homes of all kinds for the resolution table: both files, variables and token files, made from a number.

The same number gives the same home. Names of sessions, roles and keys differ from home to
home, since all homes of a run share one token cache (clients compute its path when they are loaded).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ACCOUNT = "111122223333"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a client."""

    profile: str | None
    """None: as the home's own variables say."""
    explicit: bool = False


@dataclass(slots=True)
class Home:
    """What a client finds."""

    name: str
    config: bytes | None = None
    credentials: bytes | None = None
    environ: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, bytes] = field(default_factory=dict)
    """By the name of the file, without its ending."""
    asks: tuple[Ask, ...] = (Ask(None), Ask("app"), Ask("app", explicit=True), Ask("default", explicit=True))

    def write(self, directory: Path, cache: Path) -> dict[str, str]:
        """Write the files, and return the variables of a client that lives here."""
        directory.mkdir()
        paths = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
        for name, data in (("config", self.config), ("credentials", self.credentials)):
            if data is not None:
                (directory / name).write_bytes(data)
        for name, data in self.tokens.items():
            (cache / f"{name}.json").write_bytes(data)
        return {**self.environ, **{name: str(directory / file) for name, file in paths.items()}}


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def token(access_token: str, left: timedelta, *, refreshable: bool = False) -> bytes:
    """Return a token file; times are those of this computer, since real clients read it."""
    ends = datetime.now(UTC) + left
    fields = {"accessToken": access_token, "expiresAt": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
    if refreshable:
        later = datetime.now(UTC) + timedelta(days=60)
        fields |= {"refreshToken": access_token, "clientId": "client", "clientSecret": "secret"}
        fields |= {"registrationExpiresAt": f"{later:%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps(fields).encode()


class HomeMaker:
    """Makes one home; every choice is drawn from the number."""

    def __init__(self, number: int, url: str, scratch: Path) -> None:
        self.name = f"h{number}"
        self._draw = random.Random(number)
        self._url = url
        self._scratch = scratch
        self._keys = 0
        self._home = Home(self.name)

    def make(self) -> Home:
        """Return the home."""
        config = [self._session()]
        credentials = []
        for profile in self._draw.sample(["default", "app", "base"], self._draw.choice([2, 3, 3, 3, 3, 3])):
            if self._draw.random() < 0.93:
                config.append(self._config_section(profile))
            if self._draw.random() < 0.45:
                credentials.append(self._credentials_section(profile))
        self._draw.shuffle(config)
        self._home.config = self._spoilt("".join(config)) if self._draw.random() < 0.95 else None
        if credentials or self._draw.random() < 0.3:
            self._home.credentials = self._spoilt("".join(credentials))
        self._variables()
        return self._home

    # --- the files ---------------------------------------------------------------------------------

    def _session(self) -> str:
        name = f"corp-{self.name}"
        lines = [f"sso_start_url = https://{self.name}.awsapps.com/start", "sso_region = us-east-1"]
        if self._draw.random() < 0.04:
            lines.pop(self._draw.randrange(2))
        kind = self._draw.choice(["good"] * 12 + ["expired", "short", "torn", "refreshable", "none", "none"])
        for key in (name, f"https://{self.name}.awsapps.com/start"):
            data = {
                "good": token(f"token of {key}", timedelta(hours=1)),
                "expired": token(f"expired token of {key}", timedelta(hours=-1)),
                "short": token(f"token of {key}", timedelta(minutes=4)),
                "torn": b'{"accessToken": "x',
                "refreshable": token(f"token of {key}", timedelta(hours=1), refreshable=True),
            }.get(kind)
            if data is not None:
                self._home.tokens[sha1(key)] = data
        if self._draw.random() < 0.04:
            return ""
        return f"[sso-session {name}]\n" + "".join(f"{line}\n" for line in lines)

    def _config_section(self, profile: str) -> str:
        lines = ["region = us-east-1"]
        for feature in self._draw.sample(self._features(), self._draw.choice([0, 1, 1, 1, 2, 2, 3])):
            lines += feature
        self._draw.shuffle(lines)
        header = f"[profile {profile}]"
        if profile == "default" and self._draw.random() < 0.8:
            header = "[default]"
        elif self._draw.random() < 0.1:
            header = f'[profile "{profile}"]'
        once = {line.partition("=")[0]: line for line in lines}
        return f"{header}\n" + "".join(f"{line}\n" for line in once.values())

    def _features(self) -> list[list[str]]:
        role = f"role_arn = arn:aws:iam::{ACCOUNT}:role/{self.name}-{self._draw.randrange(10**6)}"
        source = f"source_profile = {self._draw.choice(['base', 'base', 'default', 'app', 'nobody'])}"
        role_name = f"sso_role_name = Role{self._draw.randrange(100)}"
        account = [f"sso_account_id = {ACCOUNT}", role_name]
        url, region = f"sso_start_url = https://{self.name}.awsapps.com/start", "sso_region = us-east-1"
        session = f"sso_session = corp-{self.name}"
        return [
            [session, *account],
            [session, *account],
            [session, *account],
            [session, *account],
            [session, *account, self._draw.choice([url, region, "sso_region = eu-west-1"])],
            [session],
            [url, region, *account],
            [url, region, account[0]],
            [account[1]],
            self._keys_of("config"),
            self._keys_of("config", temporary=True),
            [self._keys_of("half")[self._draw.randrange(2)]],
            [f"credential_process = cat {self._process()}"],
            [role, source],
            [role, source],
            [role, "source_profile = base"],
            self._keys_of("config", temporary=True),
            [url, region, *account],
            [f"credential_process = cat {self._process()}"],
            [role, "credential_source = Environment"],
            [role, "credential_source = Somewhere"],
            [role],
            [role, source, "credential_source = Environment"],
            [role, f"web_identity_token_file = {self._web_token()}"],
        ]

    def _credentials_section(self, profile: str) -> str:
        lines = self._draw.choice(
            [
                self._keys_of("file"),
                self._keys_of("file"),
                self._keys_of("file", temporary=True),
                self._keys_of("file", temporary=True),
                self._keys_of("file", temporary=True),
                [*self._keys_of("file", temporary=True), f"aws_security_token = old {self.name}"],
                [*self._keys_of("file", temporary=True)[:2], f"aws_security_token = only {self.name}"],
                self._keys_of("file", temporary=True)[:2],
                self._keys_of("file")[:1],
                self._keys_of("file")[1:],
                [f"credential_process = cat {self._process()}"],
                [],
            ]
        )
        return f"[{profile}]\n" + "".join(f"{line}\n" for line in lines)

    def _keys_of(self, place: str, *, temporary: bool = False) -> list[str]:
        self._keys += 1
        prefix = "ASIA" if temporary else "AKIA"
        key = f"{prefix}{place.upper()}{self.name.upper()}N{self._keys}".ljust(20, "0")
        lines = [f"aws_access_key_id = {key}", f"aws_secret_access_key = secret{self._keys}"]
        return [*lines, f"aws_session_token = session{self._keys}"] if temporary else lines

    def _process(self) -> Path:
        self._keys += 1
        path = self._scratch / f"{self.name}-{self._keys}.json"
        key = f"AKIAPROCESS{self.name.upper()}N{self._keys}".ljust(20, "0")
        path.write_text(json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "secret"}))
        return path

    def _web_token(self) -> Path:
        path = self._scratch / f"{self.name}.jwt"
        path.write_text("header.payload.signature")
        return path

    def _spoilt(self, text: str) -> bytes:
        """Do to a text what people and their tools do; mostly nothing."""
        lines = text.splitlines()
        if not lines or self._draw.random() < 0.7:
            return text.encode()
        spoil = self._draw.choice(
            [self._add_junk, self._repeat, self._change_some, self._change_some, self._prepend]
        )
        changed = "".join(f"{line}\n" for line in spoil(lines)).encode()
        end = self._draw.choice([b"\n"] * 7 + [b"\r\n"])
        mark = b"\xef\xbb\xbf" if self._draw.random() < 0.08 else b""
        return mark + changed.replace(b"\n", end)

    def _add_junk(self, lines: list[str]) -> list[str]:
        at = self._draw.randrange(len(lines))
        return [*lines[:at], "what is this", *lines[at:]]

    def _repeat(self, lines: list[str]) -> list[str]:
        """A section or a key for the second time."""
        return [*lines, self._draw.choice(lines), "region = eu-west-1"]

    def _change_some(self, lines: list[str]) -> list[str]:
        change: Callable[[str], str] = self._draw.choice(
            [
                lambda line: line.replace(" = ", ": ", 1),
                lambda line: line.upper() if line.startswith("aws_access") else line,
                lambda line: f"{line} # mine",
                lambda line: f"{line} # mine",
                lambda line: f"  {line}" if "=" in line else line,
            ]
        )
        return [change(line) if self._draw.random() < 0.3 else line for line in lines]

    def _prepend(self, lines: list[str]) -> list[str]:
        return [*self._draw.choice([["[DEFAULT]", *self._keys_of("all")], ["region = eu-west-1"]]), *lines]

    # --- the environment ---------------------------------------------------------------------------

    def _variables(self) -> None:
        environ = self._home.environ
        if self._draw.random() < 0.3:
            environ |= {"AWS_ACCESS_KEY_ID": f"AKIAENV{self.name.upper()}".ljust(20, "0")}
            environ |= {"AWS_SECRET_ACCESS_KEY": "secret"}
            if self._draw.random() < 0.2:
                environ.pop(self._draw.choice(list(environ)))
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            if self._draw.random() < 0.25:
                environ[name] = self._draw.choice(
                    ["app"] * 5 + ["base", "base", "default", "default", "nobody", ""]
                )
        if self._draw.random() < 0.25:
            environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{self._url}/container/{self.name}"
        if self._draw.random() < 0.1:
            environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(self._web_token())
            if self._draw.random() < 0.8:
                environ["AWS_ROLE_ARN"] = f"arn:aws:iam::{ACCOUNT}:role/web-{self.name}"


def homes_by_hand() -> list[Home]:
    """Return homes that chance seldom makes: an SSO profile whose token or region is not as it should be."""
    name = "corp-{}"
    files = {
        "renewed": token("token of corp-renewed", timedelta(hours=-1), refreshable=True),
        "torn": b'{"accessToken": "x',
        "commented": token("token of corp-commented", timedelta(hours=1)),
    }
    return [
        Home(
            home,
            config=_sso_profile(
                name.format(home), "us-east-1 # Ireland" if home == "commented" else "us-east-1"
            ),
            tokens={sha1(name.format(home)): data},
            asks=(Ask("app"), Ask("app", explicit=True)),
        )
        for home, data in files.items()
    ]


def _sso_profile(session: str, region: str) -> bytes:
    return (
        f"[profile app]\nsso_session = {session}\nsso_account_id = {ACCOUNT}\nsso_role_name = Role1\n"
        f"[sso-session {session}]\nsso_start_url = https://example.awsapps.com/start\nsso_region = {region}\n"
    ).encode()
