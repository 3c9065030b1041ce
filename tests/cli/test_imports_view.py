from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import msgspec
from rich.console import Console

from credtray.cli.pasted_view import imports_view
from credtray.cli.status_words import Reader
from credtray.core.protocol import Status
from credtray.core.protocol.results import PastedStatus
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, credtray, document, idle, problem, session


def pasted(section: str, hours: float, state: str, **parts: Any) -> dict[str, Any]:
    return {
        "section": section,
        "account_id": "111122223333",
        "account_name": None,
        "role_name": "ReadOnly",
        "state": state,
        "expires_at": iso(NOW + timedelta(hours=hours)),
        "error": None,
        **parts,
    }


def drawn(*items: dict[str, Any]) -> str:
    console = Console(width=80, no_color=True)
    with console.capture() as shown:
        for part in imports_view([msgspec.convert(item, PastedStatus) for item in items], Reader(NOW, UTC)):
            console.print(part)
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def test_nothing_is_shown_where_nothing_was_pasted() -> None:
    assert drawn() == ""


def test_keys_that_last_are_one_line_without_advice() -> None:
    assert drawn(pasted("legacy", 4, "fresh")) == (
        "Pasted keys\n  [legacy]  111122223333  ReadOnly  until 17:28 (4 h)\n"
    )


def test_keys_that_end_have_ended_or_were_refused_say_what_to_do() -> None:
    refused = pasted("third", 2, "fresh", error=problem("The section holds other keys", "mend it"))
    text = drawn(pasted("one", 0.1, "mandatory"), pasted("two", -1, "expired", account_id=None), refused)

    assert "until 13:34 (6 min)" in text
    assert "ended at 12:28" in text
    assert "The section holds other keys" in text
    assert "credtray import --convert" in text


def test_profiles_lists_them_unless_something_is_searched() -> None:
    found = document([session()], [idle("dev")], imports=[pasted("legacy", 4, "fresh")])

    assert "[legacy]" in credtray("profiles", backend=FakeBackend({Status: found})).out
    assert "[legacy]" not in credtray("profiles", "--search", "dev", backend=FakeBackend({Status: found})).out
