"""The main job with real processes: agent, commands, the portal over HTTP, botocore reading the files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.desktop.autostart import credential_process_command
from tests.end_to_end.house import ROLES, House, profile, until

IDENTITY = """
import boto3, sys
session = boto3.Session(profile_name=sys.argv[1] or None)
sts = session.client("sts", region_name=session.region_name or "us-east-1")
print(sts.get_caller_identity()["Arn"], session.region_name)
"""


def caller(house: House, name: str, **environ: str) -> str:
    """Who AWS thinks we are, as a program with boto3 sees it."""
    command = [sys.executable, "-I", "-c", IDENTITY, name]
    done = subprocess.run(
        command, env={**house.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip() or done.stderr


def test_sign_in_activate_switch_and_boto3_reads_what_was_written(house: House) -> None:
    house.configure()
    with house.agent():
        house.run("login")
        house.run("activate", *ROLES)
        house.run("switch", "synderys-dns")
        keys_only = {"AWS_CONFIG_FILE": "/dev/null"}

        assert [item["state"] for item in house.status()["profiles"]] == ["fresh"] * 3
        assert "assumed-role" in caller(house, "synderys-security", **keys_only)
        assert re.search(r"DNS.* eu-west-1$", caller(house, "", **keys_only))
        assert len(house.visits()) == 1
        assert house.credentials.stat().st_mode & 0o777 == 0o600


def test_login_respects_a_sign_in_that_is_good(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        again = json.loads(house.run("login", "--json").stdout)

        assert again["already"] is True
        assert len(house.visits()) == 1


def test_a_fresh_sign_in_ends_the_old_one_first_and_keys_stay_in_place(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        result = json.loads(house.run("login", "--fresh", "--yes", "--json").stdout)

        assert house.calls("Logout") == 1
        assert len(house.visits()) == 2
        assert result["moved"] in {"later", "unknown"}
        # One key may have been fetched anew, to ask whose sign-in it is; never is there none.
        assert "aws_session_token" in house.written()


def test_two_askers_share_one_sign_in(house: House) -> None:
    house.portal.command("latency", operation="AuthorizePage", seconds=1.5)
    house.configure("synderys-dns")
    with house.agent(), ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: house.run("login", "--json"), range(3)))

        assert len(house.visits()) == 1
        assert len({json.loads(each.stdout)["signed_in_until"] for each in done}) == 1


def test_two_logins_without_an_agent_share_one_sign_in(house: House) -> None:
    house.portal.command("latency", operation="AuthorizePage", seconds=1.5)
    house.configure("synderys-dns")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: house.run("login", "--json"), range(2)))

    assert len(house.visits()) == 1


def test_status_answers_while_a_sign_in_hangs_and_ctrl_c_gives_it_up(house: House) -> None:
    house.portal.command("auto_approve", user=None)
    house.configure("synderys-dns")
    with house.agent():
        pending = house.start("login")
        until(lambda: house.session()["state"] == "signing_in" and house.session()["sign_in_url"])
        assert house.session()["state"] == "signing_in"
        assert pending.poll() is None
        pending.send_signal(signal.SIGINT)
        _, err = pending.communicate(timeout=60)

        assert pending.returncode == 130
        until(lambda: house.session()["state"] == "signed_out")
        assert "Traceback" not in err


@pytest.mark.parametrize("end", [("stop",), ("uninstall", "--yes")], ids=" ".join)
@pytest.mark.parametrize("waiting", [("login",), ("wait", "synderys-dns", "--login", "--timeout", "10m")])
def test_a_sign_in_whose_agent_ends_is_over_and_opens_no_second_page(
    house: House, waiting: tuple[str, ...], end: tuple[str, ...]
) -> None:
    house.portal.command("auto_approve", user=None)
    house.configure("synderys-dns")
    with house.agent():
        pending = house.start(*waiting)
        until(lambda: len(house.visits()) == 1)
        house.run(*end)
        out, err = pending.communicate(timeout=60)

        assert pending.returncode == 3
        assert "it ended before the sign-in was finished" in out + err
        assert "run the command again" in out + err
        assert len(house.visits()) == 1
        assert not house.token_file().exists()


def test_a_cancelled_fresh_sign_in_says_what_is_still_valid_and_keeps_the_keys(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        before = house.written()
        house.portal.command("auto_approve", user=None)
        pending = house.start("login", "--fresh", "--yes")
        until(lambda: house.calls("Logout") == 1)
        pending.send_signal(signal.SIGINT)
        out, err = pending.communicate(timeout=60)

        assert "synderys-dns" in out + err
        assert "valid until" in out + err
        assert house.written() == before


@pytest.mark.met("H1")
def test_a_fresh_sign_in_nobody_comes_for_costs_nothing(house: House) -> None:
    house.configure("synderys-dns")
    house.hesitate()
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        token = house.token_file().read_bytes()
        pending = house.start("login", "--fresh", "--yes")
        until(lambda: len(house.visits()) == 2)
        waiting = house.run("status").stdout
        house.run("credentials", "synderys-dns")
        pending.send_signal(signal.SIGINT)
        _, err = pending.communicate(timeout=60)

        assert "Your current sign-in is not affected (until about " in waiting
        assert "synderys: still signed in" in err
        until(lambda: house.session()["state"] == "fresh")
        assert house.calls("Logout") == 0
        assert house.token_file().read_bytes() == token


@pytest.mark.met("H1")
def test_without_an_answer_to_give_fresh_is_refused_and_costs_nothing(house: House) -> None:
    house.configure("synderys-dns")
    house.run("login")
    failed = house.run("login", "--fresh", code=2)

    assert "This ends your current sign-in, about " in failed.stderr
    assert "add --yes" in failed.stderr
    assert (house.calls("Logout"), len(house.visits())) == (0, 1)


@pytest.mark.met("H1")
def test_an_agent_killed_after_the_old_sign_in_was_ended_still_tells_the_truth(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as agent:
        house.run("login")
        house.run("activate", "synderys-dns")
        before = house.written()
        house.portal.command("auto_approve", user=None)
        pending = house.start("login", "--fresh", "--yes")
        until(lambda: (house.session()["pending"] or {}).get("earlier_ended_at") is not None)
        waiting = house.run("status").stdout
        pending.kill()
        agent.kill()
        pending.communicate(timeout=60)
    with house.agent():
        until(lambda: house.session()["state"] == "expired")
        after = house.run("status").stdout

        assert "Your earlier sign-in was ended at " in waiting
        assert "token renews automatically" not in waiting + after
        assert "ended at " in after
        assert house.written() == before


def test_a_profile_added_by_somebody_is_taken_over_within_five_seconds(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        with house.config.open("a") as file:
            file.write(profile("synderys-readonly"))

        until(lambda: len(house.status()["profiles"]) == 2)


def test_a_broken_config_file_keeps_the_last_good_state_and_names_the_line(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        good = house.config.read_text()
        house.config.write_text(good + "\n[profile broken\n")
        until(lambda: bool(house.status()["problems"]))
        found = house.status()

        assert [item["name"] for item in found["profiles"]] == ["synderys-dns"]
        assert "line" in found["problems"][0]["text"]
        house.config.write_text(good)
        until(lambda: not house.status()["problems"])


def test_somebody_elses_sign_out_is_honoured_and_their_sign_in_adopted(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        token = house.token_file().read_text()
        house.token_file().unlink()
        until(lambda: house.session()["state"] == "signed_out")
        until(lambda: "aws_access_key_id" not in house.written())

        assert not house.token_file().exists()
        house.token_file().write_text(token)
        until(lambda: house.profile("synderys-dns")["state"] == "fresh")
        assert len(house.visits()) == 1


def test_a_torn_token_file_is_never_signed_out(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        whole = house.token_file().read_text()
        house.token_file().write_text(whole[:100])
        until(lambda: house.session()["error"] is not None)

        assert house.session()["state"] == "fresh"
        assert "aws_access_key_id" in house.written()
        house.token_file().write_text(whole)
        until(lambda: house.session()["error"] is None)


def test_keys_leave_the_file_on_stop_and_come_back_after_a_restart_without_a_browser(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        house.run("stop")
        until(lambda: "aws_access_key_id" not in house.written())
    with house.agent():
        until(lambda: "aws_access_key_id" in house.written())

        assert len(house.visits()) == 1
        assert house.session()["end_is_estimate"] is True


def test_a_killed_agent_is_followed_by_the_next_one(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as first:
        house.run("login")
        house.run("activate", "synderys-dns")
        first.kill()
        first.wait()
    with house.agent() as second:
        until(lambda: house.status()["agent"]["pid"] == second.pid)

        assert house.profile("synderys-dns")["active"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_while_the_portal_hangs_and_leave_whole_files(
    house: House, number: signal.Signals
) -> None:
    house.configure("synderys-dns")
    house.portal.command("inject", operation="GetRoleCredentials", fault={"fault": "hang", "seconds": 600})
    with house.agent() as process:
        house.run("login")
        waiting = house.start("activate", "synderys-dns")
        until(lambda: house.calls("GetRoleCredentials") > 0)
        process.send_signal(number)

        assert process.wait(60) == 0  # long before the portal lets go
        waiting.kill()  # by now it asks the portal itself
        waiting.communicate(timeout=60)
    assert list(house.credentials.parent.glob(".credtray-*")) == []


def test_a_second_agent_says_so_and_ends_with_zero(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as process:
        second = house.run("run")

        assert "already running" in second.stdout + second.stderr
        assert process.poll() is None


def test_two_hundred_callers_cost_one_portal_call(house: House) -> None:
    house.portal.command("latency", operation="GetRoleCredentials", seconds=1)
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        door = shlex.split(credential_process_command("synderys-dns"))
        callers = [
            subprocess.Popen(
                door, env=house.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(200)
        ]
        answers = [each.communicate(timeout=60) for each in callers]

        assert {each.returncode for each in callers} == {0}
        assert len({json.loads(out)["AccessKeyId"] for out, _ in answers}) == 1
        assert house.calls("GetRoleCredentials") == 1


def test_credentials_have_more_than_15_minutes_left_and_name_the_account(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        found = json.loads(house.run("credentials", "synderys-dns").stdout)

        assert found["Version"] == 1
        assert found["AccountId"] == "111100000002"
        assert datetime.fromisoformat(found["Expiration"]) > datetime.now(UTC) + timedelta(minutes=15)


def test_credentials_without_an_agent_come_from_the_token_cache_and_write_nothing(house: House) -> None:
    house.configure("synderys-dns")
    house.run("login")
    before = sorted(str(each) for each in house.home.rglob("*"))
    found = json.loads(house.run("credentials", "synderys-dns").stdout)

    assert found["AccessKeyId"].startswith("ASIA")
    assert not house.credentials.exists()
    assert [each for each in sorted(str(each) for each in house.home.rglob("*")) if each not in before] == []


@pytest.mark.parametrize("with_agent", [True, False])
def test_credentials_nobody_signed_in_for_say_the_command_and_open_no_browser(
    house: House, *, with_agent: bool
) -> None:
    house.configure("synderys-dns")
    if with_agent:
        with house.agent():
            done = house.run("credentials", "synderys-dns", code=None)
    else:
        done = house.run("credentials", "synderys-dns", code=None)

    assert done.returncode != 0
    assert done.stdout == ""
    assert "credtray login synderys" in done.stderr
    assert house.visits() == []


def test_activating_without_an_agent_writes_once_and_remembers_the_choice(house: House) -> None:
    house.configure("synderys-dns")
    house.run("login")
    house.run("activate", "synderys-dns")

    assert "aws_access_key_id" in house.written()
    assert house.profile("synderys-dns")["active"] is True


def test_a_revoked_sign_in_is_noticed_without_a_storm_of_calls(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.portal.command("revoke", what="sign_ins")
        house.portal.command("counters", reset=True)
        done = house.run("credentials", "synderys-dns", code=None)

        assert done.returncode != 0
        until(lambda: house.session()["state"] == "expired")
        assert house.calls("CreateToken") <= 1
        assert house.calls("GetRoleCredentials") <= 2
        assert len(house.visits()) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"fault": "throttle"}, "throttled"),
        ({"fault": "status", "status": 503}, "portal_failed"),
        ({"fault": "captive_portal"}, "captive_portal"),
        ({"fault": "drop"}, "offline"),
    ],
)
def test_faults_of_the_portal_are_told_apart_and_pass(
    house: House, fault: dict[str, object], code: str
) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.portal.command("inject", operation="GetRoleCredentials", fault=fault)
        house.run("credentials", "synderys-dns", code=1)

        assert house.session()["error"]["code"] == code
        assert house.session()["state"] == ("offline" if code == "offline" else "fresh")


def fill(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)


def test_a_full_disk_loses_nothing_and_is_retried(house: House) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
    small = house.home / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
    try:
        house.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(small / "credentials")
        old = "[mine]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
        (small / "credentials").write_text(old)
        filler = small / "filler"
        fill(filler)
        with house.agent():
            house.run("activate", "synderys-dns", code=None)
            until(lambda: house.status()["credentials_file"] is not None)

            assert (small / "credentials").read_text() == old
            filler.unlink()
            until(lambda: "ASIA" in (small / "credentials").read_text(), 60)
            assert (small / "credentials").read_text().startswith(old)
    finally:
        subprocess.run(["umount", str(small)], check=True)
