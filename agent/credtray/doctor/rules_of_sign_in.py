"""What the token cache and the agent tell of sign-ins and roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from credtray.core.errors import (
    IN_PLACE_OF_AWS,
    AssumeRoleRefused,
    CaptivePortal,
    CertificateRefused,
    ClockOff,
    NetworkSettingRefused,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    ProfileRefused,
    ProxyRefused,
    RoleRefused,
    SignInDenied,
    SignInRequired,
    SignInTimedOut,
    Throttled,
    TokenMismatch,
    TokenRefused,
    TokenUnreadable,
    UnexpectedReply,
)
from credtray.core.models import CredentialStatus, SsoSession
from credtray.core.protocol.results import ErrorEntry
from credtray.doctor import finding_texts_around as around
from credtray.doctor import finding_texts_of_keys as kinds
from credtray.doctor.evidence import Facts, Held, TokenFacts
from credtray.doctor.findings import Finding, FindingKind, Severity, Sight, clean, found, moment

KIND_OF: Mapping[str, FindingKind] = MappingProxyType(
    {
        CaptivePortal.code: around.CAPTIVE_PORTAL,
        UnexpectedReply.code: around.CAPTIVE_PORTAL,
        CertificateRefused.code: around.CERTIFICATE_REFUSED,
        Offline.code: around.UNREACHABLE,
        ProxyRefused.code: around.PROXY_REFUSED,
        Throttled.code: around.THROTTLED,
        PortalFailed.code: around.SERVICE_FAILED,
        ClockOff.code: around.CLOCK_OFF,
        NetworkSettingRefused.code: around.NETWORK_SETTING_REFUSED,
        RoleRefused.code: kinds.ROLE_REFUSED,
        AssumeRoleRefused.code: kinds.ASSUME_ROLE_REFUSED,
        ProfileRefused.code: kinds.PROFILE_SETTING_REFUSED,
        SignInDenied.code: kinds.SIGN_IN_REFUSED,
        SignInTimedOut.code: kinds.SIGN_IN_TIMED_OUT,
        SignInRequired.code: kinds.SIGN_IN_ENDED,
        TokenRefused.code: kinds.SIGN_IN_ENDED,
        PortalUnauthorized.code: kinds.SIGN_IN_ENDED,
        TokenUnreadable.code: kinds.TOKEN_UNREADABLE,
        TokenMismatch.code: kinds.TOKEN_OF_OTHER_SESSION,
    }
)
"""Which finding an error of ours is."""


_CACHE = "~/.aws/sso/cache/"
"""Every program looks for tokens there; no variable moves it."""


def kind_of(trouble: ErrorEntry) -> FindingKind:
    """Return the finding that an error of ours is; ``agent_trouble`` for one that is none in particular."""
    if IN_PLACE_OF_AWS in trouble.text:
        return around.OVERRIDE_FAILED
    if trouble.code == Offline.code and "proxy" in trouble.text:
        return around.PROXY_REFUSED
    return KIND_OF.get(trouble.code, around.AGENT_TROUBLE)


def sign_in_findings(facts: Facts) -> Iterator[Finding]:
    """Yield what is to be said of each session, and of roles that were refused."""
    used = _used(facts)
    for name, session in facts.config.config.sessions.items():
        mild = None if used is None or name in used else Severity.NOTE
        yield from _session(facts, session, mild)
        yield from _told(facts, name)
    for profile, trouble in facts.agent.profiles.items():
        kind = kind_of(trouble)
        sight = _sight_of_profile(facts, profile, trouble)
        yield found(kind, sight, profiles=(profile,), fill={"hint": clean(trouble.hint)})


def _used(facts: Facts) -> frozenset[str] | None:
    """Return the sessions somebody works with now; None: all of them count."""
    config = facts.config.config
    names = {*facts.active, facts.environ.get("AWS_PROFILE"), facts.environ.get("AWS_DEFAULT_PROFILE")}
    used = {profile.session for name, profile in config.profiles.items() if name in names}
    if used:
        return frozenset(used)
    good = {name for name, token in facts.tokens.items() if _good(facts, token)}
    return frozenset(good) or None


def _good(facts: Facts, token: TokenFacts) -> bool:
    alive = token.expires_at is not None and token.expires_at > facts.now
    return token.held is Held.TOKEN and (alive or _renewable(facts, token))


def _renewable(facts: Facts, token: TokenFacts) -> bool:
    ends = token.registration_ends
    return token.has_refresh_token and ends is not None and ends > facts.now


def _session(facts: Facts, session: SsoSession, mild: Severity | None) -> Iterator[Finding]:
    token = facts.tokens.get(session.name)
    sight = facts.agent.sessions.get(session.name)
    if token is None or (sight is not None and sight.state is CredentialStatus.SIGNING_IN):
        return
    place = Sight(f"session {clean(session.name)}: {_in_words(facts, token)}", token.file.path)
    name = session.name
    match token.held:
        case Held.NOTHING if sight is not None and sight.state is CredentialStatus.EXPIRED:
            yield found(kinds.SIGN_IN_ENDED, place, severity=mild, session=name)
        case Held.NOTHING | Held.UNREADABLE if _barred(facts):
            return  # a sign-in could not be stored: that comes first, and is found with the files
        case Held.NOTHING:
            yield found(kinds.SIGNED_OUT, place, severity=mild, session=name)
        case Held.UNREADABLE:
            yield found(kinds.TOKEN_UNREADABLE, place, severity=mild, session=name)
        case Held.MISMATCH:
            yield found(kinds.TOKEN_OF_OTHER_SESSION, place, severity=mild, session=name)
        case Held.TOKEN:
            yield from _token(facts, session, token, place, mild)


def _barred(facts: Facts) -> bool:
    """Tell whether something stands between credtray and the token cache."""
    ways = [f"{item.path}/" for item in facts.in_the_way]
    return any(_CACHE.startswith(way) or way.startswith(_CACHE) for way in ways)


def _token(
    facts: Facts, session: SsoSession, token: TokenFacts, place: Sight, mild: Severity | None
) -> Iterator[Finding]:
    expired = token.expires_at is not None and token.expires_at <= facts.now
    sight = facts.agent.sessions.get(session.name)
    ended = (sight is not None and sight.state is CredentialStatus.EXPIRED) or (
        expired and not _renewable(facts, token)
    )
    name = session.name
    if ended:
        yield found(kinds.SIGN_IN_ENDED, place, severity=mild, session=name)
    elif expired and not facts.agent.running:
        yield found(kinds.ACCESS_TOKEN_EXPIRED, place, session=name)
    elif not expired:
        yield found(kinds.SIGNED_IN, place, session=name)
    if not token.has_refresh_token and not session.legacy and not session.scopes:
        line = facts.config.sessions.get(name)
        seen = Sight(
            f"session {clean(name)}: no sso_registration_scopes, and its token has no refresh token",
            facts.config.text.file.path,
            line,
        )
        yield found(kinds.SESSION_WITHOUT_SCOPES, seen, severity=mild, session=name)
    elif token.has_refresh_token and not _renewable(facts, token):
        yield found(kinds.REGISTRATION_ENDED, place, severity=mild, session=name)


def _in_words(facts: Facts, token: TokenFacts) -> str:
    match token.held:
        case Held.NOTHING:
            return "there is no token file"
        case Held.UNREADABLE | Held.MISMATCH:
            return clean(token.reason)
        case Held.TOKEN if token.expires_at is None:
            return "its token has no expiry date"
        case Held.TOKEN:
            assert token.expires_at is not None  # noqa: S101 -- the case above; for the type checker
            verb = "ended" if token.expires_at <= facts.now else "ends"
            renewed = "" if _renewable(facts, token) else "; nothing in the token file can renew it"
            return f"its token {verb} at {moment(token.expires_at, facts.now)}{renewed}"


def _told(facts: Facts, name: str) -> Iterator[Finding]:
    """Yield what the agent says of a session, unless the token file has said the same."""
    sight = facts.agent.sessions.get(name)
    if sight is None or sight.trouble is None:
        return
    kind = kind_of(sight.trouble)
    if kind in {kinds.SIGN_IN_ENDED, kinds.TOKEN_UNREADABLE, kinds.TOKEN_OF_OTHER_SESSION}:
        return
    seen = Sight(f"session {clean(name)}: {clean(sight.trouble.text)}")
    yield found(kind, seen, session=name, fill={"hint": clean(sight.trouble.hint)})


def _sight_of_profile(facts: Facts, profile: str, trouble: ErrorEntry) -> Sight:
    known = facts.config.config.profiles.get(profile)
    role = "" if known is None else f" (account {known.account_id}, role {known.role_name})"
    line = facts.config.sections.get(profile)
    return Sight(f"{clean(profile)}{role}: {clean(trouble.text)}", facts.config.text.file.path, line)
