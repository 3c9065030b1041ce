"""The error texts of the way to AWS: names, proxies, certificates, and AWS itself."""

from __future__ import annotations

from credtray.core.diagnosis import causes_around as around
from credtray.core.diagnosis.symptom import seen

_ENDPOINT = r"(?:amazonaws\.com|awsapps\.com|\bapi\.aws\b)"
_NO_WAY = (
    r"(?:server misbehaving|i/o timeout|TLS handshake timeout|connection (?:refused|reset|timed out)|"
    r"failed to establish a new connection|context deadline exceeded)"
)
"""Everybody says so; it is our matter where a host of AWS stands beside it."""

SYMPTOMS = (
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
