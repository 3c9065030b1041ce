"""What an undo of `credtray setup` brings back, what it leaves alone, and what a preview shows."""

from __future__ import annotations

import pytest

from credtray.core import ini
from credtray.core.config.setup_edits import difference, plan_setup, undo_setup
from credtray.core.config.sso import parse_config
from tests.core.test_config_edits import ADMIN, LAB_ADMIN, READ_ONLY, THEIRS, made, wish


@pytest.mark.parametrize("data", [b"", THEIRS, THEIRS.replace(b"\n", b"\r\n"), THEIRS + b"\n# end\n"])
def test_an_undo_gives_back_the_very_bytes(data: bytes) -> None:
    plan = plan_setup(data, wish(ADMIN, READ_ONLY, LAB_ADMIN, region="eu-west-1"))

    assert undo_setup(plan.after, plan.originals).after == data


def test_an_undo_of_an_update_and_a_pruning_brings_both_back() -> None:
    data = made(ADMIN, READ_ONLY, region="eu-west-1")
    plan = plan_setup(data, wish(ADMIN, region="us-west-2", prune=True))

    assert ini.meaning(undo_setup(plan.after, plan.originals).after) == ini.meaning(data)


def test_an_undo_leaves_alone_what_somebody_changed_since() -> None:
    plan = plan_setup(b"", wish(ADMIN, READ_ONLY))
    changed = ini.set_keys(plan.after, "profile corp-admin", {"cli_pager": "less"})
    undone = undo_setup(changed, plan.originals)

    assert undone.restored == ("profile corp-readonly",)
    assert undone.skipped == {
        "profile corp-admin": "somebody has changed it since",
        "sso-session corp": "profiles still name it",
    }
    assert list(parse_config(undone.after, {}).profiles) == ["corp-admin"]


def test_an_undo_leaves_alone_a_section_whose_role_somebody_has_changed() -> None:
    plan = plan_setup(b"", wish(ADMIN, READ_ONLY))
    results = {header: ini.section_text(plan.after, header) for header in plan.originals}
    changed = ini.set_keys(plan.after, "profile corp-admin", {"sso_role_name": "Other"})
    undone = undo_setup(changed, plan.originals, results)

    assert undone.restored == ("profile corp-readonly",)
    assert undone.skipped["profile corp-admin"] == "somebody has changed it since"


def test_the_difference_never_shows_lines_of_others() -> None:
    data = made(ADMIN, region="eu-west-1") + b"aws_secret_access_key = hunter2\n" + THEIRS
    text = difference(plan_setup(data, wish(ADMIN, READ_ONLY, region="us-west-2")))

    assert "hunter2" not in text
    assert "AKIA" not in text
    assert text.startswith("@@ [profile corp-admin] @@\n-region = eu-west-1\n+region = us-west-2\n")
