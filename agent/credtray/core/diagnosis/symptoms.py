"""Which error texts people see, and what may stand behind each: the troubleshooting FAQ as a table.

The texts are those of botocore 1.43 and 1.44, AWS CLI 2.9 and 2.36, the SDKs for Go v2 and JavaScript v3, and
urllib3. Nothing here looks at how things are; see ``explanation`` for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from credtray.core.diagnosis import causes_around as around
from credtray.core.diagnosis import causes_of_files as files
from credtray.core.diagnosis import causes_of_keys as keys
from credtray.core.diagnosis.finding import Kind


@dataclass(frozen=True, slots=True)
class Symptom:
    """One error text."""

    text: str
    """As people see it, for the reference; ``...`` stands for names."""
    pattern: re.Pattern[str]
    """Searched in the text with all blanks made one."""
    causes: tuple[Kind, ...]
    """The most likely one first, as long as nothing is known of this computer."""


def _seen(text: str, pattern: str, *causes: Kind) -> Symptom:
    return Symptom(text, re.compile(pattern, re.IGNORECASE), causes)


_RENEWAL = (
    keys.SIGN_IN_ENDED,
    keys.SESSION_WITHOUT_SCOPES,
    keys.REGISTRATION_ENDED,
    keys.TOKEN_OF_OTHER_SESSION,
    files.LEGACY_PROFILES,
    keys.ACCESS_TOKEN_EXPIRED,
    around.CLOCK_OFF,
)
_STALE = (
    keys.KEYS_EXPIRED,
    keys.STALE_KEYS,
    files.ENVIRONMENT_KEYS,
    keys.FOREIGN_KEYS_ENDED,
    keys.TEMPORARY_SHADOW,
    keys.OLD_TOKEN,
    around.CLOCK_OFF,
)

SYMPTOMS = (
    _seen(
        "Error loading SSO Token: Token for ... does not exist",
        r"token for .{0,300}? does not exist|failed to read cached SSO token file|"
        r"The SSO session token associated with profile=.{0,300} was not found",
        keys.SIGNED_OUT,
        keys.TOKEN_UNREADABLE,
    ),
    _seen(
        "Error loading SSO Token: Token for ... is invalid",
        r"error loading SSO token: token for .{0,300}? is invalid|cached SSO token must contain",
        keys.TOKEN_UNREADABLE,
    ),
    _seen(
        "aws: [ERROR]: '76caebab2d9994335a70389d349a1946ada71268' (forty digits: the name of the token file)",
        r"(?:KeyError: |ERROR\]?: |^)'[0-9a-f]{40}'",
        keys.TOKEN_UNREADABLE,
    ),
    _seen(
        "Error when retrieving token from sso: Token has expired and refresh failed",
        r"error when retrieving token from sso|token has expired and refresh failed|"
        r"cached SSO token is expired, or not present",
        *_RENEWAL,
    ),
    _seen(
        "The SSO session associated with this profile has expired or is otherwise invalid.",
        r"SSO session (?:token )?associated with (?:this )?profile.{0,300}?(?:has expired|otherwise invalid)",
        *_RENEWAL,
    ),
    _seen(
        "An error occurred (UnauthorizedException) when calling the GetRoleCredentials operation: "
        "Session token not found or invalid",
        r"UnauthorizedException|session token not found or invalid",
        *_RENEWAL,
    ),
    _seen(
        "An error occurred (InvalidGrantException) when calling the CreateToken operation",
        r"InvalidGrantException|invalid_grant|InvalidClientException|invalid refresh token",
        *_RENEWAL,
    ),
    _seen(
        "Pending authorization to retrieve an SSO token has expired.",
        r"pending authori[sz]ation .{0,60}has expired|"
        r"ExpiredTokenException\) when calling the CreateToken",
        keys.SIGN_IN_TIMED_OUT,
        around.LOOPBACK_ELSEWHERE,
        around.BROWSER_MISSING,
    ),
    _seen(
        "Error loading authorization code: Failed to retrieve an authorization code.",
        r"(?:error loading|failed to retrieve an) authori[sz]ation code|"
        r"AccessDeniedException\) when calling the CreateToken",
        keys.SIGN_IN_REFUSED,
        around.LOOPBACK_ELSEWHERE,
    ),
    _seen(
        "An error occurred (ForbiddenException) when calling the GetRoleCredentials operation: No access",
        r"ForbiddenException|GetRoleCredentials operation: No access",
        keys.ROLE_REFUSED,
    ),
    _seen(
        "aws: [ERROR]: 'roleCredentials'",
        r"'roleCredentials'|KeyError: .?roleCredentials",
        around.CAPTIVE_PORTAL,
    ),
    _seen(
        "An error occurred (ExpiredToken) when calling the ... operation: The security token included in the "
        "request is expired",
        r"ExpiredToken(?:Exception)?\b|security token included in the request is expired|"
        r"The provided token has expired",
        *_STALE,
    ),
    _seen(
        "Credentials were refreshed, but the refreshed credentials are still expired.",
        r"refreshed credentials are still expired",
        keys.STALE_KEYS,
        around.CLOCK_OFF,
        files.ENVIRONMENT_KEYS,
    ),
    _seen(
        "An error occurred (InvalidClientTokenId) when calling the ... operation: "
        "The security token included in the request is invalid",
        r"InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId\b|"
        r"security token included in the request is invalid",
        keys.OLD_TOKEN,
        files.ENVIRONMENT_KEYS,
        keys.KEYS_SHADOW,
        keys.TEMPORARY_SHADOW,
        keys.KEYS_UNKNOWN,
    ),
    _seen(
        "An error occurred (SignatureDoesNotMatch) when calling the ... operation: Signature expired: ... is "
        "now earlier than ...",
        r"RequestExpired|RequestTimeTooSkewed|signature (?:expired|not yet current)|"
        r"request (?:has|time).{0,40}(?:expired|too skewed)|InvalidSignatureException",
        around.CLOCK_OFF,
    ),
    _seen(
        "An error occurred (SignatureDoesNotMatch) when calling the ... operation: The request signature we "
        "calculated does not match the signature you provided.",
        r"SignatureDoesNotMatch|IncompleteSignature",
        around.CLOCK_OFF,
        files.HALF_ENVIRONMENT_KEYS,
        keys.HALF_KEYS,
        keys.KEYS_SHADOW,
    ),
    _seen(
        "An error occurred (AccessDenied) when calling the ... operation: ... is not authorized to perform",
        r"AccessDenied(?:Exception)?\b|UnauthorizedOperation|is not authori[sz]ed to perform",
        keys.ACCESS_DENIED,
    ),
    _seen(
        "An error occurred (TooManyRequestsException) when calling the GetRoleCredentials operation",
        r"TooManyRequestsException|SlowDownException|HTTP 429|Rate exceeded|Throttling",
        around.THROTTLED,
    ),
    _seen(
        "An error occurred (InternalServerException) when calling the ... operation",
        r"InternalServer(?:Error|Exception)|ServiceUnavailable|status code: 50[0-4]\b",
        around.SERVICE_FAILED,
    ),
    _seen(
        "SSL validation failed for ... [Errno 2] No such file or directory",
        r"SSL validation failed for .{0,2000}?\[Errno 2\]",
        around.BUNDLE_MISSING,
    ),
    _seen(
        "SSL validation failed for ... [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        r"CERTIFICATE_VERIFY_FAILED|SSL validation failed for .{0,2000}?\[SSL|x509: certificate|"
        r"SELF_SIGNED_CERT|unable to get (?:local )?issuer cert|UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        around.CERTIFICATE_REFUSED,
        around.CLOCK_OFF,
    ),
    _seen(
        'Failed to connect to proxy URL: "..."',
        r"failed to connect to proxy|ProxyConnectionError|proxyconnect|tunnel connection failed|"
        r"proxy authentication required",
        around.PROXY_REFUSED,
    ),
    _seen(
        "Could not find a suitable TLS CA certificate bundle, invalid path: ...",
        r"suitable TLS CA certificate bundle|CA bundle .{0,500}cannot be read",
        around.BUNDLE_MISSING,
    ),
    _seen(
        'Could not connect to the endpoint URL: "https://..."',
        r"could not connect to the endpoint|(?:connect|read) timeout on endpoint|no such host|"
        r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|connection was closed before|name or service not known",
        around.UNREACHABLE,
        around.PROXY_REFUSED,
    ),
    _seen(
        "Unable to parse config file: .../.aws/config",
        r"unable to parse config file|ConfigParseError|error parsing .{0,60}(?:config|credentials)",
        files.FILE_UNPARSABLE,
        files.DUPLICATE_SECTION,
    ),
    _seen(
        "The config profile (...) could not be found",
        r"config profile \(.{0,600}?\) could not be found|failed to get shared config profile|"
        r"could not resolve credentials using profile: \[",
        files.PROFILE_UNKNOWN,
        files.SECTION_IGNORED,
    ),
    _seen(
        'The profile "..." is configured to use SSO but is missing required configuration: ...',
        r"is configured to use SSO but is missing required|missing the following required SSO|"
        r"is inconsistent between profile|is defined as|sso-session .{0,300}does not exist|"
        r"profile is configured with invalid SSO parameters",
        files.PROFILE_INCOMPLETE,
    ),
    _seen(
        "Partial credentials found in ..., missing: aws_secret_access_key",
        r"partial credentials found in",
        keys.HALF_KEYS,
        files.HALF_ENVIRONMENT_KEYS,
    ),
    _seen(
        "Unable to locate credentials. You can configure credentials by running ...",
        r"unable to locate credentials|could not load credentials from any provider|"
        r"no valid credential sources found|unable to load credentials from any|NoCredentialProviders",
        keys.NO_KEYS_FOUND,
        keys.SIGNED_OUT,
        files.NOTHING_CONFIGURED,
        files.SECTION_IGNORED,
    ),
    _seen(
        "You must specify a region. You can also configure your region by running ...",
        r"must specify a region|region is missing|missing region",
        files.REGION_MISSING,
    ),
    _seen(
        "[Errno 2] No such file or directory: '...'",
        r"\[Errno 2\] No such file or directory: '|\[WinError 2\]",
        files.PROCESS_MISSING,
    ),
    _seen(
        "Error when retrieving credentials from custom-process: ...",
        r"credentials from custom-process|error in credential_process|credential_process.{0,80}fail",
        files.PROCESS_MISSING,
        files.PROCESS_FAILED,
        keys.SIGN_IN_ENDED,
        keys.SIGNED_OUT,
    ),
    _seen(
        "Attempting to open the SSO authorization page in your default browser. ... "
        "gio: Operation not supported",
        r"could not (?:locate|open) .{0,30}browser|no (?:usable |web )?browser|browser.{0,60}not open|"
        r"operation not supported|xdg-open: ",
        around.BROWSER_MISSING,
        around.LOOPBACK_ELSEWHERE,
    ),
    _seen(
        "This site can't be reached: 127.0.0.1 refused to connect",
        r"127\.0\.0\.1(?::\d+)? refused|localhost(?::\d+)? refused|127\.0\.0\.1\S{0,300}/oauth/callback",
        around.LOOPBACK_ELSEWHERE,
    ),
    _seen(
        "aws: error: argument operation: Invalid choice ... login (`aws sso login`)",
        r"Invalid choice.{0,600}\b(?:sso|login)\b|invalid choice: 'sso'",
        around.AWS_CLI_OLD,
    ),
)
"""More than one may fit a text; each stands for itself."""


def texts_of(kind: Kind) -> tuple[str, ...]:
    """Return the error texts that people see when this is the cause."""
    return tuple(item.text for item in SYMPTOMS if kind in item.causes)
