"""What `credtray doctor` and `repair` print at the moment of scene.py: made up, by the doctor's own code."""

from __future__ import annotations

import json
from collections.abc import Sequence

from credtray.doctor.all_rules import EVERY_KIND
from credtray.doctor.command import finding_document
from credtray.doctor.findings import Sight, found
from credtray.doctor.repair_plans import REPAIRS, Scene
from credtray.page.checking import Ran
from tests.page.scene import NOW, START_URL

_OLD = "".join(
    f"[profile {name}]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n"
    f"sso_account_id = {account}\nsso_role_name = ReadOnly\n\n"
    for name, account in (("archive", "111100000005"), ("archive-logs", "111100000006"))
)
_CONFIG = f"[sso-session synderys]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n\n{_OLD}"
_KINDS = {kind.code: kind for kind in EVERY_KIND}
_OURS = "SSO settings override keys in either file."
_SHADOWED = "Keys in the credentials file override the SSO settings of this profile."
_ENDED = {"kind": "keys-expired", "text": "These keys expired at 13:58; AWS refuses them.", "fatal": True}


async def answered(words: Sequence[str]) -> Ran:
    """Answer as a command of this installation would."""
    document = _repair() if words[0] == "repair" else _doctor(named="--" in words)
    return Ran(0, json.dumps(document).encode(), "")


def _doctor(*, named: bool) -> dict[str, object]:
    findings = [
        found(
            _KINDS["environment_keys"],
            Sight("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set"),
            fill={"command": "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"},
        ),
        found(
            _KINDS["legacy_profiles"],
            Sight("profile archive", "~/.aws/config", 41),
            Sight("profile archive-logs", "~/.aws/config", 47),
        ),
        found(_KINDS["aws_cli_old"], Sight("`aws` is version 2.9.19")),
        found(_KINDS["signed_in"], Sight("synderys until 17:20"), Sight("lab until 14:25")),
        found(_KINDS["agent_running"], Sight("version 0.1.0")),
    ]
    table = [
        _client("AWS CLI v2", "SSO (sso-session)", _OURS),
        _client("boto3", "SSO (sso-session)", _OURS),
        _client("AWS SDK for Go v2", "keys in the credentials file", _SHADOWED, _ENDED, proven=False),
        _client("AWS SDK for JavaScript v3", "keys in the credentials file", _SHADOWED, _ENDED),
        _client("AWS SDK for Java 2.x", "SSO (sso-session)", _OURS, proven=False),
    ]
    shown = findings[1:] if named else findings
    rows = [{"profile": "synderys-dns", "clients": table}] if named else []
    return {"findings": [finding_document(item) for item in shown], "profiles": rows}


def _client(
    name: str, uses: str, why: str, *troubles: dict[str, object], proven: bool = True
) -> dict[str, object]:
    answer = {"client": name, "proven": proven, "uses": uses, "why": why, "troubles": troubles}
    return {**answer, "kept_fresh_by_credtray": not troubles}


def _repair() -> dict[str, object]:
    repair = REPAIRS["legacy_profiles"]
    plan = repair.plan(Scene(NOW, _CONFIG.encode()))
    case: dict[str, object] = {
        "name": "legacy_profiles",
        "title": repair.title,
        "needed": True,
        "undoable": True,
        "preview_id": plan.preview_id,
        "changes": plan.changes,
        "diff": plan.diff,
        "left_alone": dict(plan.left_alone),
        "next_steps": plan.next_steps,
    }
    return {"repairs": [case]}
