"""The menu's sso-sessions: how each stands, and what a person can do about it. Pure; builds items only."""

from __future__ import annotations

from collections.abc import Iterator

from credtray.core.clicks import CopySignInLink, ShowSession
from credtray.core.face.lines import headline, meanwhile, session_troubles
from credtray.core.face.look import Shape
from credtray.core.face.overview import Overview
from credtray.core.menu import Item, Kind
from credtray.core.menu.branches import separator
from credtray.core.plain import plain
from credtray.core.protocol import CancelLogin, Login, Logout
from credtray.core.standing import alive
from credtray.core.state import Alive, SessionState

MOST = 8
"""Sessions at the top of the menu; the others wait in a submenu."""
_LONGEST_ADDRESS = 80
_WANTS_SIGN_IN = frozenset({Shape.ENDED, Shape.SOON, Shape.SIGNED_OUT})
"""Where the next step is a person's sign-in."""


def session_menus(seen: Overview) -> Iterator[Item]:
    """Yield the items of all sessions: at the top for a single one, else a submenu for each."""
    sessions = tuple(seen.state.sessions.values())
    if len(sessions) == 1:
        (session,) = sessions
        name = session.session.name
        # Clickable, so that no panel greys out the line that matters most.
        yield Item(f"session:{name}", Kind.COMMAND, headline(seen, session), ShowSession(name))
        yield from _actions(seen, session, wanted=_wants_sign_in(seen, session))
        return
    yield from _wanted(seen)
    order = {name: place for place, name in enumerate(seen.mattering)}
    sessions = tuple(sorted(sessions, key=lambda each: order.get(each.session.name, len(order))))
    yield from (_submenu(seen, session) for session in sessions[:MOST])
    rest = tuple(_submenu(seen, session) for session in sessions[MOST:])
    if rest:
        yield Item("sessions-more", Kind.SUBMENU, f"{len(rest)} more sessions", children=rest)


def _wanted(seen: Overview) -> Iterator[Item]:
    """Yield the sign-in that a click on the icon begins: of the most urgent session, if it needs one."""
    for session in seen.by_urgency()[:1]:
        if _wants_sign_in(seen, session):
            name = session.session.name
            label = f"Sign in to {plain(name)}"
            yield Item("sign-in-wanted", Kind.COMMAND, label, _login(seen, session), default=True)
            yield separator("sign-in-wanted")


def _wants_sign_in(seen: Overview, session: SessionState) -> bool:
    return seen.shapes[session.session.name] in _WANTS_SIGN_IN


def _submenu(seen: Overview, session: SessionState) -> Item:
    children = tuple(_actions(seen, session, wanted=False))
    return Item(f"session:{session.session.name}", Kind.SUBMENU, headline(seen, session), children=children)


def _actions(seen: Overview, session: SessionState, *, wanted: bool) -> Iterator[Item]:
    name = session.session.name
    for place, line in enumerate(session_troubles(seen, session)):
        yield Item(f"session-trouble-{place}:{name}", Kind.TEXT, line)
    if session.pending is not None:
        rest = meanwhile(seen, session)
        if rest:
            yield Item(f"sign-in-meanwhile:{name}", Kind.TEXT, rest)
        yield from _pending(session)
    else:
        again = " again" if alive(session, seen.now) is Alive.SIGNED_IN else ""
        login = _login(seen, session)
        device = _login(seen, session, device=True)
        yield Item(f"sign-in:{name}", Kind.COMMAND, f"Sign in{again}", login, default=wanted)
        yield Item(f"sign-in-device:{name}", Kind.COMMAND, "Sign in on another device", device)
    if alive(session, seen.now) is not Alive.SIGNED_OUT:
        yield Item(f"sign-out:{name}", Kind.COMMAND, "Sign out", Logout(name))


def _pending(session: SessionState) -> Iterator[Item]:
    name, pending = session.session.name, session.pending
    url = pending.url if pending is not None else None
    if pending is not None and pending.user_code is not None and url is not None:
        place = plain(url.partition("?")[0], _LONGEST_ADDRESS)
        yield Item(f"sign-in-place:{name}", Kind.TEXT, f"On any device: {place}")
    link = CopySignInLink(name)
    yield Item(f"sign-in-link:{name}", Kind.COMMAND, "Copy sign-in link", link, enabled=url is not None)
    yield Item(f"sign-in-cancel:{name}", Kind.COMMAND, "Cancel sign-in", CancelLogin(name))


def _login(seen: Overview, session: SessionState, *, device: bool = False) -> Login:
    # While it lasts a plain sign-in would change nothing: who asks for one wants a later end.
    fresh = alive(session, seen.now) is Alive.SIGNED_IN
    return Login(session.session.name, fresh=fresh, device=device)
