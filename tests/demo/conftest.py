"""Fixtures of the Identity Center's own tests."""

from __future__ import annotations

import pytest

from credtray.demo.identity_center import IdentityCenter
from tests.demo.program import Browser, Program


@pytest.fixture
def program(hand_portal: IdentityCenter) -> Program:
    """A program that talks to ``hand_portal``."""
    return Program(hand_portal.url)


@pytest.fixture
def browser(hand_portal: IdentityCenter) -> Browser:
    """A browser without cookies at ``hand_portal``."""
    return Browser(hand_portal.url)
