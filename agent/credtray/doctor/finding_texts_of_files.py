"""What can be wrong with the AWS files and the environment. Words only; when each applies is in the rules."""

from __future__ import annotations

from credtray.core import shell_words
from credtray.doctor.findings import FindingKind, Group, Repair, Severity
from credtray.ways_out.shells import KEYS

FILE_UNPARSABLE = FindingKind(
    "file_unparsable",
    Group.CONFIG,
    Severity.BROKEN,
    "An AWS file cannot be parsed, so the AWS CLI and boto3 fail on it",
    "One line is not a section header, `key = value` or a comment, a key appears twice, or the file "
    "is not UTF-8 text without a byte order mark.",
    "Fix {place} in an editor, and save it as UTF-8 without a byte order mark",
)
DUPLICATE_SECTION = FindingKind(
    "duplicate_section",
    Group.CONFIG,
    Severity.BROKEN,
    "A section appears twice, so the AWS CLI and boto3 refuse the file",
    "Two tools, or a copied block, made a section of the same name.",
    "Join the two sections, or rename one: {place}",
)
FILE_UNREADABLE = FindingKind(
    "file_unreadable",
    Group.CONFIG,
    Severity.BROKEN,
    "A file cannot be read",
    "Its mode or owner keeps you out (a command run with sudo created it), or it is not a plain file.",
    "Look at it: {command}",
    command=shell_words.LOOK,
)
FILE_OF_OTHER = FindingKind(
    "file_of_other_user",
    Group.CONFIG,
    Severity.WARNING,
    "A file or directory belongs to another user",
    "A command run with sudo, or as an administrator, created it: your programs cannot write there.",
    "Run: {command}",
    command=shell_words.GIVE_BACK,
)
ROOT_AT_WORK = FindingKind(
    "run_as_root",
    Group.CONFIG,
    Severity.BROKEN,
    "This runs as root on another user's files",
    "With sudo, files that credtray writes would belong to root, and their owner could no longer use them.",
    "Run it as {owner}, without sudo",
)
PLACE_CLOSED = FindingKind(
    "place_closed",
    Group.CONFIG,
    Severity.BROKEN,
    "Permissions keep you out of your own file or directory",
    "Its mode does not let you read, write or enter it, so credtray cannot store anything there.",
    "Run: {command}",
    command=shell_words.OPEN_TO_OWNER,
)
PLACE_READ_ONLY = FindingKind(
    "place_read_only",
    Group.CONFIG,
    Severity.BROKEN,
    "A file system is read-only",
    "It is mounted that way (a container, a broken disk); tokens and keys cannot be stored there.",
    "Make the file system of {path} writable, then run: credtray doctor",
)
PLACE_IMMUTABLE = FindingKind(
    "place_immutable",
    Group.CONFIG,
    Severity.BROKEN,
    "A file or directory is marked immutable",
    "Somebody set its flag `i` or `a` with chattr, so not even its owner can replace it.",
    "Run: {command}",
    command=shell_words.CHANGEABLE,
)
PLACE_TAKEN = FindingKind(
    "place_taken",
    Group.CONFIG,
    Severity.BROKEN,
    "Something else is where a directory should be",
    "A file has the directory's name, or a symbolic link there points to nothing.",
    "Run: {command}",
    command=shell_words.MOVE_AWAY,
)
FILE_MODE = FindingKind(
    "file_mode",
    Group.CONFIG,
    Severity.WARNING,
    "Others on this computer may read or write secrets",
    "The file was made with a wide umask or copied; the AWS tools leave its mode as it is.",
    "Run: {command}",
    command=shell_words.PRIVATE,
)
DIRECTORY_MODE = FindingKind(
    "directory_mode",
    Group.CONFIG,
    Severity.BROKEN,
    "Others can replace files in a directory",
    "Anyone who can write to the directory can put another file in the place of yours; credtray writes "
    "nothing there.",
    "Run: {command}",
    command=shell_words.CLOSED_TO_OTHERS,
)
MODELESS = FindingKind(
    "file_system_without_modes",
    Group.CONFIG,
    Severity.NOTE,
    "A file system without permissions",
    "It is a Windows drive, a shared folder or similar: no mode can be set there, and the way it is "
    "mounted decides who can read the files.",
    "Nothing to do if only you use this computer; otherwise keep ~/.aws on a Linux file system",
)
FILE_LINK = FindingKind(
    "file_link",
    Group.CONFIG,
    Severity.NOTE,
    "A file is a symbolic link",
    "credtray follows the link and keeps it; some tools replace it with a plain file.",
    "Nothing to do, unless a dotfile manager reverts what credtray writes",
)
CODE_PAGE = FindingKind(
    "code_page",
    Group.CONFIG,
    Severity.WARNING,
    "boto3 reads this file in another encoding",
    "On Windows, boto3 reads AWS files in the system's code page (before Python 3.15), and this one is in "
    "UTF-8. Letters beyond ASCII are others to it: a profile has another name, and a path leads elsewhere.",
    "Use plain ASCII letters there, or set PYTHONUTF8=1 wherever boto3 runs: {command}",
    command=shell_words.IN_UTF8,
)
PROFILE_INCOMPLETE = FindingKind(
    "profile_incomplete",
    Group.CONFIG,
    Severity.BROKEN,
    "A profile is incomplete or contradicts itself",
    "A setting is missing or refused: one of SSO (sso_session, sso_account_id, sso_role_name, or those of "
    "the sso-session), or source_profile or credential_source beside a role_arn.",
    "{hint}",
)
PROGRAM_WITHOUT_SSO = FindingKind(
    "program_without_sso",
    Group.CONFIG,
    Severity.BROKEN,
    "The program cannot use this SSO profile",
    "Its AWS SDK is too old for sso-session, or lacks a part (Java: the modules sso and ssooidc; .NET: "
    "AWSSDK.SSO and AWSSDK.SSOOIDC; Rust: the feature sso).",
    "Update the program, or give it keys: credtray exec PROFILE -- COMMAND",
)
MFA_NEEDED = FindingKind(
    "mfa_needed",
    Group.CONFIG,
    Severity.BROKEN,
    "The profile needs an MFA code, and the program cannot ask for one",
    "The profile has mfa_serial. A role reached through IAM Identity Center needs none: MFA is part of the "
    "sign-in.",
    "Use an IAM Identity Center profile: credtray profiles",
)
DURATION_TOO_LONG = FindingKind(
    "duration_too_long",
    Group.CONFIG,
    Severity.BROKEN,
    "Keys were requested for longer than the role allows",
    "A role assumed with the keys of another role gives keys for one hour at most; other roles have a limit "
    "of their own.",
    "Set `duration_seconds = 3600` in the profile, or remove the line",
)
SECTION_IGNORED = FindingKind(
    "section_ignored",
    Group.CONFIG,
    Severity.WARNING,
    "No program reads this section",
    "A header needs `profile` (or `sso-session`) and one name; a name with spaces needs quotes.",
    'Write [profile NAME], or [profile "NAME WITH SPACES"], at {place}',
)
LEGACY_PROFILES = FindingKind(
    "legacy_profiles",
    Group.CONFIG,
    Severity.WARNING,
    "Profiles use the old form, without sso-session",
    "Their sign-in cannot be renewed: it ends after 8 hours, whatever your administrator allows, and only "
    "the code sign-in works.",
    "See what would change, then do it: credtray repair legacy_profiles",
    Repair.LEGACY_PROFILES,
)
PROFILE_UNKNOWN = FindingKind(
    "profile_unknown",
    Group.ENVIRONMENT,
    Severity.BROKEN,
    "A program asks for a profile that does not exist",
    "The name is written differently in the config file, or another config file is in use.",
    "To list your profiles: credtray profiles",
)
NOTHING_CONFIGURED = FindingKind(
    "nothing_configured",
    Group.CONFIG,
    Severity.WARNING,
    "No SSO profile is set up",
    "The config file names no sso-session and no SSO profile, or another config file is in use.",
    "Run: credtray setup",
)
REGION_MISSING = FindingKind(
    "region_missing",
    Group.CONFIG,
    Severity.NOTE,
    "Some profiles have no region",
    "Many programs need one and say: You must specify a region.",
    "Add `region = us-east-1` (or yours) to the profile",
)
PROCESS_MISSING = FindingKind(
    "credential_process_missing",
    Group.CONFIG,
    Severity.BROKEN,
    "A credential process does not exist",
    "The program was moved or removed, or Python was reinstalled.",
    "Run `credtray setup` again, or correct credential_process in the profile",
)
OLD_COMMAND = FindingKind(
    "old_command",
    Group.CONFIG,
    Severity.BROKEN,
    "A credential process starts a credtray that no longer exists",
    "credtray was updated, moved or reinstalled; the config file still has the command of the old one.",
    "See what would change, then do it: credtray repair old_commands",
    Repair.OLD_COMMANDS,
)
PROCESS_FAILED = FindingKind(
    "credential_process_failed",
    Group.CONFIG,
    Severity.BROKEN,
    "A credential process did not return keys",
    "The text after `custom-process:` comes from that program.",
    "Run it yourself: credtray credentials PROFILE",
)
PROFILE_VARIABLES = FindingKind(
    "profile_variables_differ",
    Group.ENVIRONMENT,
    Severity.WARNING,
    "AWS_PROFILE and AWS_DEFAULT_PROFILE name different profiles",
    "boto3 and botocore prefer AWS_DEFAULT_PROFILE, the AWS CLI and the others AWS_PROFILE.",
    "Run: {command}",
    command=shell_words.unset("AWS_DEFAULT_PROFILE"),
)
EMPTY_FILE_VARIABLE = FindingKind(
    "empty_file_variable",
    Group.ENVIRONMENT,
    Severity.WARNING,
    "A variable that should name an AWS file is empty",
    "boto3 and the AWS CLI then open no such file, and know none of its profiles. credtray and the SDKs for "
    "Go and JavaScript read the usual file.",
    "Run: {command}",
    command=shell_words.unset("AWS_CONFIG_FILE"),
)
ENVIRONMENT_KEYS = FindingKind(
    "environment_keys",
    Group.ENVIRONMENT,
    Severity.WARNING,
    "Keys in the environment override every profile",
    "Programs use AWS_ACCESS_KEY_ID first, unless you give them the profile in an option such as --profile.",
    "Run: {command}",
    command=shell_words.unset(*KEYS, "AWS_SECURITY_TOKEN"),
)
HALF_ENVIRONMENT_KEYS = FindingKind(
    "half_environment_keys",
    Group.ENVIRONMENT,
    Severity.BROKEN,
    "Only half of a key pair is in the environment",
    "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY stops boto3 and the AWS CLI.",
    "Run: {command}",
    command=shell_words.unset(*KEYS),
)

KINDS = (
    FILE_UNPARSABLE,
    DUPLICATE_SECTION,
    FILE_UNREADABLE,
    FILE_OF_OTHER,
    ROOT_AT_WORK,
    PLACE_CLOSED,
    PLACE_READ_ONLY,
    PLACE_IMMUTABLE,
    PLACE_TAKEN,
    FILE_MODE,
    DIRECTORY_MODE,
    MODELESS,
    FILE_LINK,
    CODE_PAGE,
    PROFILE_INCOMPLETE,
    PROGRAM_WITHOUT_SSO,
    MFA_NEEDED,
    DURATION_TOO_LONG,
    SECTION_IGNORED,
    LEGACY_PROFILES,
    PROFILE_UNKNOWN,
    NOTHING_CONFIGURED,
    REGION_MISSING,
    PROCESS_MISSING,
    OLD_COMMAND,
    PROCESS_FAILED,
    PROFILE_VARIABLES,
    EMPTY_FILE_VARIABLE,
    ENVIRONMENT_KEYS,
    HALF_ENVIRONMENT_KEYS,
)
