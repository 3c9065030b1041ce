"""Signing out: ends the sign-in at the portal and drops its token file.

Blocks, so it belongs in a worker thread. Must not decide whether somebody is to be signed out.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from credtray.core.errors import CredtrayError, PortalUnauthorized, TokenUnreadable
from credtray.core.models import AccessToken, SsoSession
from credtray.daemon.ports import Ports

_log = logging.getLogger(__name__)

_ALMOST_OVER = timedelta(minutes=1)


def sign_out(ports: Ports, session: SsoSession, known: AccessToken | None) -> bool:
    """Sign out and return False when the portal could not be told.

    The token is dropped either way: the user asked to be signed out on this machine. It is the token on the
    disk that goes, which another program may have renewed since *known* was read.

    Raises:
        FileContended: another credtray process has been refreshing the token for a minute.
        FileUnwritable, FileRefused: the token file cannot be deleted.
    """
    _renew(ports, session, known)
    with ports.token_cache.lock(session):
        token = _on_disk(ports, session, known) or known
        if token is None:
            return True
        told = _told(ports, session, token)
        ports.token_cache.drop(session, token)
        return told


def _renew(ports: Ports, session: SsoSession, known: AccessToken | None) -> None:
    """The portal takes a sign-out only from a token that is still good."""
    now = ports.clock.now()
    if known is None or not known.refreshable or known.expires_at - now > _ALMOST_OVER:
        return
    try:
        ports.token_refresh.refresh(session, known, now)
    except CredtrayError as error:
        _log.info("session %s: no usable token to sign out with: %s", session.name, error)


def _on_disk(ports: Ports, session: SsoSession, known: AccessToken | None) -> AccessToken | None:
    try:
        return ports.token_cache.read(session)
    except TokenUnreadable:
        return known


def _told(ports: Ports, session: SsoSession, token: AccessToken) -> bool:
    try:
        ports.identity_center.logout(session, token)
    except PortalUnauthorized:
        return True  # it has ended there already
    except CredtrayError as error:
        _log.info("session %s: the portal does not know of the sign-out: %s", session.name, error)
        return False
    return True
