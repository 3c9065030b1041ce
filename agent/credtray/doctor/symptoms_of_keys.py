"""The error texts of keys that have ended, are wrong or missing, and of what a role may not do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from credtray.doctor import finding_texts_around as around
from credtray.doctor import finding_texts_of_files as files
from credtray.doctor import finding_texts_of_keys as keys
from credtray.doctor.findings import FindingKind

# What one error text of the table is, and how texts are compared with it.
#
# Nothing here looks at how things are on a computer; see ``explanation`` for that.


@dataclass(frozen=True, slots=True)
class Symptom:
    """One error text, in the words of all programs that say the same."""

    text: str
    """As people see it, for the reference; ``...`` stands for names."""
    pattern: re.Pattern[str]
    """Searched in the text with all blanks made one."""
    squeezed: re.Pattern[str]
    """The same for a text without any blank: a terminal wraps lines in the middle of words."""
    causes: tuple[FindingKind, ...]
    """The most likely one first, as long as nothing is known of this computer."""
    wraps: bool
    """It only says that something failed; what it quotes is the cause, where it quotes something known."""
    general: bool
    """Programs that have nothing to do with AWS say it as well; see ``foreign``."""


_NAME = re.compile(r"(?<![\w\\])(?:[A-Z][a-z]+){2,}")
"""The name of an error: without the blanks of a sentence, "access denied" would be one."""


def seen(text: str, words: str, *causes: FindingKind, wraps: bool = False, general: bool = False) -> Symptom:
    """Return one row of the table.

    Args:
        text: for the reference.
        words: a regular expression; a blank in it stands for any blanks, in a wrapped line for none. It must
            have no blank in a set of characters.
        causes: the most likely first.
        wraps: see ``Symptom``.
        general: see ``Symptom``.
    """
    pattern = re.compile(words, re.IGNORECASE)
    squeezed = re.compile(_NAME.sub(_as_written, words.replace(" ", "").replace(r"\b", "")), re.IGNORECASE)
    return Symptom(text, pattern, squeezed, causes, wraps, general)


def _as_written(name: re.Match[str]) -> str:
    return f"(?-i:{name[0]}|{name[0].upper()})"


_STALE = (
    keys.KEYS_EXPIRED,
    files.ENVIRONMENT_KEYS,
    keys.STALE_KEYS,
    keys.FOREIGN_KEYS_ENDED,
    keys.TEMPORARY_SHADOW,
    keys.OLD_TOKEN,
    keys.SIGN_IN_ENDED,
    keys.SIGNED_OUT,
    around.CLOCK_OFF,
)
_NO_KEYS = (
    keys.NO_KEYS_FOUND,
    keys.SIGNED_OUT,
    keys.SIGN_IN_ENDED,
    files.PROFILE_UNKNOWN,
    files.EMPTY_FILE_VARIABLE,
    files.NOTHING_CONFIGURED,
    files.SECTION_IGNORED,
    files.PROFILE_INCOMPLETE,
    files.PROGRAM_WITHOUT_SSO,
)
_NOT_OF_A_SIGN_IN = r"(?!\) when calling the (?:CreateToken|AssumeRoleWithWebIdentity)|: Token is expired)"

OF_KEYS = (
    seen(
        "An error occurred (ExpiredToken) when calling the ... operation: The security token included in the "
        "request is expired",
        rf"(?<!OIDC: CreateToken, )(?<!sso\.auth\.)\bExpiredToken(?:Exception)?+\b{_NOT_OF_A_SIGN_IN}|"
        r"security token included in the request is expired|The provided token has expired",
        *_STALE,
    ),
    seen(
        "fatal: unable to access 'https://git-codecommit. ...': The requested URL returned error: 403",
        r"git-codecommit[.-]\S{0,300} .{0,60}error: 40[13]",
        keys.KEYS_EXPIRED,
        files.ENVIRONMENT_KEYS,
        keys.STALE_KEYS,
        keys.SIGN_IN_ENDED,
        keys.ACCESS_DENIED,
        around.CLOCK_OFF,
    ),
    seen(
        "Credentials were refreshed, but the refreshed credentials are still expired.",
        r"refreshed credentials are still expired",
        keys.STALE_KEYS,
        around.CLOCK_OFF,
        files.ENVIRONMENT_KEYS,
    ),
    seen(
        "An error occurred (InvalidClientTokenId) when calling the ... operation: "
        "The security token included in the request is invalid",
        r"InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId\b|"
        r"security token included in the request is invalid|"
        r"The AWS Access Key Id you provided does not exist|"
        r"not able to validate the provided access credentials",
        keys.OLD_TOKEN,
        files.ENVIRONMENT_KEYS,
        keys.KEYS_SHADOW,
        keys.TEMPORARY_SHADOW,
        keys.KEYS_UNKNOWN,
    ),
    seen(
        "An error occurred (SignatureDoesNotMatch) when calling the ... operation: Signature expired: ... is "
        "now earlier than ...",
        r"RequestExpired|RequestTimeTooSkewed|signature (?:expired|not yet current)|"
        r"request has expired|request time.{0,40}too skewed|difference between the request time",
        around.CLOCK_OFF,
        keys.KEYS_EXPIRED,
    ),
    seen(
        "An error occurred (SignatureDoesNotMatch) when calling the ... operation: The request signature we "
        "calculated does not match the signature you provided.",
        r"(?:SignatureDoesNotMatch|IncompleteSignature|InvalidSignatureException)"
        r"(?!.{0,200}signature (?:expired|not yet current))",
        around.CLOCK_OFF,
        files.HALF_ENVIRONMENT_KEYS,
        keys.HALF_KEYS,
        keys.KEYS_SHADOW,
    ),
    seen(
        "An error occurred (AccessDenied) when calling the ... operation: ... is not authorized to perform",
        rf"(?<!OIDC: CreateToken, )\bAccessDenied(?:Exception)?+\b{_NOT_OF_A_SIGN_IN}"
        r"(?!.{0,200}MultiFactorAuthentication failed)|UnauthorizedOperation|"
        r"\(403\) when calling the \w{1,80} operation: Forbidden|"
        r"is not authori[sz]ed to perform",
        keys.ACCESS_DENIED,
        general=True,
    ),
    seen(
        "Error: Cannot assume IAM Role",
        r"could not be used to assume 'arn:|Cannot assume IAM Role|IAM Role \(.{0,300}?\) cannot be assumed",
        keys.ACCESS_DENIED,
        keys.SIGN_IN_ENDED,
        keys.KEYS_EXPIRED,
        wraps=True,
    ),
    seen(
        "Partial credentials found in ..., missing: aws_secret_access_key",
        r"partial credentials found (?:in|for) (?!assume-role)",
        keys.HALF_KEYS,
        files.HALF_ENVIRONMENT_KEYS,
    ),
    seen(
        "Unable to locate credentials. You can configure credentials by running ...",
        r"unable to locate (?:AWS )?credentials|NoCredentialsError|NoCredentialProviders|"
        r"could not load (?:credentials|token) from any provider|no valid providers in chain|"
        r"no valid credential sources(?: for .{0,60}?)? found|"
        r"unable to load (?:AWS )?credentials from (?:any|system settings)|"
        r"no EC2 IMDS role found|unable to get IAM security credentials from EC2|"
        r"failed to resolve AWS credentials|no providers in chain provided credentials|"
        r"credential provider was not enabled|unable to sign request without credentials set|"
        r"Error retrieving credentials from the instance profile|static credentials are empty|"
        r"could not (?:determine how to )?establish security credentials|"
        r"no credentials have been configured|unable to resolve AWS account to use|"
        r"does not have credentials configured|contained no credentials for profile|"
        r"No AWS Credentials provided by|Missing ?Authentication ?Token\b|"
        r"Unable to find environment variable credentials|AWS Credentials are required|"
        r"Cannot read credentials from|SharedCredsLoad|Missing credentials in config(?!, if)|"
        r"AWS (?:provider )?credentials (?:were )?not found|No AWS credentials (?:were )?found|"
        r"EnvAccessKeyNotFound|failed to find credentials in the environment|"
        r"no EC2 instance role found|EC2RoleRequestError",
        *_NO_KEYS,
        wraps=True,
    ),
    seen(
        "failed to refresh cached credentials, ...",
        r"failed to refresh cached credentials|failed to retrieve credentials|get credentials: failed to|"
        r"Failed to get credentials for|unable to validate AWS (?:credentials|AccessKeyID)|"
        r"Invalid credentials configured|checking AWS STS access|"
        r"error (?:validating|configuring) (?:provider credentials|Terraform AWS Provider|S3 Backend)|"
        r"Retrieving AWS account details|Unable to determine the default AWS account|"
        r"Failed to create managed resources",
        keys.NO_KEYS_FOUND,
        keys.SIGNED_OUT,
        keys.SIGN_IN_ENDED,
        keys.KEYS_EXPIRED,
        files.PROFILE_UNKNOWN,
        files.PROFILE_INCOMPLETE,
        wraps=True,
    ),
    seen(
        "Need to perform AWS calls for account ..., but the current credentials are for ...",
        r"but the current credentials are for",
        keys.OTHER_ACCOUNT,
        files.PROFILE_VARIABLES,
        files.ENVIRONMENT_KEYS,
    ),
    seen(
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        r"denied: Your authorization token has expired|no basic auth credentials|"
        r"\.dkr\.ecr\..{0,300}?: 40[13] (?:Forbidden|Unauthorized)",
        keys.REGISTRY_LOGIN_ENDED,
    ),
    seen(
        'error getting credentials - err: exec: "docker-credential-ecr-login": executable file not found in '
        "$PATH",
        r"docker-credential-ecr-login\W{0,6} executable file not found|"
        r"error getting credentials - err: .{0,200}|credentials not found in native keychain",
        keys.REGISTRY_LOGIN_ENDED,
        wraps=True,
        general=True,
    ),
    seen(
        "ecr: Failed to get authorization token: ...",
        r"ecr: Failed to get authorization token|Error fetching ECR credentials|"
        r"Cannot perform an interactive login from a non TTY device",
        *_NO_KEYS,
        wraps=True,
    ),
    seen(
        "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code "
        "255",
        r"exec: executable (?:\S{0,300}[/\\])?(?:aws(?:\.exe)?|aws-iam-authenticator) failed|"
        r"exec: exit status \d+.{0,80}eks|aws-vault: error: exec: |\baws failed with exit code",
        keys.SIGN_IN_ENDED,
        keys.SIGNED_OUT,
        files.PROFILE_UNKNOWN,
        files.ENVIRONMENT_KEYS,
        keys.STALE_KEYS,
        keys.NO_KEYS_FOUND,
        wraps=True,
    ),
    seen(
        "error: You must be logged in to the server (Unauthorized)",
        r"You must be logged in to the server|the server has asked for the client to provide credentials",
        keys.CLUSTER_REFUSED,
        wraps=True,
    ),
    seen(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        r"DurationSeconds exceeds the|'durationSeconds' failed to satisfy constraint|"
        r"session limit for roles assumed by role chaining",
        files.DURATION_TOO_LONG,
    ),
    seen(
        "Error when retrieving credentials from container-role: ...",
        r"credentials from container-role|non.200 response .{0,20}from container metadata|"
        r"container metadata credential provider cannot be used|"
        r"is not a valid container metadata service|CredentialsEndpointError|"
        r"EcsContainer was specified as the credential_source, but",
        keys.ENDPOINT_REFUSED,
    ),
)
"""More than one may fit a text; each stands for itself."""


# The error texts of a sign-in that is missing, has ended or was refused, and of the token file.


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

OF_SIGN_IN = (
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
