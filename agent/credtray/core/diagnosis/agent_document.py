"""Reads the status document of an agent of whatever version: what it lacks is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from credtray.core.diagnosis.facts import AgentFacts, PartSight, SessionSight, Trouble


def agent_facts(document: Mapping[str, Any]) -> AgentFacts:
    """Return what a running agent's ``credtray status --json`` tells."""
    sessions = {str(item.get("name")): _session(item) for item in _tables(document.get("sessions"))}
    profiles = {
        str(item.get("name")): trouble
        for item in _tables(document.get("profiles"))
        if (trouble := _trouble(item.get("error"))) is not None
    }
    problems = (_trouble(item) for item in _tables(document.get("problems")))
    desktop = document.get("desktop")
    return AgentFacts(
        running=True,
        version=_text(_table(document.get("agent")).get("version")),
        problems=tuple(item for item in problems if item is not None),
        credentials_file=_trouble(document.get("credentials_file")),
        sessions=MappingProxyType(sessions),
        profiles=MappingProxyType(profiles),
        desktop=MappingProxyType({name: _part(part) for name, part in _table(desktop).items()}),
        endpoint=isinstance(_table(document.get("endpoint")).get("port"), int),
    )


def _session(item: Mapping[str, Any]) -> SessionSight:
    return SessionSight(str(item.get("state")), _trouble(item.get("error")))


def _part(item: Any) -> PartSight:
    part = _table(item)
    return PartSight(_text(part.get("back_end")), _text(part.get("reason")))


def _trouble(item: Any) -> Trouble | None:
    if not isinstance(item, Mapping):
        return None
    return Trouble(str(item.get("code")), _text(item.get("text")) or "", _text(item.get("hint")) or "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tables(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())
