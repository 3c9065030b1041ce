"""Who is signed in, and whether it is the person of the last time. Pure; decides nothing, see ``policy``.

The portal does not say who signed in, but the keys do: STS names the person in the ARN of a role's session.
It is asked once for each sign-in, with keys that this sign-in has brought. Where it is known who signed in
the last time, such keys are held back until it has answered, or for ``HOLD``. See docs/adr/0069.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from credtray.core.errors import OtherPerson, Problem
from credtray.core.models import RoleCredentials
from credtray.core.session_status import token_usable
from credtray.core.shell_words import argument, with_options
from credtray.core.state import Identity, ProfileState, SessionState, State
from credtray.core.words import plain

HOLD = timedelta(seconds=10)
"""So long keys wait for the answer whose they are: programs that ask for them have the patience for it."""

_CUT = 64
"""Characters of the longest name of a role's session: a longer user name may come cut."""


def same_person(one: str, other: str) -> bool:
    """Tell whether two names of role sessions are one person's: case does not count, nor does a cut."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return short == long or (len(short) >= _CUT and long.startswith(short))


def is_other(session: SessionState) -> bool:
    """Tell whether another person is signed in than the last time, and nobody has agreed to that."""
    known = session.identity
    if known.person is None or known.expected is None:
        return False
    return not same_person(known.person, known.expected)


def undecided(session: SessionState, now: datetime) -> bool:
    """Tell whether keys of this sign-in wait until STS has told whose they are.

    Nobody waits where there is nobody to compare with; and a clock that was set back ends the wait.
    """
    known = session.identity
    if known.since is None or known.told or known.unchecked or known.expected is None:
        return False
    return known.held_since is None or timedelta() <= now - known.held_since < HOLD


def held_from_programs(session: SessionState, now: datetime) -> bool:
    """Tell whether keys that come now are given to nobody yet."""
    return is_other(session) or undecided(session, now)


def evidence(
    state: State, session: SessionState, now: datetime
) -> tuple[ProfileState, RoleCredentials] | None:
    """Return keys that this sign-in has brought, and whose profile they are of; None: there are none yet.

    Those of a chained profile are another role's, whose session is not named after a person.
    """
    since = session.identity.since
    for item in state.profiles_of(session.name):
        for keys in (item.withheld, item.credentials):
            fresh = keys is not None and since is not None and keys.fetched_at >= since
            if keys is not None and fresh and keys.expires_at > now and not item.profile.chain:
                return item, keys
    return None


def waits(session: SessionState, profile: ProfileState) -> bool:
    """Tell whether keys of this sign-in wait for the profile's programs; those of one before are nobody's."""
    since, come = session.identity.since, profile.withheld
    return come is not None and since is not None and come.fetched_at >= since


def to_be_asked(session: SessionState, now: datetime) -> bool:
    """Tell whether it is still to be found out who is signed in, and a try may be made now."""
    known = session.identity
    if known.since is None or known.told or known.asking or session.refreshing or session.token is None:
        return False
    return known.trouble is None or known.trouble.retry_at <= now


def evidence_wanted(state: State, session: SessionState, now: datetime) -> str | None:
    """Return the profile whose keys are fetched only to ask whose they are; None: none are, or need be.

    Of the profiles in use the first that can be had: keys nobody wants are not fetched for this, and none
    where there is nobody to compare with. What programs ask for is in use as well, and is fetched anyway; but
    not while the wrong person is signed in, who may have left since.
    """
    since = session.identity.since
    if since is None or session.identity.expected is None or not token_usable(session, now):
        return None
    if not to_be_asked(session, now):
        return None
    if evidence(state, session, now) is not None or _coming(state, session):
        return None
    used = [state.profiles[name] for name in state.kept]
    if is_other(session):
        used += [item for item in state.profiles_of(session.name) if item.asked_at is not None]
    return next(
        (
            item.name
            for item in used
            if item.profile.session == session.name
            and item.trouble is None
            and not item.profile.chain
            and (item.attempted_at is None or item.attempted_at < since)
        ),
        None,
    )


def answer_due(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether keys wait for an answer that is on its way."""
    if not undecided(session, now) or session.trouble is not None:
        return False
    known = session.identity
    if known.asking or known.held_since is not None or _coming(state, session):
        return True
    return evidence_wanted(state, session, now) is not None


def _coming(state: State, session: SessionState) -> bool:
    return any(item.fetching for item in state.profiles_of(session.name))


def other_person(session: SessionState) -> Problem:
    """Return why nobody gets keys while another person is signed in, and the commands that decide it."""
    person, before = names(session)
    name = session.name
    keep, again = f"credtray login {with_options(name, '--keep')}", f"credtray login {argument(name)}"
    return OtherPerson(
        f"{person} signed in to {plain(name)}, but last time it was {before}",
        hint=f"To go on as {person}: {keep}. To sign in as {before}: {again}",
    ).problem


def names(session: SessionState) -> tuple[str, str]:
    """Return who is signed in and who was, as a person may read them; empty where it is not known."""
    known = session.identity
    return plain(known.person) if known.person else "", plain(known.expected) if known.expected else ""


def released(profile: ProfileState, since: datetime | None) -> ProfileState:
    """Return the profile with the keys that were withheld: programs get them from now on.

    Those of a sign-in before this one are nobody's any more.
    """
    held, come = profile.credentials, profile.withheld
    if come is None:
        return profile
    if since is None or come.fetched_at < since or (held is not None and held.expires_at > come.expires_at):
        come = held
    return replace(profile, credentials=come, withheld=None)


def taken_back(profile: ProfileState, since: datetime | None) -> ProfileState:
    """Return the profile without the keys of this sign-in; older ones are the former person's, and stay."""
    held = profile.credentials
    if held is None or since is None or held.fetched_at < since:
        return profile
    return replace(profile, credentials=None, withheld=held)


def begun(known: Identity, now: datetime, *, asks: bool, anew: bool) -> Identity:
    """Return it as a token leaves it that was not renewed by us: whose it is, STS has to tell.

    Args:
        known: before.
        now: aware, UTC.
        asks: somebody is there to ask STS.
        anew: it is a sign-in of its own; else the sign-in goes on, as far as anybody can tell.
    """
    return Identity(
        known.expected,
        None if anew else known.person,
        now if asks else None,
        unchecked=known.unchecked and not anew,
    )
