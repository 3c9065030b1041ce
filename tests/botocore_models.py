"""One copy of botocore's service models for all sessions of a process; each would read megabytes anew.

Models are only read; within one session all clients share them anyway. What a person's own models and
``AWS_DATA_PATH`` say stays apart.
"""

from __future__ import annotations

import functools

import botocore.session
from botocore.loaders import create_loader

SERVICES = ("sso-oidc", "sso", "sts")


def share_models() -> None:
    """Let every session that is made from now on read each model once."""
    botocore.session.create_loader = functools.cache(create_loader)


def read_models() -> None:
    """Read now what the agent and its portal will ask for, so that forked processes have it."""
    session = botocore.session.Session()
    for service in SERVICES:
        session.create_client(service, "us-east-1", aws_access_key_id="made", aws_secret_access_key="up")
