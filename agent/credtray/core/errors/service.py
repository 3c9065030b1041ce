"""Errors of Identity Center, the network, the clock, signing in, and handing credentials out."""

from __future__ import annotations

from credtray.core.errors.local import CredtrayError, Retry

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
    hint = (
        "Check the start URL, the region and the scopes of the sso-session in the config file. A Region that "
        "was not added to your Identity Center is refused like this, too."
    )
    retry = Retry.PERSON


class RegionNotAuthorised(CredtrayError):
    """The Identity Center of this sign-in was not extended to the region asked (InvalidRequestRegion)."""

    code = "region_not_authorised"
    title = "This Region is not authorised yet"
    hint = (
        "Set sso_region of the sso-session to a Region that your Identity Center has, or ask your "
        "administrator to add this one."
    )
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


# Errors of signing in.


class SignInRequired(CredtrayError):
    """There is no usable sign-in; somebody has to sign in."""

    code = "sign_in_required"
    title = "A sign-in is needed"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class OtherPerson(CredtrayError):
    """Another person signed in than the last time, and nobody has agreed to that yet."""

    code = "other_person"
    title = "Another person is signed in"
    hint = "To go on as this person: credtray login --keep. To sign in again: credtray login"
    retry = Retry.PERSON


class SignInDenied(CredtrayError):
    """The person or the identity provider said no."""

    code = "sign_in_denied"
    title = "The sign-in was denied"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInTimedOut(CredtrayError):
    """Nobody finished the sign-in within its time limit."""

    code = "sign_in_timed_out"
    title = "The sign-in timed out"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInCancelled(CredtrayError):
    """The sign-in was cancelled before it finished."""

    code = "sign_in_cancelled"
    title = "The sign-in was cancelled"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInUnconfirmed(CredtrayError):
    """A new sign-in would end one that has long to go, and nobody has agreed to that."""

    code = "sign_in_unconfirmed"
    title = "This would end your current sign-in"
    hint = "Run: credtray login --fresh"
    retry = Retry.PERSON


class ListenerUnavailable(CredtrayError):
    """No loopback port could be bound for the redirect of the sign-in."""

    code = "listener_unavailable"
    title = "The browser's answer cannot be received on this machine"
    hint = "Use `credtray login --device`."
    retry = Retry.PERSON


# Errors of handing credentials out: the endpoint, child processes, waiting, pasted keys, the console.


class EndpointUnavailable(CredtrayError):
    """The local credentials endpoint cannot be opened, or its token file cannot be written."""

    code = "endpoint_unavailable"
    title = "The local credentials endpoint is not available"
    hint = "`credtray exec --env` and `credtray env` work without it."


class EndpointRefused(CredtrayError):
    """A request to the local credentials endpoint is not one that an SDK would send."""

    code = "endpoint_refused"
    title = "The credentials endpoint refuses this request"
    hint = "Use the variables that `credtray endpoint PROFILE` prints. Web pages and proxies are refused."
    retry = Retry.PERSON


class EndpointTokenRefused(CredtrayError):
    """The token sent to the local credentials endpoint is not one for this profile."""

    code = "endpoint_token_refused"
    title = "The token is not accepted for this profile"
    hint = "Run `credtray endpoint PROFILE` again. Programs must read the token file at each request."
    retry = Retry.PERSON


class EndpointTokenMissing(CredtrayError):
    """A request to the local credentials endpoint had no token: its program does not read the file."""

    code = "endpoint_token_missing"
    title = "The program sent no token"
    hint = "Update it, or for older programs run: credtray exec PROFILE --env -- COMMAND"
    retry = Retry.PERSON


class SignInTooShort(CredtrayError):
    """The present sign-in ends before the credentials may."""

    code = "sign_in_too_short"
    title = "The sign-in ends too early"
    hint = "Run: credtray login --fresh"
    retry = Retry.PERSON
    exit_code = 5


class KeysTooShort(CredtrayError):
    """The role does not allow keys that last that long, whatever the sign-in."""

    code = "keys_too_short"
    title = "Keys for this role never last that long"
    hint = "Let the program fetch new keys itself: `credtray exec` without --env, or credential_process."
    retry = Retry.PERSON
    exit_code = 5


class NotInTime(CredtrayError):
    """What the command waits for did not happen in time."""

    code = "not_in_time"
    title = "The wait timed out"
    hint = "Give it more time with --timeout, or sign in: credtray login"
    exit_code = 6


class CommandNotFound(CredtrayError):
    """The program to run does not exist."""

    code = "command_not_found"
    title = "The command was not found"
    hint = "Check its name, or give its whole path."
    retry = Retry.PERSON
    exit_code = 127


class CommandRefused(CredtrayError):
    """The program to run exists but cannot be started."""

    code = "command_refused"
    title = "The command cannot be started"
    hint = "Check that it is a program you may run."
    retry = Retry.PERSON
    exit_code = 126


class PasteRefused(CredtrayError):
    """The pasted text does not contain a complete set of temporary keys."""

    code = "paste_refused"
    title = "These are not role credentials"
    hint = "Copy the whole block from the access portal: Access keys, option 1 or 2."
    retry = Retry.PERSON


class KeysRefused(CredtrayError):
    """AWS does not accept the pasted keys, or they belong to somebody else."""

    code = "keys_refused"
    title = "These keys cannot be used"
    hint = "They may have expired. Copy them again from the access portal."
    retry = Retry.PERSON


class ConsoleRefused(CredtrayError):
    """The console's federation endpoint did not return a sign-in token."""

    code = "console_refused"
    title = "The AWS console could not be opened"
    hint = "Try the access portal: credtray console PROFILE --portal"


class RepairRefused(CredtrayError):
    """The repair does not apply to the current state; nothing was changed."""

    code = "repair_refused"
    title = "This cannot be repaired automatically"
    hint = "Run `credtray doctor` again; it says what you can do by hand."
    retry = Retry.PERSON


class FormRefused(CredtrayError):
    """A value cannot be written for that shell or kind of file."""

    code = "form_refused"
    title = "This cannot be written in that form"
    hint = "Choose another form with --shell."
    retry = Retry.PERSON
