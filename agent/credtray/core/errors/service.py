"""Errors of Identity Center, the network and the clock."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry

IN_PLACE_OF_AWS = "in place of AWS"
"""Part of an error's text when the cause may be an address that somebody set."""


class TokenRefused(CredtrayError):
    """The token service refused the grant (InvalidGrant, ExpiredToken)."""

    code = "token_refused"
    title = "The sign-in has ended"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class TokenUnreadable(CredtrayError):
    """The token cache file exists but does not contain a usable token at the moment."""

    code = "token_unreadable"
    title = "The token cache file cannot be read"
    hint = "It is left unchanged and read again later. To write a new one, run: credtray login"
    retry = Retry.LATER


class TokenMismatch(TokenUnreadable):
    """The token cache file holds a token for another start URL or region: the config file was changed."""

    code = "token_mismatch"
    title = "The saved sign-in belongs to another start URL or region"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RegistrationRefused(CredtrayError):
    """The client registration is no longer accepted (InvalidClient)."""

    code = "registration_refused"
    title = "The client registration is no longer accepted"
    hint = "Sign in again to get a new one. Run: credtray login"
    retry = Retry.PERSON


class PortalUnauthorized(CredtrayError):
    """The portal answered 401: the access token is not accepted."""

    code = "portal_unauthorized"
    title = "The portal no longer accepts the sign-in"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RoleRefused(CredtrayError):
    """The portal answered 403: no access to this account and role."""

    code = "role_refused"
    title = "The role is not, or no longer, assigned to you"
    hint = "Ask your administrator, or run `credtray setup` to see the roles you have."
    retry = Retry.LATER


class AssumeRoleRefused(CredtrayError):
    """AWS STS does not let the first role of a chained profile assume the next one."""

    code = "assume_role_refused"
    title = "This role cannot be assumed"
    hint = "Ask the owner of the role to allow your role in its trust policy."
    retry = Retry.LATER


class ProfileRefused(CredtrayError):
    """A setting of the profile has a value that AWS does not accept; trying again does not help."""

    code = "profile_refused"
    title = "AWS does not accept a setting of this profile"
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
    title = "The portal asks credtray to slow down"
    hint = "credtray tries again automatically, more slowly."
    retry = Retry.LATER

    def __init__(
        self, detail: str = "", *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after
        """Seconds the service asked for in its Retry-After header; None without one."""


class PortalFailed(CredtrayError):
    """The portal answered 5xx."""

    code = "portal_failed"
    title = "The service answered with a server error"
    hint = "credtray tries again automatically."
    retry = Retry.LATER


class Offline(CredtrayError):
    """No connection could be made, or it broke."""

    code = "offline"
    title = "The portal cannot be reached"
    hint = "credtray tries again automatically. Check the network, the VPN or the proxy."
    retry = Retry.LATER


class NetworkSettingRefused(CredtrayError):
    """A proxy, a CA bundle or an address that somebody set cannot be used; nothing was sent."""

    code = "network_setting_refused"
    title = "A network setting cannot be used"
    hint = "Correct the setting or the variable that the message names."
    retry = Retry.PERSON


class ProxyRefused(CredtrayError):
    """The proxy asks for a user name and password, or refuses the address."""

    code = "proxy_refused"
    title = "The proxy does not let credtray through"
    hint = "Put the user name and password into its address: the setting sessions.NAME.proxy, or HTTPS_PROXY."
    retry = Retry.LATER


class CaptivePortal(CredtrayError):
    """A 200 that is not the portal's JSON: something in between answered instead."""

    code = "captive_portal"
    title = "The network answered instead of the portal"
    hint = "The network probably needs its own sign-in (hotel, train, guest Wi-Fi): open any web page."
    retry = Retry.LATER


class UnexpectedReply(CredtrayError):
    """The portal's answer could not be understood; the old state is kept."""

    code = "unexpected_reply"
    title = "The portal's answer could not be understood"
    hint = "Nothing was changed. credtray tries again automatically."
    retry = Retry.LATER


class CertificateRefused(CredtrayError):
    """TLS verification failed."""

    code = "certificate_refused"
    title = "The portal's certificate is not trusted"
    hint = (
        "Behind a TLS-inspecting proxy, set ca_bundle in the settings or the config file, or AWS_CA_BUNDLE."
    )
    retry = Retry.LATER


class ClockOff(CredtrayError):
    """The portal's clock and ours differ by more than five minutes."""

    code = "clock_off"
    title = "This computer's clock is wrong"
    hint = "AWS refuses requests with a wrong time. Turn on time synchronisation, or set the clock."
    retry = Retry.LATER


class ResourcesExhausted(CredtrayError):
    """This computer has no file handle, no thread or no memory left for a request; nothing was sent."""

    code = "resources_exhausted"
    title = "This computer has run out of a resource"
    hint = (
        "credtray tries again automatically. Close programs you do not need, or raise the limit (ulimit -n)."
    )
    retry = Retry.LATER


class OwnFault(CredtrayError):
    """A bug in credtray, found before or after the service answered."""

    code = "own_fault"
    title = "This is a fault in credtray"
    hint = "Nothing was changed. Please report it with the version that `credtray doctor` shows."
    retry = Retry.PERSON
