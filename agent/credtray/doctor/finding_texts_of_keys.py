"""What can be wrong with sign-ins and keys. Words only; when each applies is in the rules."""

from __future__ import annotations

from credtray.doctor.findings import FindingKind, Group, Repair, Severity

SIGNED_OUT = FindingKind(
    "signed_out",
    Group.SIGN_IN,
    Severity.BROKEN,
    "You are not signed in",
    "There is no token file for this session: you have not signed in yet, or you signed out.",
    "Run: credtray login {session}",
)
SIGN_IN_ENDED = FindingKind(
    "sign_in_ended",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The sign-in has ended",
    "Your administrator sets how long a sign-in lasts; after that, no token is renewed.",
    "Run: credtray login {session}",
)
ACCESS_TOKEN_EXPIRED = FindingKind(
    "access_token_expired",
    Group.SIGN_IN,
    Severity.WARNING,
    "The access token has expired and can be renewed",
    "No agent has renewed it. The next program tries; if several try at once, all but one fail.",
    "Run: credtray start",
)
SESSION_WITHOUT_SCOPES = FindingKind(
    "session_without_scopes",
    Group.SIGN_IN,
    Severity.WARNING,
    "The session has no refresh token",
    "Without `sso_registration_scopes` the device sign-in gives a token that cannot be renewed.",
    "Add `sso_registration_scopes = sso:account:access` to [sso-session {header}], then run: "
    "credtray login --fresh {session}",
    Repair.OUTDATED_SESSION,
)
TOKEN_OF_OTHER_SESSION = FindingKind(
    "token_of_other_session",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The saved sign-in belongs to another start URL or region",
    "The session's settings were changed after the sign-in; the old token does not match them.",
    "Correct the start URL or region in the config file, or run: credtray login {session}",
    Repair.OUTDATED_SESSION,
)
REGISTRATION_ENDED = FindingKind(
    "registration_ended",
    Group.SIGN_IN,
    Severity.WARNING,
    "The client registration has ended, so the token cannot be renewed",
    "A registration lasts about 90 days; a sign-in gets a new one when it has to.",
    "Run: credtray login --fresh {session}",
)
TOKEN_UNREADABLE = FindingKind(
    "token_unreadable",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The token file cannot be used",
    "It is incomplete or empty, or lacks the token or its date: a program was killed while it wrote, or "
    "the disk was full.",
    "Run: credtray login {session}",
)
SIGN_IN_REFUSED = FindingKind(
    "sign_in_refused",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The last sign-in failed",
    "The service refused it, or somebody did at its page.",
    "Run: credtray login {session}",
)
SIGN_IN_TIMED_OUT = FindingKind(
    "sign_in_timed_out",
    Group.SIGN_IN,
    Severity.NOTE,
    "A sign-in timed out",
    "It was not finished in the browser within about ten minutes.",
    "Run: credtray login {session}",
)
SIGNED_IN = FindingKind(
    "signed_in", Group.SIGN_IN, Severity.FINE, "Signed in", "The token is valid.", "Nothing to do."
)
ROLE_REFUSED = FindingKind(
    "role_refused",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The role is not assigned to you",
    "The assignment was removed, or the profile has a wrong account or role.  A role newly "
    "assigned takes a few minutes.",
    "Compare account and role with the access portal, or run: credtray setup",
)
ASSUME_ROLE_REFUSED = FindingKind(
    "assume_role_refused",
    Group.SIGN_IN,
    Severity.BROKEN,
    "The second role of a profile cannot be assumed",
    "The profile assumes role_arn with the keys of its source profile, and AWS does not allow it.",
    "{hint}",
)
PROFILE_SETTING_REFUSED = FindingKind(
    "profile_setting_refused",
    Group.SIGN_IN,
    Severity.BROKEN,
    "AWS does not accept a setting of the profile",
    "Its value is outside what AWS allows, or has the wrong form.",
    "{hint}",
)
KEYS_SHADOW = FindingKind(
    "foreign_keys_shadow",
    Group.KEYS,
    Severity.WARNING,
    "Keys in the credentials file override the SSO profile of the same name",
    "Go and JavaScript programs read the credentials file first; the AWS CLI, boto3 and Java use SSO.",
    "Remove the keys from [{section}] in the credentials file, or give that section another name",
)
TEMPORARY_SHADOW = FindingKind(
    "temporary_keys_shadow",
    Group.KEYS,
    Severity.WARNING,
    "Temporary keys from another tool override the SSO profile of the same name",
    "Go and JavaScript programs use them and get ExpiredToken once they expire; nothing renews them.",
    "Remove the keys from [{section}] in the credentials file, or give that section another name",
)
STALE_KEYS = FindingKind(
    "stale_keys",
    Group.KEYS,
    Severity.WARNING,
    "Expired keys that credtray wrote are still there",
    "The agent was stopped before it could remove them; programs that read them get ExpiredToken.",
    "Run: credtray repair stale_keys",
    Repair.STALE_KEYS,
)
UNATTENDED_KEYS = FindingKind(
    "unattended_keys",
    Group.KEYS,
    Severity.WARNING,
    "Nothing keeps these keys fresh",
    "credtray wrote them, but no agent is running to replace them before they expire.",
    "Run: credtray start",
)
UNGUARDED_KEYS = FindingKind(
    "unguarded_keys",
    Group.KEYS,
    Severity.WARNING,
    "Coding agents can read keys that they should ask for",
    "The setting `agents` guards this profile, but its keys are kept in the credentials file, which every "
    "program of yours can read.",
    "Hand them out on request instead: credtray settings set {setting} process",
)
FOREIGN_KEYS_ENDED = FindingKind(
    "foreign_keys_ended",
    Group.KEYS,
    Severity.WARNING,
    "Temporary keys from another tool have expired",
    "The tool that wrote them noted when they expire, and that time has passed.",
    "Remove the keys from [{section}] in the credentials file, or run the tool that wrote them",
)
HALF_KEYS = FindingKind(
    "half_keys",
    Group.KEYS,
    Severity.BROKEN,
    "A key pair is incomplete",
    "aws_access_key_id and aws_secret_access_key go together; one of them alone stops every program.",
    "Complete the pair in [{section}] of the credentials file, or remove it",
)
OLD_TOKEN = FindingKind(
    "old_security_token",
    Group.KEYS,
    Severity.BROKEN,
    "An old aws_security_token overrides the session token",
    "botocore reads aws_security_token before aws_session_token; old tools leave it behind.",
    "Remove the line aws_security_token from [{section}] in the credentials file",
)
EDITED_KEYS = FindingKind(
    "edited_keys",
    Group.KEYS,
    Severity.NOTE,
    "Somebody changed keys that credtray had written",
    "The section has credtray's mark but a different key; credtray no longer touches it.",
    "Remove the keys and the mark from [{section}] in the credentials file",
)
KEYS_EXPIRED = FindingKind(
    "keys_expired",
    Group.KEYS,
    Severity.BROKEN,
    "The program used keys that have expired",
    "It read them once, from the environment or a file, and kept them.",
    "Restart the program, preferably with: credtray exec PROFILE -- COMMAND",
)
KEYS_UNKNOWN = FindingKind(
    "keys_unknown",
    Group.KEYS,
    Severity.BROKEN,
    "AWS does not know the keys that were used",
    "They belong to a deleted user or another partition (China, GovCloud), or have the wrong session token.",
    "To see which keys the program uses: credtray doctor PROFILE",
)
ACCESS_DENIED = FindingKind(
    "access_denied",
    Group.KEYS,
    Severity.BROKEN,
    "The role is not allowed to do that",
    "The keys are valid; the role's policies do not allow this call. A new sign-in does not help.",
    "Use another profile (credtray profiles), or ask your administrator for the permission",
)
START_URL_WRONG = FindingKind(
    "start_url_wrong",
    Group.SIGN_IN,
    Severity.BROKEN,
    "AWS does not know this start URL in this region",
    "sso_start_url or sso_region is not the one of your organisation.",
    "Compare sso_start_url and sso_region in the config file with your access portal, then run: "
    "credtray login {session}",
)
LOGIN_SESSION_ENDED = FindingKind(
    "aws_login_ended",
    Group.SIGN_IN,
    Severity.BROKEN,
    "A sign-in made with `aws login` has ended",
    "`aws login` is another sign-in than the one to IAM Identity Center; credtray does not renew it.",
    "Run `aws login` again, or use a profile of IAM Identity Center: credtray profiles",
)
OTHER_ACCOUNT = FindingKind(
    "other_account",
    Group.KEYS,
    Severity.BROKEN,
    "The program has keys for another account",
    "The profile it uses, or the keys in the environment, belong to another account than it works on.",
    "Name the profile of that account: credtray exec PROFILE -- COMMAND",
)
REGISTRY_LOGIN_ENDED = FindingKind(
    "registry_login_ended",
    Group.KEYS,
    Severity.BROKEN,
    "Docker is not logged in to the registry",
    "Docker keeps a login of its own for each registry. One for ECR ends after 12 hours, whatever your AWS "
    "sign-in does.",
    "Log in again: aws ecr get-login-password --profile PROFILE | docker login --username AWS "
    "--password-stdin REGISTRY",
)
CLUSTER_REFUSED = FindingKind(
    "cluster_refused",
    Group.KEYS,
    Severity.BROKEN,
    "The Kubernetes cluster does not accept you",
    "In an EKS cluster your role needs an access entry, and kubectl may use another profile (`users` in the "
    "kubeconfig). Other clusters have a login that has nothing to do with AWS.",
    "See which role you have: aws sts get-caller-identity --profile PROFILE",
)
ENDPOINT_REFUSED = FindingKind(
    "endpoint_refused",
    Group.KEYS,
    Severity.BROKEN,
    "The endpoint gave the program no keys",
    "The variables are of an endpoint that is gone, or the program's SDK is too old to send its token.",
    "Set the variables again: credtray endpoint PROFILE",
)
NO_KEYS_FOUND = FindingKind(
    "no_keys_found",
    Group.KEYS,
    Severity.BROKEN,
    "The program found no keys at all",
    "No profile was named, and [default] gives no credentials.",
    "Name a profile (AWS_PROFILE=NAME), or make one the default: credtray switch PROFILE",
)

KINDS = (
    SIGNED_OUT,
    SIGN_IN_ENDED,
    ACCESS_TOKEN_EXPIRED,
    SESSION_WITHOUT_SCOPES,
    TOKEN_OF_OTHER_SESSION,
    REGISTRATION_ENDED,
    TOKEN_UNREADABLE,
    SIGN_IN_REFUSED,
    SIGN_IN_TIMED_OUT,
    SIGNED_IN,
    ROLE_REFUSED,
    START_URL_WRONG,
    LOGIN_SESSION_ENDED,
    ASSUME_ROLE_REFUSED,
    PROFILE_SETTING_REFUSED,
    KEYS_SHADOW,
    TEMPORARY_SHADOW,
    STALE_KEYS,
    UNATTENDED_KEYS,
    UNGUARDED_KEYS,
    FOREIGN_KEYS_ENDED,
    HALF_KEYS,
    OLD_TOKEN,
    EDITED_KEYS,
    KEYS_EXPIRED,
    KEYS_UNKNOWN,
    ACCESS_DENIED,
    OTHER_ACCOUNT,
    REGISTRY_LOGIN_ENDED,
    CLUSTER_REFUSED,
    ENDPOINT_REFUSED,
    NO_KEYS_FOUND,
)
