"""The error texts of profiles that are unknown or incomplete, and of programs a profile names."""

from __future__ import annotations

from credtray.core.diagnosis import causes_around as around
from credtray.core.diagnosis import causes_of_files as files
from credtray.core.diagnosis import causes_of_keys as keys
from credtray.core.diagnosis.symptom import seen

_OF_BOTOCORE = r"^|^FileNotFoundError: |aws: |\[ERROR\]: |botocore.{0,300}?"
"""What precedes an error of Python that botocore let through: nothing, in the last line of it."""

SYMPTOMS = (
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
        keys.SIGN_IN_ENDED,
        keys.SIGNED_OUT,
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
