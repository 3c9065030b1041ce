"""Whose error a text is when it is not one of AWS: other services have tokens that expire, too."""

from __future__ import annotations

import re

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
