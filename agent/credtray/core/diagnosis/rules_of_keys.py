"""What the keys in the credentials file and in the environment tell."""

from __future__ import annotations

from collections.abc import Iterator

from credtray.core.diagnosis import causes_of_files as files
from credtray.core.diagnosis import causes_of_keys as kinds
from credtray.core.diagnosis.facts import Facts, KeyKind, KeySection
from credtray.core.diagnosis.finding import Finding, Severity, Sight
from credtray.core.diagnosis.making import clean, found, moment
from credtray.core.endpoint import ADDRESS

_WORDS = {
    KeyKind.LONG_TERM: "long-term keys of an IAM user",
    KeyKind.TEMPORARY: "temporary keys",
    KeyKind.UNKNOWN: "keys",
}


def key_findings(facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with keys, section by section, then in the environment."""
    for section in facts.credentials.keys:
        yield from _section(facts, section)
    yield from _environment(facts)


def _section(facts: Facts, section: KeySection) -> Iterator[Finding]:
    name = clean(section.name)
    path = facts.credentials.text.file.path
    fill = {"section": name}
    kind = _WORDS[section.kind]
    place = Sight(f"[{name}] holds {kind}{_until(facts, section)}", path, section.line)
    if section.old_token:
        yield found(
            kinds.OLD_TOKEN, Sight(f"[{name}]", path, section.line), fill=fill, profiles=_about(section)
        )
    if section.profile is not None:
        yield from _ours(facts, section, place)
        return
    if section.edited:
        yield found(kinds.EDITED_KEYS, place, fill=fill, profiles=_about(section))
    if section.half:
        seen = Sight(f"[{name}] holds one half of a pair", path, section.line)
        yield found(kinds.HALF_KEYS, seen, fill=fill, profiles=_about(section))
    if section.name in facts.config.config.profiles:
        passing = section.kind is KeyKind.TEMPORARY
        shadow = kinds.TEMPORARY_SHADOW if passing else kinds.KEYS_SHADOW
        yield found(shadow, place, fill=fill, profiles=_about(section))
    if section.expires_at is not None and section.expires_at <= facts.now:
        yield found(kinds.FOREIGN_KEYS_ENDED, place, fill=fill, profiles=_about(section))


def _ours(facts: Facts, section: KeySection, place: Sight) -> Iterator[Finding]:
    if section.expires_at is not None and section.expires_at <= facts.now:
        yield found(kinds.STALE_KEYS, place, profiles=_about(section))
    elif not facts.agent.running and not section.pasted:
        yield found(kinds.UNATTENDED_KEYS, place, profiles=_about(section))


def _about(section: KeySection) -> tuple[str, ...]:
    names = (section.name, None if section.pasted else section.profile)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _until(facts: Facts, section: KeySection) -> str:
    kind = "pasted, of" if section.pasted else "of profile"
    owner = "" if section.profile is None else f" {kind} {clean(section.profile)}"
    if section.expires_at is None:
        return owner
    verb = "ended" if section.expires_at <= facts.now else "end"
    return f"{owner} that {verb} at {moment(section.expires_at, facts.now)}"


def _environment(facts: Facts) -> Iterator[Finding]:
    environ = facts.environ
    has_id, has_secret = "AWS_ACCESS_KEY_ID" in environ, "AWS_SECRET_ACCESS_KEY" in environ
    if has_id and not has_secret:
        yield found(files.HALF_ENVIRONMENT_KEYS, Sight("AWS_ACCESS_KEY_ID is set, its secret is not"))
    elif has_secret and not has_id:
        # Nobody takes them like that, and nobody fails: a left-over.
        yield found(
            files.HALF_ENVIRONMENT_KEYS,
            Sight("AWS_SECRET_ACCESS_KEY is set, its key id is not"),
            severity=Severity.NOTE,
        )
    elif has_id:
        names = [name for name in _KEY_VARIABLES if name in environ]
        yield found(files.ENVIRONMENT_KEYS, Sight(f"{', '.join(names)} are set in this shell"))
    if facts.endpoint_answers is False:
        seen = Sight(f"nothing answers at the address that {ADDRESS} names in this shell")
        # With a profile named, most programs never get that far.
        severity = Severity.NOTE if "AWS_PROFILE" in environ else None
        yield found(kinds.ENDPOINT_REFUSED, seen, severity=severity)


_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
