"""`credtray doctor` and `credtray explain`: what is wrong here, what an error text means, and what to do.

Changes nothing; `credtray repair` does. The JSON documents are contracts: docs/reference/doctor.md.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile
from credtray.core.errors import UnknownProfile, UsageError
from credtray.core.protocol.results import whole_seconds
from credtray.core.words import did_you_mean
from credtray.doctor import resolution
from credtray.doctor.evidence import Facts
from credtray.doctor.explain_error import Explanation
from credtray.doctor.findings import Finding, Severity
from credtray.doctor.resolution.answer import Resolution
from credtray.doctor.symptoms import texts_of

if TYPE_CHECKING:
    from credtray.doctor.collect import Checkup

BROKEN = 1
UNKNOWN_TEXT = 1
_MOST_INPUT = 4 * 1024 * 1024
"""Characters read from standard input: an error text is somewhere in them, or nobody finds it."""


def doctor(
    profiles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROFILE",
            help="Only what concerns these profiles or sessions.",
            autocompletion=complete_profile,
            show_default=False,
        ),
    ] = None,
    online: bool = typer.Option(False, "--online", help="Also try to reach AWS, as the agent would."),
    everything: bool = typer.Option(False, "--all", help="Also show notes, what is fine, and every profile."),
    json_output: JsonOption = False,
) -> None:
    """Find out what is wrong, why, and what to do about it.

    Looks at the AWS files, the sign-ins, the environment, the agent and the desktop. For a profile you name
    it also shows what the AWS CLI and the SDKs really use. Changes nothing, and makes no network requests
    unless you add --online. Exits with 1 when something is broken, else with 0.

    Examples:
      credtray doctor
      credtray doctor synderys-dns
      credtray doctor --online
      credtray doctor --json
    """
    from credtray.doctor.all_rules import concerning, findings
    from credtray.doctor.findings import Severity

    if online and not json_output:
        terminal.say("Trying to reach AWS ...")
    seen = _look(online=online)
    facts, around = seen.facts, seen.surroundings()
    names = tabled(facts, profiles or (), every=everything)
    found = concerning(findings(facts), facts, profiles or ())
    table = {name: row(around, name) for name in names}
    left_out = len({*facts.config.sections, *facts.credentials.sections} - {*names})
    if json_output:
        terminal.show_json(doctor_document(facts, found, table, left_out))
    else:
        from credtray.doctor.view import doctor_view

        terminal.draw(doctor_view(found, table, left_out, everything=everything, named=bool(profiles)))
    if found and found[0].severity is Severity.BROKEN:
        raise typer.Exit(BROKEN)


def explain(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="The error message, or an error code of credtray; read from standard input if left out.",
            show_default=False,
        ),
    ] = None,
    online: bool = typer.Option(False, "--online", help="Also try to reach AWS, as the agent would."),
    everything: bool = typer.Option(False, "--all", help="Show every possible cause in full."),
    json_output: JsonOption = False,
) -> None:
    """Explain an error message: what causes it on this machine, and the fix.

    Paste what the AWS CLI, an SDK, Terraform, kubectl or credtray printed, as much of it as you have. The
    cause that was found here comes first. Nothing of your text is repeated: it may hold secrets. It makes no
    network requests unless you add --online. Exits with 1 when the message is unknown, or not about AWS
    credentials.

    Examples:
      credtray explain "Token has expired and refresh failed"
      aws s3 ls 2>&1 | credtray explain
      credtray explain stale_keys
    """
    from credtray.doctor.explain_error import explain as explained
    from credtray.doctor.explain_error import not_ours

    given = " ".join(text) if text and text != ["-"] else _input()
    if not given.strip():
        raise UsageError(
            "There is no error message to explain", hint='Example: credtray explain "ExpiredToken"'
        )
    causes, whose = explained(given, _look(online=online).facts), not_ours(given)
    if json_output:
        terminal.show_json(explain_document(causes, whose))
    elif causes:
        from credtray.doctor.view import explain_view

        terminal.draw(explain_view(causes, everything=everything, online=online))
    else:
        terminal.complain(
            "This message is not known."
            if whose is None
            else f"This message comes from {whose}; it is not about AWS credentials.",
            "See what is wrong with your AWS setup: credtray doctor",
            kind="warning",
        )
    if not causes:
        raise typer.Exit(UNKNOWN_TEXT)


def _look(*, online: bool) -> Checkup:
    from credtray.doctor import collect

    return collect.look(online=online)


def _input() -> str:
    if sys.stdin.isatty():
        raise UsageError(
            "There is no error message to explain", hint='Give it in quotes: credtray explain "ExpiredToken"'
        )
    raw = getattr(sys.stdin, "buffer", None)
    if raw is None:
        return sys.stdin.read(_MOST_INPUT)
    data: bytes = raw.read(_MOST_INPUT)
    return data.decode(errors="replace")


# The documents of `credtray doctor --json` and `credtray explain --json`: versioned contracts.
#
# Prints nothing and finds nothing out.


VERSION = 1
FEW_PROFILES = 5
"""So many are in the table when nobody named one and none is in use."""


def doctor_document(
    facts: Facts, found: Sequence[Finding], table: Mapping[str, Sequence[Resolution]], more: int
) -> dict[str, Any]:
    """Return what doctor found as plain JSON values; ``more`` profiles are not in the table."""
    return {
        "version": VERSION,
        "now": whole_seconds(facts.now),
        "credtray": facts.version,
        "agent": {"running": facts.agent.running, "version": facts.agent.version},
        "worst": (found[0].severity if found else Severity.FINE).value,
        "findings": [finding_document(item) for item in found],
        "profiles": [
            {"profile": name, "clients": [_client(item) for item in clients]}
            for name, clients in table.items()
        ],
        "profiles_left_out": more,
        "environment": dict(sorted(facts.environ.items())),
    }


def finding_document(item: Finding) -> dict[str, Any]:
    """Return one finding."""
    return {
        "code": item.code,
        "severity": item.severity.value,
        "group": item.kind.group.value,
        "title": item.kind.title,
        "seen": [{"text": sight.text, "file": sight.file, "line": sight.line} for sight in item.seen],
        "cause": item.kind.cause,
        "cure": item.cure,
        "repair": None if item.repair is None else item.repair.value,
        "profiles": list(item.profiles),
        "session": item.session,
        "texts": list(texts_of(item.kind)),
    }


def explain_document(explained: Sequence[Explanation], whose: str | None = None) -> dict[str, Any]:
    """Return the causes of a text, the one that is so here first; none: the text is unknown.

    Args:
        explained: the causes.
        whose: who else an unknown text comes from.
    """
    return {
        "version": VERSION,
        "known": bool(explained),
        "not_about_aws": None if explained else whose,
        "causes": [
            {
                "code": item.kind.code,
                "title": item.kind.title,
                "cause": item.kind.cause,
                "cure": item.cure,
                "repair": None if item.kind.repair is None else item.kind.repair.value,
                "error": item.error,
                "applies_here": item.present is not None,
                "standing": item.standing.value,
                "seen": [] if item.present is None else finding_document(item.present)["seen"],
            }
            for item in explained
        ],
    }


def tabled(facts: Facts, named: Collection[str], *, every: bool) -> tuple[str, ...]:
    """Return the profiles the table is about: those named, all, those in use, or the first few.

    Raises:
        UnknownProfile: a named one is in neither file; the nearest names are offered.
    """
    known = tuple(dict.fromkeys((*facts.config.sections, *facts.credentials.sections)))
    broken = facts.config.text.problem is not None or facts.credentials.text.problem is not None
    for name in named:
        if name not in known and not broken:
            raise UnknownProfile(f"{name!r}.{did_you_mean(name, known)}")
    if named:
        return tuple(dict.fromkeys(named))
    if every:
        return known
    variables = (facts.environ.get("AWS_PROFILE"), facts.environ.get("AWS_DEFAULT_PROFILE"), "default")
    used = dict.fromkeys((*facts.active, *variables))
    return tuple(name for name in used if name in known) or known[:FEW_PROFILES]


def row(around: resolution.ClientEnvironment, profile: str) -> tuple[Resolution, ...]:
    """Return what each client uses for one profile that AWS_PROFILE names."""
    return tuple(resolution.resolve(around, profile, client) for client in resolution.Client)


def _client(item: Resolution) -> dict[str, Any]:
    where = item.where
    return {
        "client": item.client.value,
        "proven": item.client.proven,
        "profile": item.profile,
        "uses": item.provider.value,
        "where": {"place": where.place.value, "name": where.name, "line": where.line},
        "why": item.why,
        "kept_fresh_by_credtray": item.kept_fresh_by_us,
        "notices_renewal": item.will_notice_renewal,
        "troubles": [
            {"kind": trouble.kind.value, "text": trouble.text, "fatal": trouble.fatal}
            for trouble in item.troubles
        ],
    }


# `credtray doctor` and `credtray explain`: what is wrong, and what to do about it.
