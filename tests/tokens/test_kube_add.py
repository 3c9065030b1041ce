"""`credtray kube add`: what EKS tells comes into the kubeconfig after a yes, and leaves it again by undo."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from credtray.core.errors import FileContended, SignInRequired
from credtray.core.models import Way
from credtray.core.protocol import Credentials, ListUndo
from credtray.store.text_edits import EditedFiles
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.tokens.stand_in import StandIn, stand_in
from tests.tokens.test_kube_token import CONFIG, lasting
from tests.uninstall.homes import uninstalled

ADD = ("kube", "add", "-P", "foo", "--region", "eu-central-1")
WINDOWS = sys.platform == "win32"
NOTHING_ELSE: dict[str, Any] = {"credentials": [], "profiles": []}
MINE = "# mine\nclusters:\n- name: old # mine\n  cluster: {server: x}\n"


def cluster(name: str, **parts: Any) -> tuple[int, dict[str, Any]]:
    told = {"name": name, "endpoint": f"https://{name}.eks", "certificateAuthority": {"data": "QUJD"}}
    return 200, {"cluster": {**told, **parts}}


@pytest.fixture
def eks(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with stand_in() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", service.url)
        service.answers = {
            "GET /clusters": (200, {"clusters": ["two", "one"]}),
            "GET /clusters/one": cluster("one"),
            "GET /clusters/two": cluster("two"),
        }
        yield service


@pytest.fixture
def config(home: Path) -> Path:
    return home / ".kube" / "config"


def run(*words: str) -> tuple[Outcome, FakeBackend]:
    backend = FakeBackend({Credentials: lasting(), ListUndo: NOTHING_ELSE})
    return credtray(*words, backend=backend), backend


def said(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


def names(path: Path) -> list[str]:
    return [item["name"] for item in said(path)["contexts"] or []]


def test_all_clusters_are_added_with_the_whole_path_of_the_command(eks: StandIn, config: Path) -> None:
    outcome, backend = run(*ADD, "--yes")
    user = said(config)["users"][0]["user"]["exec"]

    assert outcome.code == 0, outcome.err
    assert names(config) == ["one.eu-central-1@foo", "two.eu-central-1@foo"]
    assert Path(user["command"]).is_absolute()
    assert Path(user["command"]).samefile(sys.executable)
    assert user["args"][3:] == ["kube-token", "one", "--profile=foo", "--region=eu-central-1"]
    assert Path(user["args"][2]).is_absolute()
    assert WINDOWS or stat.S_IMODE(config.stat().st_mode) == 0o600
    assert backend.asked[0] == Credentials("foo", Way.KUBE)
    assert "kubectl --context one.eu-central-1@foo get nodes" in outcome.out.replace('"', "")
    assert "canary" not in config.read_text() + outcome.out + outcome.err


def test_command_of_the_entry_runs_without_a_path(eks: StandIn, config: Path) -> None:
    run(*ADD, "--yes", "one")
    user = said(config)["users"][0]["user"]["exec"]
    needed = ("SYSTEMROOT", "USERPROFILE", "LOCALAPPDATA") if WINDOWS else ("HOME",)  # every program has them
    environment = {name: os.environ[name] for name in needed}
    done = subprocess.run([user["command"], *user["args"]], env=environment, capture_output=True, check=False)

    assert b"sign-in is needed" in done.stderr  # it has found itself, and no agent
    assert b"Traceback" not in done.stderr


def test_dry_run_shows_the_difference_and_writes_nothing(eks: StandIn, config: Path) -> None:
    config.parent.mkdir()
    config.write_text(MINE)
    outcome, _ = run(*ADD, "--dry-run", "one")

    assert outcome.code == 0
    assert '+- name: "one.eu-central-1@foo"' in outcome.err
    assert "old" not in outcome.err
    assert config.read_text() == MINE


def test_without_a_terminal_nobody_is_asked_and_nothing_written(eks: StandIn, config: Path) -> None:
    outcome, _ = run(*ADD)

    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert not config.exists()


def test_twice_is_the_same_as_once(eks: StandIn, config: Path) -> None:
    run(*ADD, "--yes")
    once = config.read_bytes()
    outcome, _ = run(*ADD, "--yes")

    assert "Nothing to do" in outcome.out
    assert config.read_bytes() == once


def test_undo_leaves_the_file_as_it_was_to_the_byte(eks: StandIn, config: Path) -> None:
    config.parent.mkdir()
    config.write_text(MINE)
    run(*ADD, "--yes", "one")
    run(*ADD, "--yes", "two")
    listed, _ = run("undo", "--list")
    as_json = json.loads(run("undo", "--list", "--json")[0].out)
    outcome, _ = run("undo", "--yes")

    assert "~/.kube/config, back to before `credtray kube add`" in listed.out.replace("\\", "/")
    assert [each["names"] for each in as_json["files"]] == [
        ["one.eu-central-1@foo"],
        ["two.eu-central-1@foo"],
    ]
    assert outcome.code == 0
    assert config.read_text() == MINE


def test_undo_of_a_file_that_was_not_there_takes_it_away(eks: StandIn, config: Path) -> None:
    run(*ADD, "--yes")
    run("undo", "--yes")

    assert not config.exists()


def test_undo_finds_the_entries_in_a_file_that_kubectl_wrote_anew(eks: StandIn, config: Path) -> None:
    run(*ADD, "--yes", "one")
    data = said(config)
    data["clusters"].append({"name": "other", "cluster": {"server": "x"}})
    with config.open("w") as file:
        YAML(typ="safe", pure=True).dump(data, file)
    before = config.read_text()
    writer = YAML(pure=True)
    with config.open("w") as file:
        writer.dump(data, file)  # block style, as kubectl
    outcome, _ = run("undo", "--yes")

    assert before != config.read_text()
    assert outcome.code == 0, outcome.err
    assert names(config) == []
    assert [item["name"] for item in said(config)["clusters"]] == ["other"]


def test_undo_leaves_what_somebody_has_changed(eks: StandIn, config: Path) -> None:
    run(*ADD, "--yes", "one")
    config.write_text(config.read_text().replace("one.eu-central-1@foo", "renamed"))
    changed = config.read_text()
    outcome, _ = run("undo", "--yes")

    assert outcome.code == 4
    assert "was left as it was: somebody has changed one.eu-central-1@foo since" in outcome.err
    assert config.read_text() == changed


def test_uninstalling_takes_the_entries_out(eks: StandIn, config: Path, home: Path) -> None:
    config.parent.mkdir()
    config.write_text(MINE)
    run(*ADD, "--yes", "one")
    done = uninstalled(home)

    assert done.returncode == 0, done.stderr
    assert config.read_text() == MINE


def test_another_entry_of_that_name_is_left_alone(eks: StandIn, config: Path) -> None:
    config.parent.mkdir()
    config.write_text("users:\n- name: one.eu-central-1@foo\n  user: {token: mine}\n")
    before = config.read_text()
    outcome, _ = run(*ADD, "--yes", "one")

    assert outcome.code == 1
    assert "has another entry named one.eu-central-1@foo" in outcome.err
    assert config.read_text() == before


def test_entry_in_another_file_that_kubectl_reads_counts(
    eks: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'a'}")
    run(*ADD, "--yes", "one")
    (tmp_path / "b").write_text("apiVersion: v1\n")
    monkeypatch.setenv(
        "KUBECONFIG", f"{tmp_path / 'b'}{':' if sys.platform != 'win32' else ';'}{tmp_path / 'a'}"
    )
    outcome, _ = run(*ADD, "--yes")

    assert outcome.code == 0
    assert names(tmp_path / "b") == ["two.eu-central-1@foo"]
    assert names(tmp_path / "a") == ["one.eu-central-1@foo"]


def test_file_that_changes_meanwhile_is_not_overwritten(
    eks: StandIn, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.parent.mkdir()
    config.write_text(MINE)
    write = EditedFiles.write

    def somebody_first(self: EditedFiles, *rest: Any) -> None:
        config.write_text("clusters: []\n")
        write(self, *rest)

    monkeypatch.setattr(EditedFiles, "write", somebody_first)
    outcome, _ = run(*ADD, "--yes", "one")

    assert outcome.code == FileContended.exit_code
    assert "was changed meanwhile" in outcome.err
    assert config.read_text() == "clusters: []\n"
    assert "nothing to undo" in run("undo", "--list")[0].out


@pytest.mark.parametrize(
    ("answers", "words", "why"),
    [
        ({"GET /clusters": (200, {"clusters": []})}, (), "foo sees no cluster in eu-central-1"),
        (
            {"GET /clusters": (403, {"__type": "AccessDeniedException", "message": "no eks:ListClusters"})},
            (),
            "no eks:ListClusters",
        ),
        ({}, ("three",), "knows nothing of that name in eu-central-1"),
        ({}, ("../x",), "is not the name of a cluster"),
        ({"GET /clusters/one": cluster("two")}, ("one",), "DescribeCluster of one"),
        ({"GET /clusters/one": cluster("one", endpoint="http://evil")}, ("one",), "DescribeCluster of one"),
        (
            {"GET /clusters/one": cluster("one", endpoint="https://e\nvil")},
            ("one",),
            "DescribeCluster of one",
        ),
        ({"GET /clusters/one": cluster("one", certificateAuthority={"data": "\n"})}, ("one",), "not base64"),
        ({"GET /clusters/one": (200, b"<html>")}, ("one",), ""),
        ({"GET /clusters/one": (500, {})}, ("one",), "server error"),
    ],
)
def test_far_side_that_says_no_or_lies_changes_nothing(
    answers: dict[str, Any], words: tuple[str, ...], why: str, eks: StandIn, config: Path
) -> None:
    eks.answers |= answers
    outcome, _ = run(*ADD, "--yes", *words)

    assert outcome.code != 0
    assert outcome.out == ""
    assert why in outcome.err.replace("\n", " ")
    assert "canary" not in outcome.err
    assert not config.exists()


def test_address_that_is_none_is_named_by_its_variable(
    eks: StandIn, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", "nowhere")
    outcome, _ = run(*ADD, "--yes")

    assert "AWS_ENDPOINT_URL_EKS is not an address: nowhere" in outcome.err.replace('"', "")
    assert not config.exists()


def test_address_of_a_variable_is_left_aside_where_somebody_says_so(
    eks: StandIn, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # so that nothing leaves this machine
    outcome, _ = run(*ADD, "--yes")

    assert outcome.code != 0
    assert eks.asked == []


def test_cluster_that_is_being_made_and_odd_names_are_left_out(eks: StandIn, config: Path) -> None:
    eks.answers["GET /clusters"] = (200, {"clusters": ["one", "two", "a/../b", "x y"]})
    eks.answers["GET /clusters/two"] = (200, {"cluster": {"name": "two"}})
    outcome, _ = run(*ADD, "--yes")

    assert "two is being created" in outcome.err
    assert names(config) == ["one.eu-central-1@foo"]


def test_many_clusters_come_in_pages(eks: StandIn, config: Path) -> None:
    def page(request: Any) -> tuple[int, Any]:
        if request.query.get("nextToken") == "more":
            return 200, {"clusters": ["two"]}
        return 200, {"clusters": ["one"], "nextToken": "more"}

    eks.answers["GET /clusters"] = page
    run(*ADD, "--yes")

    assert len(names(config)) == 2


def test_signed_out_is_said_as_credentials_says_it(eks: StandIn, config: Path) -> None:
    outcome = credtray(*ADD, "--yes", backend=FakeBackend({Credentials: SignInRequired("corp")}))

    assert outcome.code == 1
    assert "A sign-in is needed: corp" in outcome.err
    assert not config.exists()


def test_printed_command_is_one_word_per_name(eks: StandIn, config: Path, home: Path) -> None:
    (home / ".aws" / "config").write_text(CONFIG.replace("profile foo", "profile 'it is mine'"))
    outcome, _ = run("kube", "add", "one", "-P", "it is mine", "--region", "eu-central-1", "--yes")
    printed = outcome.out.rpartition("Try it: ")[2]

    assert shlex.split(printed)[:3] == ["kubectl", "--context", "one.eu-central-1@it is mine"]
