"""The error texts of a sign-in that is missing, has ended or was refused, and of the token file."""

from __future__ import annotations

from credtray.core.diagnosis import causes_around as around
from credtray.core.diagnosis import causes_of_files as files
from credtray.core.diagnosis import causes_of_keys as keys
from credtray.core.diagnosis.symptom import seen

_RENEWAL = (
    keys.SIGN_IN_ENDED,
    keys.SESSION_WITHOUT_SCOPES,
    keys.REGISTRATION_ENDED,
    keys.TOKEN_OF_OTHER_SESSION,
    files.LEGACY_PROFILES,
    keys.ACCESS_TOKEN_EXPIRED,
    around.CLOCK_OFF,
)
_ABSENT = r"(?:no such file|cannot find the (?:file|path)|NotFound|os error 2)"
_FILE = rf"[:;,]? (?:caused by: )?(?:failed to read cached SSO token file, )?open .{{0,600}}?{_ABSENT}"
_BROKEN_FILE = r"[:;,]? (?:caused by: )?(?:failed to parse cached SSO token|cached SSO token must)"

SYMPTOMS = (
    seen(
        "Error loading SSO Token: Token for ... does not exist",
        r"token for .{0,300}? does not exist|SSOTokenLoadError(?!:)|"
        rf"SSO session has expired or is invalid{_FILE}|"
        rf"failed to read cached SSO token file, .{{0,600}}?{_ABSENT}|"
        r"The SSO session token associated with profile=.{0,300} was not found|"
        r"Unable to load SSO token|No valid SSO Token could be found|Unable to read token file at|"
        rf"failed to load the cached SSO token.{{0,900}}?{_ABSENT}|"
        r"failed to read `.{0,500}?[/\\]sso[/\\]cache[/\\]|"
        r"NoSuchFileException: .{0,500}?[/\\]sso[/\\]cache[/\\]",
        keys.SIGNED_OUT,
        keys.SIGN_IN_ENDED,
        keys.TOKEN_UNREADABLE,
        files.PROGRAM_WITHOUT_SSO,
        files.FILE_OF_OTHER,
        files.FILE_UNREADABLE,
    ),
    seen(
        "open .../.aws/sso/cache/...: permission denied",
        r"[/\\]sso[/\\]cache[/\\].{0,80}?: (?:permission denied|access is denied)|"
        r"permission denied: '.{0,500}?[/\\]\.aws[/\\]",
        files.FILE_OF_OTHER,
        files.FILE_UNREADABLE,
        files.FILE_MODE,
    ),
    seen(
        "Error loading SSO Token: Token for ... is invalid",
        r"error loading SSO token: token for .{0,300}? is invalid|cached SSO token must contain|"
        r"failed to parse cached SSO token|Token file at .{0,500}? must contain an access token|"
        r"Cached SSO credentials returned an invalid expiration|"
        r"(?:missing|invalid value for the) (?:field )?`?\w{1,60}`? (?:field )?in (?:the )?cached SSO token|"
        r"invalid JSON in cached SSO token file|"
        r"Value not present for '(?:accessToken|expiresAt)' in SSO Token",
        keys.TOKEN_UNREADABLE,
        keys.SIGNED_OUT,
    ),
    seen(
        "aws: [ERROR]: '76caebab2d9994335a70389d349a1946ada71268' (forty digits: the name of the token file)",
        r"(?:KeyError: |ERROR\]?: |^)'[0-9a-f]{40}'",
        keys.TOKEN_UNREADABLE,
        keys.SIGNED_OUT,
    ),
    seen(
        "Error when retrieving token from sso: Token has expired and refresh failed",
        r"error when retrieving token from sso|token has expired and refresh failed|"
        r"cached SSO token is expired, or not present|refresh cached SSO token failed|"
        r"unable to refresh SSO token|TokenRetrievalError|SSOTokenProviderFailure|SSO token (?:is )?expired|"
        r"SSO Token refresh failed|SSO Token has expired and (?:can ?not be refreshed|failed to refresh)|"
        r"Token is expired\. To refresh this SSO session|"
        r"(?:SdkClientException|ExpiredTokenException): Token is expired|"
        r"Cached SSO credentials returned expired credentials|"
        r"aws-vault: error: .{0,200}Failed to get credentials.{0,200}Token expired",
        *_RENEWAL,
    ),
    seen(
        "The SSO session associated with this profile has expired or is otherwise invalid.",
        r"SSO session associated with this profile (?:has expired|is invalid)|"
        rf"SSO session has expired or is invalid(?!{_FILE})(?!{_BROKEN_FILE})|"
        r"SSOProviderInvalidToken(?!: the SSO session has)|"
        r"Aws::Errors::InvalidSSO(?:Credentials|Token)|UnauthorizedSSOTokenError|"
        r"invalid SSO (?:token|session)\b|SSO access token has either expired|"
        r"\bSSO (?:session|login) has expired(?! or is)|token for \S{1,300} has expired|"
        r"SSO token: token is expired",
        *_RENEWAL,
        keys.SIGNED_OUT,  # Go, Java and Ruby say the same when there is no token file
    ),
    seen(
        "Value not present for 'refreshToken' in SSO Token. Cannot refresh.",
        r"Value not present for '(?:refreshToken|clientId|clientSecret)' in SSO Token",
        keys.SESSION_WITHOUT_SCOPES,
        files.LEGACY_PROFILES,
        keys.SIGN_IN_ENDED,
    ),
    seen(
        "An error occurred (UnauthorizedException) when calling the GetRoleCredentials operation: "
        "Session token not found or invalid",
        r"\bUnauthorizedException|session token not found or invalid",
        *_RENEWAL,
        general=True,
    ),
    seen(
        "An error occurred (InvalidGrantException) when calling the CreateToken operation",
        r"InvalidGrantException|\binvalid_grant\b|invalid refresh token",
        *_RENEWAL,
        general=True,
    ),
    seen(
        "An error occurred (UnauthorizedClientException) when calling the StartDeviceAuthorization operation",
        r"\b(?:Invalid|Unauthorized)ClientException|\b(?:invalid|unauthorized)_client\b",
        keys.REGISTRATION_ENDED,
        keys.SIGN_IN_ENDED,
        general=True,
    ),
    seen(
        "An error occurred (InvalidRequestException) when calling the StartDeviceAuthorization operation",
        r"InvalidRequestException\) when calling the (?:StartDeviceAuthorization|RegisterClient|CreateToken)|"
        r"OIDC: (?:StartDeviceAuthorization|RegisterClient|CreateToken).{0,300}InvalidRequestException",
        keys.START_URL_WRONG,
        keys.TOKEN_OF_OTHER_SESSION,
    ),
    seen(
        "Pending authorization to retrieve an SSO token has expired.",
        r"pending authori[sz]ation .{0,60}has expired|"
        r"ExpiredTokenException\) when calling the CreateToken|"
        r"OIDC: CreateToken.{0,300}ExpiredTokenException",
        keys.SIGN_IN_TIMED_OUT,
        around.LOOPBACK_ELSEWHERE,
        around.BROWSER_MISSING,
    ),
    seen(
        "Error loading authorization code: Failed to retrieve an authorization code.",
        r"(?:error loading|failed to retrieve an) authori[sz]ation code|"
        r"AccessDeniedException\) when calling the CreateToken|"
        r"OIDC: CreateToken.{0,300}AccessDeniedException",
        keys.SIGN_IN_REFUSED,
        around.LOOPBACK_ELSEWHERE,
    ),
    seen(
        "An error occurred (ForbiddenException) when calling the GetRoleCredentials operation: No access",
        r"\bForbiddenException|GetRoleCredentials operation: No access|"
        r"ResourceNotFoundException\) when calling the GetRoleCredentials|"
        r"SSO: GetRoleCredentials.{0,300}ResourceNotFoundException",
        keys.ROLE_REFUSED,
        general=True,
    ),
    seen(
        "aws: [ERROR]: 'roleCredentials'",
        r"'roleCredentials'|KeyError: .?roleCredentials|SSO returns an invalid temporary credential",
        around.CAPTIVE_PORTAL,
    ),
    seen(
        "Your session has expired or credentials have changed. Please reauthenticate using 'aws login'.",
        r"reauthenticate (?:using|with) 'aws login'|Error loading login session token|"
        r"Unable to create or refresh login credentials|redeeming a login authorization code",
        keys.LOGIN_SESSION_ENDED,
    ),
    seen(
        "Attempting to open the SSO authorization page in your default browser. ... "
        "gio: Operation not supported",
        r"could not (?:locate|open) .{0,30}browser|no (?:usable|web) browser|"
        r"browser (?:could not be|was not|did not) open|gio: .{0,300}operation not supported|"
        r"xdg-open: (?:no|unexpected|unable)|Failed to open (?:the )?browser",
        around.BROWSER_MISSING,
        around.LOOPBACK_ELSEWHERE,
    ),
    seen(
        "This site can't be reached: 127.0.0.1 refused to connect",
        r"(?:127\.0\.0\.1|localhost)(?::\d+)? refused|127\.0\.0\.1\S{0,300}/oauth/callback",
        around.LOOPBACK_ELSEWHERE,
    ),
    seen(
        "aws: error: argument operation: Invalid choice ... login (`aws sso login`)",
        r"Invalid choice.{0,600}\b(?:sso|login|export-credentials)\b|invalid choice: 'sso'",
        around.AWS_CLI_OLD,
    ),
)
"""More than one may fit a text; each stands for itself."""
