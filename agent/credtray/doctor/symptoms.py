"""Which error texts people see, and what may stand behind each: the troubleshooting FAQ as a table.

The texts are those of the sources of botocore, the AWS CLI, the SDKs for Go (both), JavaScript (both), Java,
.NET, Rust, PHP and Ruby, of Terraform, Pulumi, CDK, SAM, eksctl, kubectl, Packer, Docker and its ECR helper,
git-remote-codecommit, aws-vault and s3fs; ``tests/fixtures/error_texts.txt`` names the source of each.
Nothing here looks at how things are; see ``explanation`` for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credtray.doctor import finding_texts_around as around
from credtray.doctor import finding_texts_of_files as files
from credtray.doctor import finding_texts_of_keys as key_causes
from credtray.doctor import symptoms_of_keys as keys
from credtray.doctor import symptoms_of_keys as sign_in
from credtray.doctor.findings import FindingKind
from credtray.doctor.symptoms_of_keys import Symptom, seen

# The error texts of the way to AWS: names, proxies, certificates, and AWS itself.


_ENDPOINT = r"(?:amazonaws\.com|awsapps\.com|\bapi\.aws\b)"
_NO_WAY = (
    r"(?:server misbehaving|i/o timeout|TLS handshake timeout|connection (?:refused|reset|timed out)|"
    r"failed to establish a new connection|context deadline exceeded)"
)
"""Everybody says so; it is our matter where a host of AWS stands beside it."""

OF_THE_WAY = (
    seen(
        "An error occurred (TooManyRequestsException) when calling the GetRoleCredentials operation",
        r"TooManyRequestsException|SlowDownException|HTTP 429|Rate exceeded|\bThrottling",
        around.THROTTLED,
        general=True,
    ),
    seen(
        "An error occurred (InternalServerException) when calling the ... operation",
        r"InternalServer(?:Error|Exception)|\bServiceUnavailable|status ?code: 50[0-4]\b",
        around.SERVICE_FAILED,
        general=True,
    ),
    seen(
        "SSL validation failed for ... [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        r"CERTIFICATE_VERIFY_FAILED|SSL validation failed for .{0,2000}?\[SSL|x509: certificate|"
        r"SELF_SIGNED_CERT|unable to get (?:local )?issuer cert|UNABLE_TO_VERIFY_LEAF_SIGNATURE|"
        r"PKIX path building failed|UNABLE_TO_GET_ISSUER_CERT|self.signed certificate in certificate chain|"
        r"InvalidCertificate\(UnknownIssuer\)",
        around.CERTIFICATE_REFUSED,
        around.CLOCK_OFF,
        general=True,
    ),
    seen(
        'Failed to connect to proxy URL: "..."',
        r"failed to connect to proxy|ProxyConnectionError|proxyconnect|tunnel connection failed|"
        r"proxy authentication required",
        around.PROXY_REFUSED,
        general=True,
    ),
    seen(
        "Could not find a suitable TLS CA certificate bundle, invalid path: ...",
        r"suitable TLS CA certificate bundle|CA bundle .{0,500}cannot be read|"
        r"SSL validation failed for .{0,2000}?\[Errno 2\]",
        around.BUNDLE_MISSING,
        general=True,
    ),
    seen(
        'Could not connect to the endpoint URL: "https://..."',
        r"could not connect to the endpoint|(?:connect|read) timeout on endpoint|no such host|"
        r"\b(?-i:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT)\b|connection was closed before|"
        r"name or service not known|UnknownHostException|dispatch failure: io error|"
        r"No such host is known|failed to lookup address information|Could not resolve host|"
        rf"{_ENDPOINT}.{{0,300}}{_NO_WAY}|{_NO_WAY}.{{0,300}}{_ENDPOINT}",
        around.UNREACHABLE,
        around.PROXY_REFUSED,
        general=True,
    ),
)
"""More than one may fit a text; each stands for itself."""


# The error texts of profiles that are unknown or incomplete, and of programs a profile names.


_OF_BOTOCORE = r"^|^FileNotFoundError: |aws: |\[ERROR\]: |botocore.{0,300}?"
"""What precedes an error of Python that botocore let through: nothing, in the last line of it."""

OF_FILES = (
    seen(
        "Unable to parse config file: .../.aws/config",
        r"unable to parse config file|ConfigParseError|SharedConfigLoadError|"
        r"failed to load (?:shared config file|config file, )|Invalid credentials file: |"
        r"error parsing (?:the )?(?:shared|AWS) (?:config|credentials) file|"
        r"(?:DuplicateSection|DuplicateOption|MissingSectionHeader|Parsing)Error: .{0,300}[/\\]\.aws[/\\]|"
        r"Expected an '=' sign defining a property on line|Profile definition must end with '\]' on line",
        files.FILE_UNPARSABLE,
        files.DUPLICATE_SECTION,
        files.FILE_UNREADABLE,
    ),
    seen(
        "The config profile (...) could not be found",
        r"config profile \(.{0,600}?\) could not be found|failed to get shared config profile|"
        r"SharedConfigProfileNotExist|could not resolve credentials using profile: \[|"
        r"\bprofile '?.{1,200}?'? could not be found in shared credentials file|"
        r"\bexceptions\.ProfileNotFound|\bProfile \S{1,200} was not found|"
        r"The following profile was not found|"
        r"'.{1,200}?' not found in credentials file|Aws::Errors::NoSuchProfileError|"
        r"profile `.{1,200}?['`] (?:was not defined|not found in)",
        files.PROFILE_UNKNOWN,
        files.EMPTY_FILE_VARIABLE,
        files.SECTION_IGNORED,
        files.PROFILE_INCOMPLETE,
    ),
    seen(
        'The profile "..." is configured to use SSO but is missing required configuration: ...',
        r"is configured to use SSO but is missing required|missing the following required SSO|"
        r"is inconsistent between profile|sso_(?:start_url|region).{0,80} is defined as|"
        r"Missing required field: sso_|is configured to use the SSO token provider but|"
        r'SSO session ".{0,200}?" referenced in .{0,200}? does not exist|'
        r"sso-session .{0,300}?(?:does not exist|not found)|"
        r"Sso session '.{0,200}?' (?:could not be found|is missing required property)|"
        r"Profile '.{0,200}?' is missing required property 'sso_session'|"
        r"Sso-session section not found with sso-session title|"
        r"profile is configured with invalid SSO (?:parameters|credentials)|"
        r"Profile \S{1,200} (?:with session \S{1,200} )?(?:is not configured with|does not have valid) SSO|"
        r"Conflicting SSO (?:region|start_url) configurations|Incomplete configuration\. The fromSSO|"
        r"Profile property 'sso_\w{1,30}' was not configured|"
        r"must contain the following keys: sso_start_url",
        files.PROFILE_INCOMPLETE,
        files.PROGRAM_WITHOUT_SSO,
    ),
    seen(
        "Partial credentials found in assume-role, missing: source_profile or credential_source",
        r"partial credentials found in assume-role|"
        r"source_profile .{0,200}? (?:referenced in .{0,200}?|using profile \S{1,200} )does not exist|"
        r"Infinite loop in credential configuration|Circular source_profile reference|"
        r"Detected a cycle attempting to resolve credentials|"
        r"credential_source .{0,200}?(?:is not valid|no source provider was configured)|"
        r"contains both source_profile and credential_source|"
        r"Either source_profile or credential_source must be set|"
        r"No credentials found in credential_source|CredentialRequiresARN|requires role_arn, profile|"
        r"source profile has no shared credentials|could not find source profile|SharedConfigAssumeRoleError|"
        r"Unsupported credential source in profile|credential_source values must be",
        files.PROFILE_INCOMPLETE,
    ),
    seen(
        "Cannot refresh credentials: MFA token required.",
        r"MFA token required|no MFA code callback was provided|assume role with MFA enabled|"
        r"AssumeRoleTokenProviderNotSet|MultiFactorAuthentication failed",
        files.MFA_NEEDED,
    ),
    seen(
        "You must specify a region. You can also configure your region by running ...",
        r"must specify a region(?! of)|\bmissing ?region\b(?! (?:attribute|name|tag|field|label|key)\b)|"
        r"region is missing(?! (?:from|in|on)\b)|could not find region configuration|"
        r"unable to load region from any|No RegionEndpoint or ServiceURL configured|"
        r"does not have an AWS Region|an AWS region is required",
        files.REGION_MISSING,
    ),
    seen(
        "[Errno 2] No such file or directory: '...'",
        rf"(?:{_OF_BOTOCORE})\[Errno 2\] No such file or directory: '|(?:{_OF_BOTOCORE})\[WinError 2\]",
        files.PROCESS_MISSING,
        general=True,
    ),
    seen(
        "Error when retrieving credentials from custom-process: ...",
        r"credentials from custom-process|error in credential_process|ProcessProviderExecutionError|"
        r"credential_process.{0,80}fail|credential_process (?:did not|does not|returned)|"
        r"executing credential process|process provider error",
        files.PROCESS_MISSING,
        files.PROCESS_FAILED,
        key_causes.SIGN_IN_ENDED,
        key_causes.SIGNED_OUT,
        wraps=True,
    ),
    seen(
        "To use Sso related properties in the '...' profile, the 'sso' service module must be on the class "
        "path.",
        r"'(?:sso|ssooidc)' service module must be on the class ?path|"
        r"Assembly AWSSDK\.SSO(?:OIDC)? could not be found|"
        r"cargo feature\(?s?\)? enabled: (?:sso|credentials-sso)|did not include credential process|"
        r"set AWS_SDK_LOAD_CONFIG",
        files.PROGRAM_WITHOUT_SSO,
    ),
    seen(
        "exec: executable aws not found",
        r"exec: executable aws(?:\.exe)? not found|exec: \W{0,4}aws\W{0,4}: executable file not found|"
        r"\baws: (?:command )?not found|command not found: aws\b(?!-)|\benv: .?aws.?: No such file|"
        r"'aws' is not recognized as",
        around.AWS_CLI_MISSING,
    ),
)
"""More than one may fit a text; each stands for itself."""


# Whose error a text is when it is not one of AWS: other services have tokens that expire, too.


_AWS = re.compile(
    r"amazonaws|awsapps|api\.aws\b|(?<![@\w/-])aws-(?:vault|cli|cdk|sso|iam)|(?<![@\w/-])aws(?![\w-])|botocore|boto3|\bSSO\b(?!\.)|\barn:aws|"
    r"software\.amazon|Amazon\.Runtime|credential_process|GetRoleCredentials|CreateToken|GetCallerIdentity|\bSTS\b|codecommit",
    re.IGNORECASE,
)

_OTHERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(words, re.IGNORECASE))
    for name, words in (
        ("npm", r"\bnpm (?:err!|error|warn)|\byarn (?:error|install)|\bpnpm\b"),
        ("pip", r"\bpip\b|\bpoetry\b"),
        ("SSH", r"permission denied \(publickey|\bssh: |host key verification failed|kex_exchange|\bsshd?\b"),
        ("GitHub", r"github|\bgh auth\b|bad credentials"),
        ("GitLab", r"gitlab"),
        ("Bitbucket", r"bitbucket"),
        ("HashiCorp Vault", r"(?<!aws-)\bvault\b"),
        ("Google Cloud", r"\bgcloud\b|googleapis|google\.auth|\bgke\b|gke-gcloud|\bgsutil\b"),
        ("Azure", r"\bAADSTS|\baz login\b|\bazure\b|microsoftonline"),
        (
            "Kubernetes",
            r"\bkubectl\b|\bkubelet\b|\bkubernetes\b|\bhelm\b|\boidc: |\bpods? is forbidden|\bkube-",
        ),
        ("Docker", r"docker\.io|\bdocker hub\b|toomanyrequests: |\bpull access denied"),
        ("Git", r"\bfatal: |\bgit (?:push|pull|fetch|clone)\b"),
        ("a database", r"\bpsql\b|\bpostgres|\bmysql|\bredis|\bmongo|\bORA-\d|:(?:5432|3306|6379|27017)\b"),
        ("Keycloak", r"\bkeycloak\b"),
        ("Okta", r"\bokta\b"),
        ("OpenAI", r"\bopenai\b"),
        ("a package repository", r"\bcargo\b|crates\.io|\bmaven\b|\bgradle\b|\bapt(?:-get)?\b|\bconda\b"),
        ("a package repository", r"rubygems|proxy\.golang\.org|\bnuget\b|debian\.org|ubuntu\.com"),
    )
)


def about_aws(text: str) -> bool:
    """Tell whether a text names anything of AWS."""
    return _AWS.search(text) is not None


def whose(text: str) -> str | None:
    """Return who else a text comes from, in a person's words; None where nothing says so."""
    return next((name for name, pattern in _OTHERS if pattern.search(text)), None)


SYMPTOMS = (*sign_in.OF_SIGN_IN, *keys.OF_KEYS, *OF_FILES, *OF_THE_WAY)
"""More than one may fit a text; each stands for itself."""


def fitting(text: str, *, lines: bool = False) -> tuple[Symptom, ...]:
    """Return the symptoms in a text, the outermost first: what follows is its detail.

    What only wraps another comes after everything it quotes, the innermost first.

    Args:
        text: with single blanks; see ``pasted.readable``.
        lines: there were several lines, so that words may be broken.
    """
    together = text.replace(" ", "")
    found = list(_found(text, together, broken=lines)) or list(_found(text, together, broken=True))
    if whose(text) is not None and not about_aws(text):
        found = [(at, item) for at, item in found if not item.general]
    return tuple(item for _, item in sorted(found, key=_place))


def _found(text: str, together: str, *, broken: bool) -> Iterator[tuple[int, Symptom]]:
    for item in SYMPTOMS:
        match = item.squeezed.search(together) if broken else item.pattern.search(text)
        if match is not None:
            yield match.start(), item


def _place(found: tuple[int, Symptom]) -> tuple[bool, int]:
    at, item = found
    return item.wraps, -at if item.wraps else at


def texts_of(kind: FindingKind) -> tuple[str, ...]:
    """Return the error texts that people see when this is the cause."""
    return tuple(item.text for item in SYMPTOMS if kind in item.causes)
