"""What a careless or unlucky person does to the real programs: one clear error each, and nothing lost."""

from __future__ import annotations

import json
import signal

from tests.end_to_end.house import SESSION, House, profile, until

SETUP = ("setup", "--session", "corp", "--start-url", "https://d-9067000001.awsapps.com/start")


def test_stop_ends_an_agent_that_answers_nothing(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as agent:
        agent.send_signal(signal.SIGSTOP)
        silent = house.run("status", code=3)
        stopped = house.run("stop")

        assert "credtray restart" in silent.stderr
        assert f"The agent (pid {agent.pid}) did not answer, but has stopped now." in stopped.stdout
        assert agent.wait(60) == 0


def test_commands_notice_a_stopped_agent(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as agent:
        agent.send_signal(signal.SIGSTOP)
        done = house.run("activate", "synderys-dns", code=3)

        assert "does not answer" in done.stderr


def test_a_fresh_sign_in_that_could_not_be_saved_is_not_begun(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        before = house.token_file().read_bytes()
        house.token_file().chmod(0o400)  # "leave this alone": refused whoever we are
        failed = house.run("login", "--fresh", "--yes", code=1)
        house.token_file().chmod(0o600)

        assert "is read-only" in failed.stderr
        assert (house.calls("Logout"), len(house.visits())) == (0, 1)
        assert house.token_file().read_bytes() == before
        assert house.session()["state"] == "fresh"


def test_a_directory_for_a_token_is_found_before_the_browser_opens(house: House) -> None:
    house.configure("synderys-dns")
    house.token_file().mkdir(parents=True)
    failed = house.run("login", code=1)

    assert "is not a regular file" in failed.stderr
    assert house.visits() == []


def test_an_unknown_account_is_told_with_the_nearest(house: House) -> None:
    words = ("--region", "us-east-1", "--accounts", "111100000099", "--roles", "all", "--yes")
    failed = house.run(*SETUP, *words, code=2)

    assert "'111100000099' is not one of yours. Did you mean 1111000000" in failed.stderr
    assert not house.config.exists()


def test_a_config_file_that_cannot_be_read_is_no_reason_for_setup(house: House) -> None:
    house.config.parent.mkdir()
    house.config.write_text(SESSION + profile("synderys-dns") + profile("synderys-dns"))
    told = house.run("status").stdout

    assert "line 12: a second section [profile synderys-dns]" in told
    assert "credtray setup" not in told


def test_exit_codes_of_credentials_are_the_same_with_and_without_an_agent(house: House) -> None:
    house.configure("synderys-dns")
    unknown, signed_out = (
        house.run("credentials", "synderys-dsn", code=2),
        house.run("credentials", "synderys-dns", code=1),
    )
    with house.agent():
        until(lambda: len(house.status()["profiles"]) == 1)
        house.run("credentials", "synderys-dsn", code=2)
        house.run("credentials", "synderys-dns", code=1)

    assert (unknown.stdout, signed_out.stdout) == ("", "")


def test_an_answer_of_the_wrong_shape_loses_no_keys_and_passes(house: House) -> None:
    house.configure("synderys-dns", "synderys-readonly")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        before = house.written()
        body = json.dumps({"roleCredentials": {"accessKeyId": "A\nB", "expiration": -1}})
        house.portal.command("inject", operation="GetRoleCredentials", fault={"fault": "body", "body": body})
        failed = house.run("credentials", "synderys-readonly", code=1)
        house.portal.command("clear")

        assert "The portal's answer could not be understood" in failed.stderr
        assert house.written() == before
