"""`credtray agent`: each block has the documented form, and comes into a file that keeps all the rest."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import FileRefused
from credtray.core.protocol import ListUndo
from credtray.core.shell_words import command_words
from credtray.store.text_edits import applied
from credtray.tokens.coding_agents import PLACES, Tool, Wish, merged, pieces_between, printed
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.tokens.test_kube_token import CONFIG

WISH = Wish("a 'b' \"c\"", "eu-central-1", "/opt/python x", "/opt/python wait")


@pytest.fixture
def config(home: Path) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def run(*words: str) -> Outcome:
    backend = FakeBackend({ListUndo: {"credentials": [], "profiles": []}})
    return credtray(*words, backend=backend)


def test_blocks_have_the_documented_forms() -> None:
    claude, opencode = (json.loads(printed(tool, WISH)) for tool in (Tool.CLAUDE_CODE, Tool.OPENCODE))

    assert claude == {
        "awsAuthRefresh": WISH.refresh,
        "awsCredentialExport": WISH.export,
        "env": {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "eu-central-1"},
    }
    assert opencode["provider"]["amazon-bedrock"]["options"] == {
        "region": "eu-central-1",
        "profile": WISH.profile,
    }
    assert tomllib.loads(printed(Tool.CODEX, WISH)) == {
        "model_provider": "amazon-bedrock",
        "model_providers": {"amazon-bedrock": {"aws": {"region": "eu-central-1", "profile": WISH.profile}}},
    }
    assert json.loads(printed(Tool.MCP, WISH))["env"] == {
        "AWS_PROFILE": WISH.profile,
        "AWS_REGION": "eu-central-1",
    }
    assert "provider: bedrock" in printed(Tool.CONTINUE, WISH)
    assert f"Profile: {WISH.profile}" in printed(Tool.CLINE, WISH)


JSON_FORMS = [
    "",
    "{}",
    "{ }\n",
    "{\n}\n",
    '{"model": "opus"}',
    '{\n    "model": "opus",\n    "env": {\n        "MINE": "1"\n    }\n}\n',
    '{\n\t"env": {"AWS_REGION": "us-east-1", "MINE": "1"},\n\t"awsCredentialExport": "mine"\n}\n',
    '{"env": "odd", "x": [1, {"awsAuthRefresh": 2}]}',
    '{\r\n  "a": 1\r\n}\r\n',
    '\ufeff{"a": 1}',
]


@pytest.mark.parametrize("text", JSON_FORMS)
def test_json_keeps_what_was_there(text: str) -> None:
    block = PLACES[Tool.CLAUDE_CODE].block(WISH)
    after = merged(text, block, toml=False)
    before = json.loads(text.removeprefix("\ufeff") or "{}")
    says = json.loads(after.removeprefix("\ufeff"))

    assert {name: says[name] for name in before.keys() - block.keys()} == {
        name: before[name] for name in before.keys() - block.keys()
    }
    assert says["env"]["AWS_REGION"] == "eu-central-1"
    assert says["env"].get("MINE") == ("1" if "MINE" in text else None)
    assert merged(after, block, toml=False) == after
    assert applied(text.encode(), pieces_between(text, after)) == after.encode()
    assert ("\r\n" in after) is ("\r\n" in text)


NAMES = st.text('abc "\\\u00e9', min_size=1, max_size=3) | st.sampled_from(["env", "awsAuthRefresh"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('abc{}[]",:\\ ', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(
    there=st.dictionaries(NAMES, VALUES, max_size=4),
    indent=st.sampled_from([None, 2, 4, "\t"]),
)
def test_any_json_is_joined_and_proven(there: dict[str, Any], indent: int | str | None) -> None:
    text = json.dumps(there, indent=indent)
    block = PLACES[Tool.CLAUDE_CODE].block(WISH)
    says = json.loads(merged(text, block, toml=False))

    assert {name: says[name] for name in there if name not in block} == {
        name: value for name, value in there.items() if name not in block
    }
    assert block["env"].items() <= says["env"].items()


TOML_FORMS = [
    "",
    "# mine\nmodel = 'gpt' # dear\n\n[tools]\nx = 1\n",
    'model_provider = "openai"\n[model_providers.mine]\nname = "m"\n',
    '[model_providers.amazon-bedrock.aws]\nprofile = "old" # why\nother = 1\n',
    "[a]\r\nb = 1\r\n",
]


@pytest.mark.parametrize("text", TOML_FORMS)
def test_toml_keeps_what_was_there(text: str) -> None:
    after = merged(text, PLACES[Tool.CODEX].block(WISH), toml=True)
    says = tomllib.loads(after)

    assert says["model_provider"] == "amazon-bedrock"
    assert says["model_providers"]["amazon-bedrock"]["aws"]["profile"] == WISH.profile
    assert all(line in after for line in text.splitlines() if "#" in line and "why" not in line)
    assert merged(after, PLACES[Tool.CODEX].block(WISH), toml=True) == after
    assert applied(text.encode(), pieces_between(text, after)) == after.encode()


@pytest.mark.parametrize(
    ("text", "toml"),
    [
        ("{", False),
        ("[]", False),
        ('"x"', False),
        ("// why\n{}", False),
        ('{"a": 1, "a": 2, "env": {}, "env": 3}', False),
        ("{" * 100_000, False),
        ("a = ", True),
        ("a = 1\na = 2\n", True),
        ("model_providers = 1\n[x]\n", True),
    ],
)
def test_what_cannot_be_joined_is_refused_or_proven(text: str, *, toml: bool) -> None:
    block = PLACES[Tool.CODEX if toml else Tool.CLAUDE_CODE].block(WISH)
    try:
        after = merged(text, block, toml=toml)
    except FileRefused as refused:
        assert "Leave out --write" in refused.advice  # noqa: PT017 -- either outcome is right
        return
    assert (tomllib.loads if toml else json.loads)(after)


# --- the command -------------------------------------------------------------------------------------

CLAUDE = ("agent", "claude-code", "-P", "foo", "--region", "eu-central-1")


@pytest.mark.parametrize("tool", Tool)
def test_every_tool_prints_its_settings_and_where_they_go(tool: Tool, config: Path) -> None:
    outcome = run("agent", tool, "-P", "foo", "--region", "eu-central-1")

    assert outcome.code == 0
    assert "foo" in outcome.out
    assert outcome.err.strip()


def test_commands_of_claude_code_name_their_whole_path(config: Path) -> None:
    block = json.loads(run(*CLAUDE).out)
    export, refresh = (
        command_words(block[name], windows=sys.platform == "win32")
        for name in ("awsCredentialExport", "awsAuthRefresh")
    )

    assert export[-4:] == ["credentials", "--form", "sts", "foo"]
    assert refresh[-5:] == ["wait", "--login", "--timeout", "10m", "foo"]
    assert Path(export[0]).is_absolute()
    assert Path(refresh[0]).is_absolute()
    assert "-S" not in refresh  # it needs more than the standard library


def test_written_settings_are_undone_to_the_byte(config: Path, home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text('{\n  "model": "opus"\n}\n')
    before = path.read_bytes()
    written = run(*CLAUDE, "--write", "--yes")
    again = run(*CLAUDE, "--write", "--yes")
    says = json.loads(path.read_text())
    undone = run("undo", "--yes")

    assert written.code == 0, written.err
    assert "Nothing to do" in again.out
    assert says["model"] == "opus"
    assert says["env"]["AWS_REGION"] == "eu-central-1"
    assert undone.code == 0, undone.err
    assert path.read_bytes() == before


def test_file_that_was_not_there_goes_again(config: Path, home: Path) -> None:
    path = home / ".codex" / "config.toml"
    written = run("agent", "codex", "-P", "foo", "--region", "us-west-2", "--write", "--yes")
    there = path.exists()
    run("undo", "--yes")

    assert (written.code, there, path.exists()) == (0, True, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("agent", "vim", "-P", "foo"), "'vim' is not one of"),
        (
            ("agent", "cline", "-P", "foo", "--region", "us-west-2", "--write"),
            "does not write the settings of cline",
        ),
        ((*CLAUDE, "--write"), "--yes"),
        (("agent", "codex", "-P", "fooo", "--region", "us-west-2"), "Did you mean foo?"),
        (("agent", "codex", "-P", "foo"), "foo has no region"),
    ],
)
def test_misuse_is_said_and_nothing_written(
    words: tuple[str, ...], said: str, config: Path, home: Path
) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err.replace("\n", " ")
    assert not (home / ".claude").exists()


def test_broken_file_is_named_and_left_alone(config: Path, home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text("{ // mine\n}")
    outcome = run(*CLAUDE, "--write", "--yes")

    assert outcome.code == 1
    assert str(path) in outcome.err.replace("\n", "")
    assert path.read_text() == "{ // mine\n}"
