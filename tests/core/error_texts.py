"""Error texts as programs print them, with the project whose source each comes from.

``reported`` stands for a text that was found in public reports only. Account numbers, names, hashes, request ids
and paths are made up.
"""

from __future__ import annotations

from dataclasses import dataclass

HASH = "76caebab2d9994335a70389d349a1946ada71268"
CACHE = f"/home/u/.aws/sso/cache/{HASH}.json"
WINDOWS_CACHE = rf"C:\Users\Ute Rahn\.aws\sso\cache\{HASH}.json"
REQUEST = "RequestID: 0d4e1790-655d-4a90-9033-afac4ff33c6e"
GO_1 = f"SSOProviderInvalidToken: the SSO session has expired or is invalid\ncaused by: open {CACHE}: no such file or directory"  # noqa: E501 -- as it is printed


@dataclass(frozen=True)
class ErrorText:
    """One text; ``cause`` is what stands behind it as long as nothing is known of the computer."""

    source: str
    text: str
    cause: str


def _of(source: str, *rows: tuple[str, str]) -> tuple[ErrorText, ...]:
    return tuple(ErrorText(source, text, cause) for cause, text in rows)


GO = (
    *_of(
        "aws/aws-sdk-go-v2: credentials/ssocreds",
        ("signed_out", "Error: failed to refresh cached credentials, the SSO session has expired or is invalid: "
         "open /home/u/.aws/sso/cache/0.json: no such file or directory"),
        ("signed_out", f"the SSO session has expired or is invalid: failed to read cached SSO token file, open "
         f"{WINDOWS_CACHE}: The system cannot find the file specified."),
        ("signed_out", f"failed to read cached SSO token file, open {CACHE}: no such file or directory"),
        ("sign_in_ended", "operation error S3: ListBuckets, get identity: get credentials: failed to refresh cached "
         "credentials, the SSO session has expired or is invalid"),
        ("sign_in_ended", "refresh cached SSO token failed, unable to refresh SSO token, operation error SSO OIDC: "
         f"CreateToken, https response error StatusCode: 400, {REQUEST}, InvalidGrantException: "),
        ("sign_in_ended", "cached SSO token is expired, or not present, and cannot be refreshed"),
        ("token_unreadable", "the SSO session has expired or is invalid: cached SSO token must contain accessToken "
         "and expiresAt fields"),
        ("token_unreadable", "failed to parse cached SSO token file, unexpected end of JSON input"),
    ),
    *_of(
        "aws/aws-sdk-go-v2: service/sso, service/ssooidc, service/sts",
        ("role_refused", f"operation error SSO: GetRoleCredentials, https response error StatusCode: 403, {REQUEST}, "
         "ForbiddenException: No access"),
        ("sign_in_ended", f"operation error SSO: GetRoleCredentials, https response error StatusCode: 401, {REQUEST}, "
         "UnauthorizedException: Session token not found or invalid"),
        ("keys_expired", f"operation error STS: GetCallerIdentity, https response error StatusCode: 403, {REQUEST}, "
         "api error ExpiredToken: The security token included in the request is expired"),
        ("old_security_token", "operation error STS: GetCallerIdentity, https response error StatusCode: 403, "
         f"{REQUEST}, api error InvalidClientTokenId: The security token included in the request is invalid."),
        ("access_denied", f"operation error S3: ListBuckets, https response error StatusCode: 403, {REQUEST}, HostID: "
         "x, api error AccessDenied: Access Denied"),
        ("registration_ended", "operation error SSO OIDC: StartDeviceAuthorization, https response error StatusCode: "
         f"400, {REQUEST}, UnauthorizedClientException: "),
        ("start_url_wrong", "operation error SSO OIDC: StartDeviceAuthorization, https response error StatusCode: "
         f"400, {REQUEST}, InvalidRequestException: "),
    ),
    *_of(
        "aws/aws-sdk-go-v2: config, credentials, aws",
        ("profile_unknown", "failed to get shared config profile, dev"),
        ("profile_incomplete", 'profile "dev" is configured to use SSO but is missing required configuration: '
         "sso_region, sso_start_url"),
        ("profile_incomplete", "failed to load assume role for arn:aws:iam::111100000001:role/x, source profile has "
         "no shared credentials"),
        ("profile_incomplete", "credential_source values must be EcsContainer, Ec2InstanceMetadata, or Environment"),
        ("mfa_needed", "assume role with MFA enabled, but AssumeRoleTokenProvider session option not set."),
        ("endpoint_refused", "EcsContainer was specified as the credential_source, but "
         "'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI' was not set"),
        ("no_keys_found", "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: "
         "GetMetadata, request canceled, context deadline exceeded"),
        ("no_keys_found", "static credentials are empty"),
        ("credential_process_missing", "failed to refresh cached credentials, process provider error: error in "
         "credential_process: exit status 127"),
        ("file_unparsable", "failed to load shared config file, /home/u/.aws/config, invalid state with ASTKind"),
    ),
    *_of(
        "aws/aws-sdk-go: aws/session, aws/credentials (version 1)",
        ("signed_out", GO_1),
        ("sign_in_ended", "SSOProviderInvalidToken: .."),
        ("sign_in_ended", "SSOProviderInvalidToken: the SSO session has expired or is invalid"),
        ("no_keys_found", "NoCredentialProviders: no valid providers in chain. Deprecated.\n\tFor verbose messaging "
         "see aws.Config.CredentialsChainVerboseErrors"),
        ("profile_unknown", "SharedConfigProfileNotExistsError: failed to get profile, dev"),
        ("file_unparsable", "SharedConfigLoadError: failed to load config file, /home/u/.aws/config"),
        ("profile_incomplete", "CredentialRequiresARNError: credential type source_profile requires role_arn, profile "
         "dev"),
        ("profile_incomplete", "SharedConfigAssumeRoleError: failed to load assume role for x, source profile has no "
         "shared credentials"),
        ("region_missing", "MissingRegion: could not find region configuration"),
        ("unreachable", 'RequestError: send request failed\ncaused by: Post "https://sts.eu-west-1.amazonaws.com/": '
         "dial tcp: lookup sts.eu-west-1.amazonaws.com: no such host"),
        ("credential_process_missing", "ProcessProviderExecutionError: error in credential_process\ncaused by: exit "
         "status 1"),
        ("no_keys_found", "EmptyStaticCreds: static credentials are empty"),
    ),
)  # fmt: skip

INFRASTRUCTURE = (
    *_of(
        "hashicorp/aws-sdk-go-base, hashicorp/terraform-provider-aws, hashicorp/terraform",
        ("no_keys_found", "no valid credential sources for Terraform AWS Provider found"),
        ("no_keys_found", "Error: No valid credential sources found\n\nPlease see https://registry.terraform.io/"
         "providers/hashicorp/aws\nfor more information about providing credentials."),
        ("signed_out", "╷\n│ Error: error configuring S3 Backend: no valid credential sources for S3 Backend found.\n│ "
         f"\n│ Please see https://www.terraform.io/docs/language/settings/backends/s3.html\n│ \n│ Error: {GO_1}\n╵"),
        ("sign_in_ended", "│ Error: No valid credential sources found\n│ \n│   with provider[\"registry.terraform.io/"
         "hashicorp/aws\"],\n│   on main.tf line 9, in provider \"aws\":\n│    9: provider \"aws\" {\n│ \n│ Error: failed "
         "to refresh cached credentials, refresh cached SSO token failed, unable to refresh\n│ SSO token, operation "
         f"error SSO OIDC: CreateToken, https response error StatusCode: 400, {REQUEST},\n│ InvalidGrantException:"),
        ("keys_expired", "Error: Retrieving AWS account details: validating provider credentials: retrieving caller "
         f"identity from STS: operation error STS: GetCallerIdentity, https response error StatusCode: 403, {REQUEST}"
         ", api error ExpiredToken: The security token included in the request is expired"),
        ("access_denied", "Error: Cannot assume IAM Role\n\nIAM Role (arn:aws:iam::111100000001:role/x) cannot be "
         "assumed.\n\nThere are a number of possible causes of this - the most common are:"),
        ("region_missing", "Error: Invalid provider configuration: missing region"),
        ("profile_unknown", "Error: configuring Terraform AWS Provider: loading configuration: failed to get shared "
         "config profile, dev"),
    ),
    *_of(
        "pulumi/pulumi-aws",
        ("no_keys_found", "error: unable to validate AWS credentials.\nDetails: no valid credential sources for Pulumi "
         "AWS Classic found."),
        ("no_keys_found", "error: pulumi:providers:aws resource 'default_6_18_2' has a problem: Invalid credentials "
         "configured."),
        ("region_missing", "error: pulumi:providers:aws resource 'default_6_18_2' has a problem: missing region "
         "information"),
    ),
    *_of(
        "aws/aws-cdk-cli: packages/@aws-cdk/toolkit-lib/lib/api/aws-auth",
        ("no_keys_found", "Need to perform AWS calls for account 111100000001, but no credentials have been configured"),
        ("other_account", "❌ Deployment failed: Error: Need to perform AWS calls for account 111100000001, but the "
         "current credentials are for 111100000002"),
        ("no_keys_found", "Unable to resolve AWS account to use. It must be either configured when you define your CDK "
         "Stack, or through the environment"),
        ("sign_in_ended", "[21:11:42] Unable to determine the default AWS account (CredentialsProviderError): The SSO "
         "session associated with this profile has expired. To refresh this SSO session run aws sso login with the "
         "corresponding profile."),
    ),
    *_of(
        "aws/aws-sam-cli: samcli/lib/utils/managed_cloudformation_stack.py",
        ("keys_expired", "Error: Failed to create managed resources: An error occurred (ExpiredToken) when calling the "
         "CreateChangeSet operation: The security token included in the request is expired"),
        ("no_keys_found", "Error: Failed to create managed resources: Unable to locate credentials"),
    ),
    *_of(
        "hashicorp/packer-plugin-amazon",
        ("no_keys_found", "Error: Datasource.Execute failed: no valid credential sources for  found.\n\nPlease see "
         "\nfor more information about providing credentials."),
        ("no_keys_found", "Build 'amazon-ebs' errored after 304 milliseconds: No valid credential sources found for AWS "
         "Builder. NoCredentialProviders: no valid providers in chain"),
        ("sign_in_ended", "==> build.docker: Error fetching ECR credentials: no valid credential sources for  found."
         "\n==> build.docker: Error: SSOProviderInvalidToken: the SSO session has expired or is invalid"),
    ),
    *_of(
        "eksctl-io/eksctl",
        ("sign_in_ended", "Error: checking AWS STS access – cannot get role ARN for current session: : Session token "
         "not found or invalid\n\tstatus code: 401, request id:"),
        ("no_keys_found", "Error: checking AWS STS access – cannot get role ARN for current session: "
         "NoCredentialProviders: no valid providers in chain"),
    ),
    *_of(
        "kubernetes/client-go: plugin/pkg/client/auth/exec",
        ("sign_in_ended", "Unable to connect to the server: getting credentials: exec: executable aws failed with exit "
         "code 255"),
        ("profile_unknown", "The config profile (dev) could not be found\nUnable to connect to the server: getting "
         "credentials: exec: executable aws failed with exit code 255"),
        ("aws_cli_missing", "Unable to connect to the server: getting credentials: exec: executable aws not found"),
        ("cluster_refused", "error: You must be logged in to the server (Unauthorized)"),
        ("cluster_refused", "error: You must be logged in to the server (the server has asked for the client to provide "
         "credentials)"),
    ),
    *_of(
        "moby/moby, awslabs/amazon-ecr-credential-helper",
        ("registry_login_ended", "push 111100000001.dkr.ecr.eu-west-1.amazonaws.com/app: no basic auth credentials"),
        ("registry_login_ended", "denied: Your authorization token has expired. Reauthenticate and try again."),
        ("registry_login_ended", "denied: Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch "
         "a new one."),
        ("registry_login_ended", 'error getting credentials - err: exec: "docker-credential-ecr-login": executable file '
         "not found in $PATH, out: ``"),
        ("no_keys_found", 'time="2020-06-18T10:55:11+08:00" level=error msg="Error retrieving credentials" error="ecr: '
         'Failed to get authorization token: NoCredentialProviders: no valid providers in chain. Deprecated."'),
        ("old_security_token", 'level=error msg="Error retrieving credentials" error="ecr: Failed to get authorization '
         'token: UnrecognizedClientException: The security token included in the request is invalid."'),
    ),
    *_of(
        "aws/git-remote-codecommit: git_remote_codecommit/__init__.py",
        ("profile_unknown", "The following profile was not found: dev. Available profiles are: default, prod. Either use "
         "one of the available profiles, or create an AWS CLI profile to use and then try again."),
        ("no_keys_found", "The following profile does not have credentials configured: default. You must configure the "
         "access key and secret key for the profile."),
        ("region_missing", "The following profile does not have an AWS Region: dev. You must set an AWS Region for this "
         "profile."),
    ),
    *_of(
        "git/git with an address of CodeCommit",
        ("keys_expired", "fatal: unable to access 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/app/': The "
         "requested URL returned error: 403"),
    ),
    *_of(
        "99designs/aws-vault",
        ("sign_in_ended", "aws-vault: error: exec: Failed to get credentials for dev: Token expired"),
        ("sign_in_ended", "aws-vault: error: exec: Failed to get credentials for dev: operation error SSO: "
         "GetRoleCredentials,\nhttps response error StatusCode: 401, RequestID: , UnauthorizedException: Session token "
         "not found or invalid"),
    ),
    *_of(
        "fwdcloudsec/granted",
        ("sign_in_ended", f"[✘] operation error SSO: GetRoleCredentials, https response error StatusCode: 401, {REQUEST}, "
         "UnauthorizedException: Session token not found or invalid"),
    ),
    *_of(
        "s3fs-fuse/s3fs-fuse: src/s3fs_cred.cpp",
        ("no_keys_found", "s3fs: could not establish security credentials, check documentation."),
    ),
    *_of(
        "rclone/rclone with aws-sdk-go-v2 (reported)",
        ("no_keys_found", "Failed to lsd: operation error S3: ListBuckets, get identity: get credentials: failed to "
         "refresh cached credentials, no EC2 IMDS role found"),
    ),
    *_of(
        "apache/hadoop: S3A (reported)",
        ("no_keys_found", "org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by "
         "SimpleAWSCredentialsProvider"),
    ),
)  # fmt: skip

SDKS = (
    *_of(
        "aws/aws-sdk-js-v3: credential-provider-sso, token-providers",
        ("sign_in_ended", "CredentialsProviderError: The SSO session associated with this profile has expired. To refresh "
         "this SSO session run aws sso login with the corresponding profile.\n    at resolveSSOCredentials"),
        ("sign_in_ended", "The SSO session associated with this profile is invalid. To refresh this SSO session run aws "
         "sso login with the corresponding profile."),
        ("sign_in_ended", "TokenProviderError: Token is expired. To refresh this SSO session run 'aws sso login' with the "
         "corresponding profile."),
        ("session_without_scopes", "TokenProviderError: Value not present for 'refreshToken' in SSO Token. Cannot "
         "refresh. To refresh this SSO session run 'aws sso login' with the corresponding profile."),
        ("token_unreadable", "TokenProviderError: Value not present for 'accessToken' in SSO Token. To refresh this SSO "
         "session run 'aws sso login' with the corresponding profile."),
        ("signed_out", "The SSO session token associated with profile=dev was not found or is invalid. To refresh this "
         "SSO session run 'aws sso login' with the corresponding profile."),
        ("profile_incomplete", "TokenProviderError: Sso session 'corp' could not be found in shared credentials file."),
        ("profile_incomplete", "Sso session 'corp' is missing required property 'sso_region'."),
        ("profile_incomplete", "TokenProviderError: Profile 'dev' is missing required property 'sso_session'."),
        ("profile_unknown", "TokenProviderError: Profile 'dev' could not be found in shared credentials file."),
        ("profile_unknown", "CredentialsProviderError: Profile dev was not found."),
        ("profile_incomplete", "CredentialsProviderError: Profile dev is not configured with SSO credentials."),
        ("profile_incomplete", 'Profile is configured with invalid SSO credentials. Required parameters "sso_account_id", '
         '"sso_region", "sso_role_name", "sso_start_url". Got region'),
        ("profile_incomplete", "Conflicting SSO region configurations in profile dev and sso-session corp"),
        ("captive_portal", "CredentialsProviderError: SSO returns an invalid temporary credential."),
        ("no_keys_found", "Could not load token from any providers"),
    ),
    *_of(
        "aws/aws-sdk-js-v3: credential-provider-node, -ini, -process, -imds, region-config-resolver",
        ("no_keys_found", "CredentialsProviderError: Could not load credentials from any providers\n    at /app/node_modules"
         "/@aws-sdk/credential-provider-node/dist-cjs/index.js:129:13"),
        ("profile_unknown", "Could not resolve credentials using profile: [dev] in configuration/credentials file(s)."),
        ("mfa_needed", "Profile dev requires multi-factor authentication, but no MFA code callback was provided."),
        ("profile_incomplete", "Detected a cycle attempting to resolve credentials for profile dev. Profiles visited: dev"),
        ("profile_incomplete", "Unsupported credential source in profile dev. Got Nothing, expected EcsContainer or "
         "Ec2InstanceMetadata or Environment."),
        ("credential_process_missing", "Profile dev credential_process did not return Version 1."),
        ("credential_process_missing", "Error: Profile dev credential_process returned invalid JSON."),
        ("credential_process_missing", "Profile dev credential_process returned expired credentials."),
        ("endpoint_refused", "The container metadata credential provider cannot be used unless the "
         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI environment variable is set"),
        ("region_missing", "Error: Region is missing"),
        ("unreachable", "Error: getaddrinfo ENOTFOUND portal.sso.us-east-1.amazonaws.com"),
    ),
    *_of(
        "aws/aws-sdk-js (version 2): lib/credentials",
        ("program_without_sso", "CredentialsError: Missing credentials in config, if using AWS_CONFIG_FILE, set "
         "AWS_SDK_LOAD_CONFIG=1"),
        ("program_without_sso", "Unable to determine the default AWS account: ProcessCredentialsProviderFailure: Profile "
         "dev did not include credential process"),
        ("profile_incomplete", 'Profile dev does not have valid SSO credentials. Required parameters "sso_account_id", '
         '"sso_region", "sso_role_name", "sso_start_url".'),
    ),
    *_of(
        "aws/aws-sdk-java-v2: services/sso, services/ssooidc, core/auth, core/regions",
        ("sign_in_ended", "software.amazon.awssdk.services.sso.auth.ExpiredTokenException: The SSO session associated with "
         "this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login"),
        ("signed_out", "software.amazon.awssdk.core.exception.SdkClientException: Unable to load SSO token"),
        ("sign_in_ended", "software.amazon.awssdk.core.exception.SdkClientException: Token is expired"),
        ("no_keys_found", "software.amazon.awssdk.core.exception.SdkClientException: Unable to load credentials from any of "
         "the providers in the chain AwsCredentialsProviderChain(credentialsProviders=[...])"),
        ("no_keys_found", "Profile file contained no credentials for profile 'default': ProfileFile(profiles=[])"),
        ("program_without_sso", "java.lang.IllegalStateException: To use Sso related properties in the 'dev' profile, the "
         "'sso' service module must be on the class path."),
        ("program_without_sso", "To use SSO OIDC related properties in the 'dev' profile, the 'ssooidc' service module must "
         "be on the class path."),
        ("region_missing", "SdkClientException: Unable to load region from any of the providers in the chain"),
    ),
    *_of(
        "aws/aws-sdk-net: Amazon.Runtime/Credentials",
        ("sign_in_ended", "Amazon.Runtime.AmazonClientException: SSO Token has expired and can not be refreshed"),
        ("sign_in_ended", "Amazon.Runtime.AmazonClientException: SSO Token has expired and failed to refresh"),
        ("signed_out", "Amazon.Runtime.AmazonClientException: No valid SSO Token could be found."),
        ("no_keys_found", "Failed to resolve AWS credentials. The credential providers used to search for credentials "
         "returned the following errors:"),
        ("no_keys_found", "System.AggregateException: One or more errors occurred. (Unable to get IAM security credentials "
         "from EC2 Instance Metadata Service.)"),
        ("program_without_sso", "Assembly AWSSDK.SSOOIDC could not be found or loaded. This assembly must be available at "
         "runtime to use Amazon.Runtime.Internal.SSOServiceClientHelpers, AWSSDK.Core"),
        ("region_missing", "Amazon.Runtime.AmazonClientException: No RegionEndpoint or ServiceURL configured"),
    ),
    *_of(
        "awslabs/aws-sdk-rust: sdk/aws-config/src/sso, src/meta/credentials",
        ("sign_in_ended", "the SSO token has expired and cannot be refreshed"),
        ("signed_out", "failed to load the cached SSO token: failed to read `/home/u/.aws/sso/cache/"
         f"{HASH}.json`: No such file or directory (os error 2)"),
        ("token_unreadable", "missing field `accessToken` in cached SSO token file"),
        ("token_unreadable", "invalid value for the `expiresAt` field in the cached SSO token file"),
        ("token_unreadable", "invalid JSON in cached SSO token file"),
        ("no_keys_found", "CredentialsNotLoaded: no providers in chain provided credentials"),
        ("no_keys_found", "the credential provider was not enabled: no providers in chain provided credentials"),
        ("program_without_sso", "This behavior requires following cargo feature(s) enabled: sso. In order to load an SSO "
         "profile"),
    ),
    *_of(
        "aws/aws-sdk-php: src/Credentials",
        ("signed_out", f"Unable to read token file at {CACHE}"),
        ("token_unreadable", f"Token file at {CACHE} must contain an access token and an expiration"),
        ("sign_in_ended", "Cached SSO credentials returned expired credentials"),
        ("profile_incomplete", "Profile dev in /home/u/.aws/config must contain the following keys: sso_start_url, "
         "sso_region, sso_account_id, and sso_role_name."),
        ("profile_unknown", "'dev' not found in credentials file"),
        ("profile_incomplete", "Either source_profile or credential_source must be set using profile dev, but not both."),
        ("profile_incomplete", "source_profile base using profile dev does not exist"),
        ("no_keys_found", "Aws\\Exception\\CredentialsException: Error retrieving credentials from the instance profile "
         "metadata service. (cURL error 28: Connection timed out after 1001 milliseconds)"),
    ),
    *_of(
        "aws/aws-sdk-ruby: gems/aws-sdk-core",
        ("sign_in_ended", "Aws::Errors::InvalidSSOCredentials: The SSO session associated with this profile has expired or "
         "is otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile."),
        ("no_keys_found", "Aws::Errors::MissingCredentialsError: unable to sign request without credentials set"),
        ("profile_unknown", "Aws::Errors::NoSuchProfileError: Profile `dev' not found in /home/u/.aws/credentials"),
        ("region_missing", "Aws::Errors::MissingRegionError: No region was provided; missing region; use :region option"),
    ),
    *_of(
        "boto/botocore: botocore/exceptions.py, credentials.py, tokens.py",
        ("sign_in_ended", "botocore.exceptions.TokenRetrievalError: Error when retrieving token from sso: Token has expired "
         "and refresh failed"),
        ("sign_in_ended", "botocore.exceptions.UnauthorizedSSOTokenError: The SSO session associated with this profile has "
         "expired or is otherwise invalid."),
        ("signed_out", "botocore.exceptions.SSOTokenLoadError: Error loading SSO Token: Token for "
         "https://d-9067000001.awsapps.com/start does not exist"),
        ("no_keys_found", "botocore.exceptions.NoCredentialsError: Unable to locate credentials"),
        ("profile_unknown", "botocore.exceptions.ProfileNotFound: The config profile (dev) could not be found"),
        ("profile_incomplete", "Partial credentials found in assume-role, missing: source_profile or credential_source"),
        ("half_keys", "botocore.exceptions.PartialCredentialsError: Partial credentials found in shared-credentials-file, "
         "missing: aws_secret_access_key"),
        ("half_keys", "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
        ("profile_incomplete", 'botocore.exceptions.InvalidConfigError: The source_profile "base" referenced in the profile '
         '"dev" does not exist.'),
        ("profile_incomplete", 'The credential_source "Nothing" referenced in profile "dev" is not valid.'),
        ("profile_incomplete", 'The profile "dev" contains both source_profile and credential_source.'),
        ("profile_incomplete", "Infinite loop in credential configuration detected. Attempting to load from profile dev "
         "which has already been visited."),
        ("mfa_needed", "Cannot refresh credentials: MFA token required."),
        ("endpoint_refused", "Error when retrieving credentials from container-role: Error retrieving metadata: Received "
         "non 200 response 403 from container metadata"),
        ("aws_login_ended", "botocore.exceptions.LoginRefreshRequired: Your session has expired or credentials have "
         "changed. Please reauthenticate using 'aws login'."),
        ("unreachable", 'Could not connect to the endpoint URL: "https://oidc.us-east-1.amazonaws.com/token"'),
        ("region_missing", "botocore.exceptions.NoRegionError: You must specify a region."),
    ),
    *_of(
        "aws/aws-cli (2.36)",
        ("sign_in_ended", "aws: [ERROR]: Error when retrieving token from sso: Token has expired and refresh failed"),
        ("profile_incomplete", "Missing the following required SSO configuration values: sso_start_url, sso_region. To make "
         "sure this profile is properly configured to use SSO, please run: aws configure sso"),
        ("no_keys_found", 'Unable to locate credentials. You can configure credentials by running "aws login".'),
        ("region_missing", 'You must specify a region. You can also configure your region by running "aws configure".'),
        ("start_url_wrong", "An error occurred (InvalidRequestException) when calling the StartDeviceAuthorization "
         "operation: "),
    ),
    *_of(
        "AWS STS (answers of the service, reported)",
        ("duration_too_long", "An error occurred (ValidationError) when calling the AssumeRole operation: The requested "
         "DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."),
        ("duration_too_long", "An error occurred (ValidationError) when calling the AssumeRole operation: The requested "
         "DurationSeconds exceeds the MaxSessionDuration set for this role."),
    ),
)  # fmt: skip

ERROR_TEXTS = (*GO, *INFRASTRUCTURE, *SDKS)

FOREIGN = (
    ("npm", "npm ERR! code ECONNREFUSED\nnpm ERR! request to https://registry.npmjs.org/left-pad failed"),
    ("npm", "npm error code SELF_SIGNED_CERT_IN_CHAIN"),
    ("npm", "npm ERR! code ENOTFOUND\nnpm ERR! network request to https://registry.npmjs.org/@aws-sdk%2fclient-s3"),
    ("pip", "pip: Could not fetch URL https://pypi.org/simple/x/: SSL: CERTIFICATE_VERIFY_FAILED certificate verify "
     "failed"),
    ("SSH", "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository."),
    ("SSH", "ssh: connect to host 10.0.0.1 port 22: Connection refused"),
    ("SSH", "ssh: Could not resolve hostname build-7: Name or service not known"),
    ("GitHub", "fatal: unable to access 'https://github.com/o/r/': Could not resolve host: github.com"),
    ("GitHub", "remote: GitHub: Your token has expired. HTTP 401: Bad credentials"),
    ("GitHub", "gh auth status: The token in default is invalid. UnauthorizedException"),
    ("GitLab", "fatal: Authentication failed for 'https://gitlab.example/g/r.git/': token has expired"),
    ("Kubernetes", "kubectl: Unable to authenticate the request: oidc: token is expired (Token Expiry: 2026-11-28)"),
    ("Kubernetes", "Error: pods is forbidden: User \"alice\" cannot list resource: ForbiddenException"),
    ("HashiCorp Vault", "Error making API request to vault: Code: 403. Errors: permission denied, token expired"),
    ("HashiCorp Vault", "vault login: invalid_grant"),
    ("Google Cloud", "google.auth.exceptions.RefreshError: ('invalid_grant: Bad Request', 'Token has been expired or "
     "revoked.')"),
    ("Azure", "AADSTS70043: The refresh token has expired, please run az login (invalid_grant)"),
    ("Docker", "toomanyrequests: You have reached your pull rate limit (docker.io), Rate exceeded"),
    ("a database", "psql: error: could not translate host name \"db-1\" to address: Name or service not known"),
    ("a package repository", "cargo: failed to download from https://crates.io: x509: certificate signed by unknown "
     "authority"),
    (None, "Traceback (most recent call last):\n  File \"app.py\", line 3\nFileNotFoundError: [Errno 2] No such file or "
     "directory: 'settings.yml'"),
    (None, "cp: failed to clone 'a' from 'b': Operation not supported"),
    (None, "TokenExpiredError: jwt expired"),
    (None, "Error: the token of the session has expired"),
    (None, "E: no browser test was run"),
    (None, "error: 'x' is defined as a macro"),
)  # fmt: skip
"""What says something alike and is none of ours: whose it is, as far as the text shows it."""
