"""What survives a restart, as a JSON document: choices, learned ends, what was told. Never a secret.

Pure: bytes in, bytes out. A document of a newer version is refused rather than half understood.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from credtray.core.expiry import SignInMemory
from credtray.core.models import EndProof, SignIn, SsoSession
from credtray.core.pasted_keys import ImportedKeys
from credtray.core.shapes import from_json
from credtray.core.state import MOST_RECENT, Identity, SessionState, State, frozen

VERSION = 1
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=366 * 24 * 3600)]
"""Nothing here lasts longer than a year; the service allows ninety days."""


class NewerVersion(Exception):
    """The document was written by a newer credtray."""


class SavedSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in and what was told of it."""

    started_at: _Instant
    ends_at: _Instant
    proof: EndProof
    observed: bool = True
    said: list[str] = []
    snoozed_until: _Instant | None = None
    given_up: bool = False
    """We ended it ourselves for a new sign-in, which has not come about yet; keys in use outlive it."""


class SavedSession(msgspec.Struct, frozen=True, kw_only=True):
    """What a session's past taught."""

    start_url: str
    region: str
    length: _Seconds | None = None
    token_life: _Seconds | None = None
    sign_in: SavedSignIn | None = None
    expected: str | None = None
    """Who signs in, as far as STS has told."""
    person: str | None = None
    """Who was signed in last; another one than expected is refused keys also after a restart."""
    unchecked: bool = False


class SavedImport(msgspec.Struct, frozen=True, kw_only=True):
    """Pasted keys without the keys: these are in the credentials file only."""

    expires_at: _Instant
    digest: str
    account_id: str | None = None
    role_name: str | None = None
    imported_at: _Instant | None = None
    said: list[str] = []


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    version: int = VERSION
    active: list[str] = []
    default: str | None = None
    sessions: dict[str, SavedSession] = {}
    recent: list[str] = []
    accounts: dict[str, str] = {}
    paused_until: _Instant | None = None
    imports: dict[str, SavedImport] = {}
    seed: str = ""


def encode(state: State) -> bytes:
    """Return the document for this state."""
    known = {**state.remembered, **state.sessions}
    saved = Saved(
        active=list(state.active),
        default=state.default,
        sessions={name: _session(item) for name, item in known.items()},
        recent=list(state.recent),
        accounts=dict(state.accounts),
        paused_until=state.paused_until,
        imports={item.section: _import(item) for item in state.imports.values() if not item.released},
        seed=state.seed,
    )
    return msgspec.json.format(msgspec.json.encode(saved), indent=1)


def _session(session: SessionState) -> SavedSession:
    length, life = session.memory.length, session.memory.token_life
    sign_in = session.sign_in
    return SavedSession(
        start_url=session.session.start_url,
        region=session.session.region,
        length=length.total_seconds() if length else None,
        token_life=life.total_seconds() if life else None,
        sign_in=SavedSignIn(
            started_at=sign_in.started_at,
            ends_at=sign_in.ends_at,
            proof=sign_in.proof,
            observed=sign_in.observed,
            said=sorted(session.said - session.unseen),
            snoozed_until=session.snoozed_until,
            given_up=session.ended and session.token is None,
        )
        if sign_in
        else None,
        expected=session.identity.expected,
        person=session.identity.person,
        unchecked=session.identity.unchecked,
    )


def _import(item: ImportedKeys) -> SavedImport:
    return SavedImport(
        expires_at=item.expires_at,
        digest=item.digest,
        account_id=item.account_id,
        role_name=item.role_name,
        imported_at=item.imported_at,
        said=sorted(item.said - item.unseen),
    )


def decode(data: bytes) -> State:
    """Return a state that knows what the document says; sessions wait in ``remembered`` for the config file.

    Raises:
        NewerVersion: written by a newer credtray; it must not be overwritten.
        ValueError: torn or garbage.
    """
    try:
        version = from_json(data, dict[str, msgspec.Raw]).get("version")
        if version is not None and from_json(bytes(version), int) > VERSION:
            raise NewerVersion
        saved = from_json(data, Saved)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    remembered = {name: _remembered(name, item) for name, item in saved.sessions.items()}
    return State(
        active=tuple(dict.fromkeys(saved.active)),
        default=saved.default,
        remembered=frozen(remembered),
        recent=tuple(dict.fromkeys(saved.recent))[:MOST_RECENT],
        accounts=frozen(saved.accounts),
        paused_until=saved.paused_until,
        imports=frozen({section: _kept(section, item) for section, item in saved.imports.items()}),
        seed=saved.seed,
    )


def _kept(section: str, saved: SavedImport) -> ImportedKeys:
    return ImportedKeys(
        section,
        saved.expires_at,
        saved.digest,
        saved.account_id,
        saved.role_name,
        saved.imported_at,
        said=frozenset(saved.said),
    )


def _remembered(name: str, saved: SavedSession) -> SessionState:
    state = SessionState(
        SsoSession(name, saved.start_url, saved.region),
        memory=SignInMemory(_seconds(saved.length), _seconds(saved.token_life)),
        identity=Identity(saved.expected, saved.person, unchecked=saved.unchecked),
    )
    if saved.sign_in is None:
        return state
    known = saved.sign_in
    sign_in = SignIn(known.started_at, known.ends_at, known.proof, known.observed)
    said, snoozed_until = frozenset(known.said), known.snoozed_until
    return replace(state, sign_in=sign_in, said=said, snoozed_until=snoozed_until, ended=known.given_up)


def _seconds(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
