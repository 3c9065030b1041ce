"""Notices on macOS for a Python that may show none itself; the osascript here really runs JavaScript."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import types
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import DesktopPart, Notification, Part
from credtray.desktop.notifications.macos import OsascriptNotifier, has_team, script
from tests.desktop.center_fakes import FakeCenter, Running, running
from tests.desktop.mac_programs import ADHOC, TEAM, MacPrograms
from tests.desktop.test_notifications_native import WARNING

pytestmark = [
    pytest.mark.posix("osascript is played by a script"),
    pytest.mark.skipif(shutil.which("node") is None, reason="osascript's JavaScript is run by node"),
]


@pytest.fixture
def programs(tmp_path: Path) -> MacPrograms:
    return MacPrograms(tmp_path)


def played(center: FakeCenter, programs: MacPrograms) -> DesktopPart:
    """Show one notice to somebody whose desktop-notifier is ``center``; return how notices are served."""

    async def drive() -> DesktopPart:
        async with running(center, "darwin", str(programs.directory)) as agent:
            part = await agent.settled()
            await agent.show(WARNING)
            return part

    return asyncio.run(drive())


@pytest.mark.parametrize("center", [FakeCenter(missing=True), FakeCenter(capable=False)])
def test_python_without_a_bundle_shows_notices_through_osascript_and_says_so(
    center: FakeCenter, programs: MacPrograms
) -> None:
    part = played(center, programs)
    [shown] = programs.shown

    assert (part.name, part.back_end) == (Part.NOTIFICATIONS, "osascript")
    assert "Script Editor shows them" in (part.reason or "")
    assert (shown["title"][:4], shown["text"]) == ("ends", "Sign in. To act, use the tray menu.")


@pytest.mark.parametrize("signature", [ADHOC, None])
def test_python_that_apple_does_not_know_shows_them_through_osascript(
    signature: str | None, programs: MacPrograms
) -> None:
    if signature is not None:
        programs.signed(signature)
    part = played(FakeCenter(allowed=False), programs)

    assert (part.back_end, len(programs.shown)) == ("osascript", 1)


def test_notices_that_a_person_turned_off_are_not_shown_by_other_means(programs: MacPrograms) -> None:
    programs.signed(TEAM)
    with pytest.raises(NotifierUnavailable, match="turned off in System Settings"):
        played(FakeCenter(allowed=False), programs)

    assert programs.shown == []


def test_signature_that_cannot_be_read_counts_as_a_developers(tmp_path: Path) -> None:
    assert has_team("/usr/bin/python3", str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "text",
    [
        "a \"quoted\" \\ back\\\\slash 'single' `tick` ${1}",
        '"}); Application("Finder").quit(); ("',
        "Zoë · 漢字 · 🔑",
        "-e",
    ],
)
def test_text_is_shown_as_it_stands_and_is_no_code(text: str, programs: MacPrograms) -> None:
    OsascriptNotifier(str(programs.directory)).show(Notification("key", text, text))
    [shown] = programs.shown

    assert (shown["title"], shown["text"]) == (text, text)


@settings(max_examples=10)
@given(st.lists(st.text(), min_size=50, max_size=100))
def test_no_text_breaks_out_of_the_script(texts: list[str]) -> None:
    player = (
        "const shown = [], app = {displayNotification: (text, how) => shown.push([how.withTitle, text])};"
        "const Application = {currentApplication: () => app};"
    )
    scripts = "".join(f"{{ {script(text, text[::-1])} }}" for text in texts)
    program = f"{player}{scripts}console.log(JSON.stringify(shown))"
    done = subprocess.run(["node"], input=program, encoding="utf-8", stdout=subprocess.PIPE, check=True)

    assert json.loads(done.stdout) == [[text, text[::-1]] for text in texts]


def test_osascript_gets_no_aws_variable(programs: MacPrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    OsascriptNotifier(str(programs.directory)).show(WARNING)

    assert not [name for name in programs.shown[0]["environment"] if name.startswith("AWS_")]


def test_osascript_that_fails_or_is_missing_is_told(programs: MacPrograms) -> None:
    programs.breaks("osascript")
    with pytest.raises(NotifierUnavailable, match="osascript ended with 1"):
        OsascriptNotifier(str(programs.directory)).show(WARNING)
    with pytest.raises(NotifierUnavailable, match="cannot be started: No such file"):
        OsascriptNotifier("/nowhere").show(WARNING)


def test_desktop_notifier_that_python_warns_about_is_used() -> None:
    """``asyncio.DefaultEventLoopPolicy`` at its import: deprecated since Python 3.14, gone in 3.16."""
    center = FakeCenter()

    def load(name: str) -> types.SimpleNamespace:
        warnings.warn("'asyncio.DefaultEventLoopPolicy' is deprecated", DeprecationWarning, stacklevel=1)
        module: types.SimpleNamespace = center.load(name)
        return module

    async def drive() -> DesktopPart:
        warned: Any = types.SimpleNamespace(load=load)
        async with running(warned) as agent:
            return await Running.settled(agent)

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert asyncio.run(drive()).back_end == "desktop-notifier"
