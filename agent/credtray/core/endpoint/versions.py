"""From which version on a program can use the local credentials endpoint: it must read its token from a file.

Source: Amazon EKS user guide, "Use Pod Identity with the AWS SDK" (EKS hands its token over in the same
variable). Tried here: botocore 1.44 and the SDK for JavaScript 3.840 can, AWS CLI 2.9.19 cannot. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LEAST: Mapping[str, str] = MappingProxyType(
    {
        "AWS CLI v2": "2.15.0",
        "AWS CLI v1": "1.30.0",
        "boto3, botocore": "1.34.41",
        "Go v2": "release 2023-11-14",
        "Go v1": "1.47.11",
        "JavaScript v3": "3.458.0",
        "JavaScript v2": "2.1550.0",
        "Java v2": "2.21.30",
        "Java v1": "1.12.746",
        "Kotlin": "1.0.1",
        "Rust": "release 2024-03-13",
        ".NET": "3.7.734.0",
        "PowerShell": "4.1.502",
        "PHP": "3.287.1",
        "Ruby": "3.188.0",
        "C++": "1.11.263",
    }
)

_CLI = {1: (1, 30), 2: (2, 15)}
"""By major version."""


def cli_reads_token_file(version: tuple[int, ...]) -> bool:
    """Tell whether the AWS CLI of this version can use the endpoint."""
    return version >= _CLI.get(version[0], (0,)) if version else False
