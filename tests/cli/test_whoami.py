"""`credtray whoami` with the real programs: the keys, and STS, which names the person."""

from __future__ import annotations

import json

import pytest

from credtray.core.models import person_of
from tests.cli.real_world import World


@pytest.mark.met("L")
def test_the_person_who_signed_in_is_named(world: World) -> None:
    world.configure()
    world.credtray("login")
    done = world.credtray("whoami", "synderys-readonly")
    told = json.loads(world.credtray("whoami", "synderys-readonly", "--json").stdout)

    assert done.stdout == "alice is signed in to synderys. synderys-readonly is ReadOnly in 111100000001.\n"
    assert told == {
        "profile": "synderys-readonly",
        "session": "synderys",
        "person": "alice",
        "account_id": "111100000001",
        "role_name": "ReadOnly",
    }


def test_nobody_is_named_while_nobody_is_signed_in(world: World) -> None:
    world.configure()
    done = world.credtray("whoami", "synderys-readonly")

    assert done.returncode != 0
    assert done.stdout == ""
    assert "credtray login" in done.stderr


def test_a_profile_that_is_not_there_is_named(world: World) -> None:
    world.configure()
    done = world.credtray("whoami", "synderys-readonyl")

    assert done.returncode != 0
    assert "synderys-readonly" in done.stderr


@pytest.mark.parametrize(
    ("arn", "person"),
    [
        (
            "arn:aws:sts::111100000001:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/alice@example.com",
            "alice@example.com",
        ),
        ("arn:aws-cn:sts::111100000001:assumed-role/AWSReservedSSO_A.b_0123456789abcdef/zhang", "zhang"),
        ("arn:aws:sts::111100000001:assumed-role/Deploy/credtray-alice", None),
        ("arn:aws:iam::111100000001:user/alice", None),
        ("arn:aws:sts::111100000001:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/", None),
    ],
)
def test_only_identity_centers_own_roles_name_the_person(arn: str, person: str | None) -> None:
    assert person_of(arn) == person
