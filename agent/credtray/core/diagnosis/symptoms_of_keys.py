"""The error texts of keys that have ended, are wrong or missing, and of what a role may not do."""

from __future__ import annotations

from credtray.core.diagnosis import causes_around as around
from credtray.core.diagnosis import causes_of_files as files
from credtray.core.diagnosis import causes_of_keys as keys
from credtray.core.diagnosis.symptom import seen

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
    files.NOTHING_CONFIGURED,
    files.SECTION_IGNORED,
    files.PROFILE_INCOMPLETE,
    files.PROGRAM_WITHOUT_SSO,
)
_NOT_OF_A_SIGN_IN = r"(?!\) when calling the (?:CreateToken|AssumeRoleWithWebIdentity)|: Token is expired)"

SYMPTOMS = (
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
