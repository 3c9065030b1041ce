"""A small, faithful IAM Identity Center with portal, STS and federation endpoint, on loopback.

For the demo and the tests: every account, key and token in it is made up. It never asks a real service.
"""

from credtray.demo.identity_center.instance import (
    REGION,
    SESSION_NAME,
    START_URL,
    VANITY_HOST,
    Clock,
    Directory,
    FastClock,
    generated,
    synderys,
    system_clock,
)
from credtray.demo.identity_center.service import IdentityCenter
from credtray.demo.identity_center.tokens import Rotation

__all__ = [
    "REGION",
    "SESSION_NAME",
    "START_URL",
    "VANITY_HOST",
    "Clock",
    "Directory",
    "FastClock",
    "IdentityCenter",
    "Rotation",
    "generated",
    "synderys",
    "system_clock",
]
