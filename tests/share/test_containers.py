"""The texts for docker and compose: one directory, and variables that lead there."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

import pytest

from credtray.share.containers import MOUNT, VARIABLES, compose_words, container_config, docker_words

pytestmark = pytest.mark.posix("containers")
PLACE = PurePosixPath("/run/user/1000/o'dd $HOME/containers/dev")


def test_docker_gets_the_directory_read_only_and_the_variables() -> None:
    words = shlex.split(docker_words(PLACE))

    assert words[words.index("--mount") + 1] == f"type=bind,source={PLACE},target={MOUNT},readonly"
    assert [words[at + 1] for at, word in enumerate(words) if word == "-e"] == [
        f"{name}={value}" for name, value in VARIABLES.items()
    ]


def test_compose_gets_the_same_and_replaces_nothing_in_it() -> None:
    text = compose_words(PLACE)

    assert "source: '/run/user/1000/o''dd $$HOME/containers/dev'\n" in text
    assert f"target: {MOUNT}\n            read_only: true\n" in text
    assert all(f"          {name}: '{value}'\n" in text for name, value in VARIABLES.items())


@pytest.mark.parametrize(("region", "line"), [("eu-west-1", "region = eu-west-1\n"), (None, "")])
def test_the_profile_is_the_default_of_the_container(region: str | None, line: str) -> None:
    text = container_config(region, "laptop").decode()

    assert text == f'[default]\ncredential_process = sh {MOUNT}/keys.get "laptop"\n{line}'
