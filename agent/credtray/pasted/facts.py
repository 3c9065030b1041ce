"""What `credtray import` finds out about pasted keys: whose they are, until when they last, which name fits.

Writes nothing, and hands the keys to nobody but AWS itself.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from credtray.app import Components
from credtray.cli import terminal
from credtray.core import ini
from credtray.core.addresses import check_region
from credtray.core.aws_hosts import find_endpoints
from credtray.core.config.sections import MAX_FILE, read_config
from credtray.core.errors import (
    ClockOff,
    ConfigInvalid,
    CredtrayError,
    KeysRefused,
    PasteRefused,
    RegionRefused,
    Retry,
    UsageError,
)
from credtray.core.models import Endpoints, RoleCredentials
from credtray.core.protocol.results import StatusDocument
from credtray.core.state_words import clock_time
from credtray.core.words import parse_duration
from credtray.pasted.portal_text import PastedKeys

USUAL_LIFE = timedelta(hours=4)
"""Taken where nobody says how long the keys last."""
LONGEST_SAID = timedelta(hours=12)
"""Of a role's keys (AWS IAM user guide, "Maximum session duration")."""
_REGION = "us-east-1"
_NAME_HINT = "Name the section: credtray import --name NAME"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the keys speak for, as far as is known."""

    account_id: str | None
    role_name: str | None
    checked: bool
    """AWS itself said so just now."""
    identity_center: bool
    """The role may be one that an sso-session signs in for."""

    @property
    def words(self) -> str:
        """The owner as a person reads it; empty when nothing is known."""
        known = {"account": self.account_id, "role": self.role_name}
        return ", ".join(f"{what} {name}" for what, name in known.items() if name)


class EndSource(Enum):
    """Where the end of the keys comes from."""

    PASTE = "paste"
    SAID = "said"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class End:
    """When the keys end."""

    at: datetime
    source: EndSource


def region_of(pasted: PastedKeys, said: str | None) -> str | None:
    """Return the region that was said, else the one of the paste where it has the form of one.

    Raises:
        RegionRefused: what was said is no region.
    """
    if said is not None:
        return check_region(said)
    try:
        return None if pasted.region is None else check_region(pasted.region)
    except RegionRefused:
        return None


# --- whose they are ----------------------------------------------------------------------------------


def owner_of(components: Components, pasted: PastedKeys, region: str | None, *, check: bool) -> Owner:
    """Return whose keys these are: as AWS says, or as the paste says where AWS cannot be asked.

    Raises:
        KeysRefused: AWS does not take them, or they are not whose the paste says.
        PasteRefused: the token may not be whole, and AWS was not or could not be asked.
    """
    unchecked = Owner(
        pasted.account_id, pasted.role_name, checked=False, identity_center=pasted.role_name is not None
    )
    if not check:
        _refuse_doubtful(pasted)
        terminal.say("Not checked whether AWS takes these keys (--no-check).")
        return unchecked
    if sys.stderr.isatty():  # a log needs no such line, a person in a broken network waits for 20 s
        terminal.say("Asking AWS whose keys these are ...")
    try:
        found = _asked(components, pasted, region or _REGION)
    except CredtrayError as error:
        if error.retry is not Retry.LATER and not isinstance(error, ClockOff):
            raise
        _refuse_doubtful(pasted)
        terminal.complain(f"not checked whether AWS takes these keys: {error}", kind="warning")
        return unchecked
    _compare(pasted, found)
    return found


def _refuse_doubtful(pasted: PastedKeys) -> None:
    if pasted.doubtful:
        raise PasteRefused(
            "the session token was broken over several lines, so only AWS can tell whether it is complete",
            hint="Copy the keys again with the copy button of the portal, or import them without --no-check "
            "while AWS can be reached.",
        )


def _asked(components: Components, pasted: PastedKeys, region: str) -> Owner:
    from credtray.aws.clients import Clients
    from credtray.aws.role_credentials import caller_of

    clock = components.ports.clock
    now = clock.now()
    keys = RoleCredentials(
        pasted.access_key_id, pasted.secret_access_key, pasted.session_token, now + USUAL_LIFE, now
    )
    caller = caller_of(Clients(), keys, region, _endpoints(components), clock.now)
    return Owner(caller.account_id, caller.role_name, checked=True, identity_center=caller.identity_center)


def _endpoints(components: Components) -> Endpoints:
    """Return the overrides that hold for no profile in particular: these keys are of none."""
    from credtray.files.atomic_file import is_null, read_bounded

    environment = components.environment
    try:
        path = environment.aws.config
        config = read_config(b"" if is_null(path) else read_bounded(path, MAX_FILE) or b"")
    except ConfigInvalid:
        config = read_config(b"")
    return find_endpoints(None, config, environment.environ)


def _compare(pasted: PastedKeys, found: Owner) -> None:
    """Refuse keys that are not whose the header of their block says: somebody mixed two pastes up."""
    pairs = [(pasted.account_id, found.account_id, "account")]
    if found.identity_center:
        pairs.append((pasted.role_name, found.role_name, "role"))
    for said, true, what in pairs:
        if said is not None and said != true:
            raise KeysRefused(
                f"the block says {what} {said}, but AWS says that its keys are of {what} {true}",
                hint="Copy the whole block from the access portal again.",
            )


# --- until when --------------------------------------------------------------------------------------


def end_of(pasted: PastedKeys, said: str | None, now: datetime, *, ask: bool) -> End:
    """Return when the keys end: as the paste says, as a person says, or the usual 4 h.

    Raises:
        KeysRefused: they have ended.
        UsageError: *said* is neither a duration nor a time, or too far away.
    """
    if pasted.expires_at is not None and pasted.expires_at <= now:
        raise KeysRefused(f"they ended at {clock_time(pasted.expires_at, now, None)}")
    if said is not None:
        told = read_end(said, now)
        if pasted.expires_at is None or told < pasted.expires_at:
            return End(told, EndSource.SAID)
    if pasted.expires_at is not None:
        return End(pasted.expires_at, EndSource.PASTE)
    if not ask:
        return End(now + USUAL_LIFE, EndSource.ASSUMED)
    from credtray.cli.questions import ask_text

    usual = f"{USUAL_LIFE // timedelta(hours=1)}h"
    answer = ask_text("How long do these keys last, from now?", usual, lambda text: read_end(text, now))
    return End(read_end(answer, now), EndSource.SAID)


def read_end(said: str, now: datetime) -> datetime:
    """Read ``4h`` or ``2026-11-22T17:40`` (this computer's time zone where none is named).

    Raises:
        UsageError: neither of the two, in the past, or more than 12 h away.
    """
    try:
        end = now + parse_duration(said)
    except (ValueError, OverflowError):
        end = _instant(said)
    if not now < end <= now + LONGEST_SAID:
        hours = LONGEST_SAID // timedelta(hours=1)
        raise UsageError(f"Role credentials last at most {hours} h; {said!a} is longer")
    return end


def _instant(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{said!a} is not a time: give a duration such as 4h or a time such as 2026-11-22T17:40"
        ) from None


# --- which name --------------------------------------------------------------------------------------


def section_of(
    pasted: PastedKeys, wished: str | None, owner: Owner, document: StatusDocument, now: datetime
) -> str:
    """Return the section for the keys: as wished, else the block's header, else the role's name.

    Names of profiles are never taken by themselves, nor those of pasted keys of another account.

    Raises:
        UsageError: no name fits, so one must be given.
        IniRefused: the name cannot stand between brackets.
    """
    if wished is not None:
        ini.check_section_name(wished)
        return wished
    names = [pasted.section] if pasted.section else []
    if not names and owner.role_name and owner.account_id:
        names = [owner.role_name, f"{owner.role_name}-{owner.account_id}"]
    if not names:
        raise UsageError("It is unknown whose keys these are", hint=_NAME_HINT)
    taken = _taken(owner, document, now)
    for name in names:
        if name not in taken:
            ini.check_section_name(name)
            return name
    raise UsageError(f"[{names[0]}] belongs to {taken[names[0]]}", hint=_NAME_HINT)


def _taken(owner: Owner, document: StatusDocument, now: datetime) -> dict[str, str]:
    """Return names that are not to be used without being said -> whose they are."""
    found = {item.name: f"the profile {item.name}" for item in document.foreign}
    for profile in document.profiles:
        found |= dict.fromkeys((profile.name, profile.section), f"the profile {profile.name}")
    for pasted in document.imports:
        other = pasted.account_id not in {None, owner.account_id}
        if other and pasted.expires_at > now:
            found[pasted.section] = f"pasted keys of account {pasted.account_id}"
    return found


def namesake(section: str, document: StatusDocument) -> str | None:
    """Return the SSO profile whose own section was named, None for a name of its own."""
    return next((item.name for item in document.profiles if section in {item.name, item.section}), None)
