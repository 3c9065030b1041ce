"""Errors of Identity Center, the network and the clock."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry

IN_PLACE_OF_AWS = "in place of AWS"
"""Stands in the text of an error whose cause may be an address that somebody set."""


class TokenRefused(CredtrayError):
    """The token service refused the grant (InvalidGrant, ExpiredToken)."""

    code = "token_refused"
    title = "The sign-in has ended"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class TokenUnreadable(CredtrayError):
    """The token cache file exists but holds no usable token just now."""

    code = "token_unreadable"
    title = "The token cache file cannot be read"
    hint = "It is left as it is and read again; `credtray login` writes a new one."
    retry = Retry.LATER


class TokenMismatch(TokenUnreadable):
    """The token cache file holds a token of another start URL or region: the config file was changed."""

    code = "token_mismatch"
    title = "The saved sign-in belongs to another start URL or region"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RegistrationRefused(CredtrayError):
    """The client registration is no longer accepted (InvalidClient)."""

    code = "registration_refused"
    title = "The client registration is no longer accepted"
    hint = "Sign in once more, which makes a new one. Run: credtray login"
    retry = Retry.PERSON


class PortalUnauthorized(CredtrayError):
    """The portal answered 401: the access token is not accepted."""

    code = "portal_unauthorized"
    title = "The portal does not accept the sign-in any more"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RoleRefused(CredtrayError):
    """The portal answered 403: no access to this account and role."""

    code = "role_refused"
    title = "The role is not assigned to you (any more)"
    hint = "Ask your administrator, or run `credtray setup` to see the roles you have."
    retry = Retry.LATER


class AssumeRoleRefused(CredtrayError):
    """AWS STS does not let the first role of a chained profile assume the next one."""

    code = "assume_role_refused"
    title = "This role cannot be assumed"
    hint = "Ask whoever owns the role to let yours in (its trust policy)."
    retry = Retry.LATER


class ProfileRefused(CredtrayError):
    """A setting of the profile has a value that AWS does not take; asking again does not help."""

    code = "profile_refused"
    title = "AWS does not take a setting of this profile"
    hint = "Change that setting in ~/.aws/config."
    retry = Retry.PERSON


class RequestRefused(CredtrayError):
    """The service refused a request as invalid: usually a wrong region or start URL (InvalidRequest)."""

    code = "request_refused"
    title = "The service refused the request"
    hint = "Check the start URL, the region and the scopes of the sso-session in the config file."
    retry = Retry.PERSON


class Throttled(CredtrayError):
    """The portal answered 429."""

    code = "throttled"
    title = "The portal asks to slow down"
    hint = "It is tried again by itself, more slowly."
    retry = Retry.LATER

    def __init__(
        self, detail: str = "", *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after
        """Seconds the service asked for in its Retry-After header; None when it named none."""


class PortalFailed(CredtrayError):
    """The portal answered 5xx."""

    code = "portal_failed"
    title = "The service answered with a server error"
    hint = "It is tried again by itself."
    retry = Retry.LATER


class Offline(CredtrayError):
    """No connection could be made, or it broke."""

    code = "offline"
    title = "The portal cannot be reached"
    hint = "Check the network, the VPN or the proxy; it is tried again by itself."
    retry = Retry.LATER


class NetworkSettingRefused(CredtrayError):
    """A proxy, a CA bundle or an address that somebody set cannot be used; nothing was sent."""

    code = "network_setting_refused"
    title = "A network setting cannot be used"
    hint = "Correct the setting or the variable that the message names."
    retry = Retry.PERSON


class ProxyRefused(CredtrayError):
    """The proxy wants a user name and password, or refuses the address."""

    code = "proxy_refused"
    title = "The proxy does not let us through"
    hint = "Put user name and password into its address: the setting sessions.NAME.proxy, or HTTPS_PROXY."
    retry = Retry.LATER


class CaptivePortal(CredtrayError):
    """A 200 that is not the portal's JSON: something in between answers for it."""

    code = "captive_portal"
    title = "The network answers instead of the portal"
    hint = "The network probably wants its own sign-in (hotel, train, guest Wi-Fi)."
    retry = Retry.LATER


class UnexpectedReply(CredtrayError):
    """The portal's answer has the wrong shape; the old state is kept."""

    code = "unexpected_reply"
    title = "The portal's answer has the wrong shape"
    hint = "Nothing was changed; it is tried again by itself."
    retry = Retry.LATER


class CertificateRefused(CredtrayError):
    """TLS verification failed."""

    code = "certificate_refused"
    title = "The portal's certificate is not trusted"
    hint = "Behind a TLS inspecting proxy set ca_bundle in the settings, in the config file or AWS_CA_BUNDLE."
    retry = Retry.LATER


class ClockOff(CredtrayError):
    """The portal's clock and ours differ by more than five minutes."""

    code = "clock_off"
    title = "This computer's clock is wrong"
    hint = "Set the clock (time synchronisation on); AWS refuses requests with a wrong time."
    retry = Retry.LATER


class ResourcesExhausted(CredtrayError):
    """This computer has no file handle, no thread or no memory left for a request; nothing was sent."""

    code = "resources_exhausted"
    title = "This computer ran out of something"
    hint = "Close programs you do not need, or raise the limit (ulimit -n); it is tried again by itself."
    retry = Retry.LATER


class OwnFault(CredtrayError):
    """A mistake in credtray's own program, found before or after what the service had to say."""

    code = "own_fault"
    title = "credtray has a fault here"
    hint = "Nothing was changed. Please report it; `credtray doctor` shows the version."
    retry = Retry.PERSON
