"""What the AWS files tell: how they lie there, whether they can be parsed, what their sections lack."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from credtray.core.settings import dotted
from credtray.core.shell_words import toml_word, unset, word
from credtray.core.words import did_you_mean
from credtray.doctor import finding_texts_of_files as files
from credtray.doctor import finding_texts_of_files as kinds
from credtray.doctor import finding_texts_of_keys as key_causes
from credtray.doctor.evidence import (
    FILES,
    ConfigFacts,
    Facts,
    FileFacts,
    IniFacts,
    KeyKind,
    KeySection,
    Misread,
)
from credtray.doctor.findings import Finding, Severity, Sight, clean, found, moment
from credtray.files.obstacles import Obstacle
from credtray.ways_out.endpoint import ADDRESS

_KINDS = MappingProxyType(
    {
        Obstacle.OWNER: kinds.FILE_OF_OTHER,
        Obstacle.MODE: kinds.PLACE_CLOSED,
        Obstacle.READ_ONLY: kinds.PLACE_READ_ONLY,
        Obstacle.IMMUTABLE: kinds.PLACE_IMMUTABLE,
        Obstacle.DANGLING: kinds.PLACE_TAKEN,
        Obstacle.NO_DIRECTORY: kinds.PLACE_TAKEN,
    }
)
_MOST_MISREAD = 5
_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def file_findings(facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with the files, worst kinds first."""
    yield from _in_the_way(facts)
    yield from _text(facts.config.text)
    yield from _text(facts.credentials.text)
    yield from _misread(facts.config.text)
    yield from _misread(facts.credentials.text)
    yield from _lying(facts, facts.config.text.file, _OTHERS_WRITE)
    secret = bool(facts.credentials.keys) or facts.credentials.text.problem is not None
    yield from _lying(facts, facts.credentials.text.file, _OTHERS if secret else _OTHERS_WRITE)
    for token in facts.tokens.values():
        yield from _lying(facts, token.file, _OTHERS)
    yield from _meaning(facts)
    yield from _variables(facts)


def _in_the_way(facts: Facts) -> Iterator[Finding]:
    both = (facts.config.text.file, facts.credentials.text.file)
    readable = {file.path for file in both if file.unread is None}
    for item in facts.in_the_way:
        kind = _KINDS[item.obstacle]
        place = Sight(f"it {clean(item.text)}", item.path)
        if item.obstacle is Obstacle.OWNER and item.by_root:
            yield found(kinds.ROOT_AT_WORK, place, fill={"owner": word(clean(item.about))})
        else:  # one who may read both files has keys for now
            severity = Severity.WARNING if item.path in readable else Severity.BROKEN
            yield found(kind, place, severity=severity, path=item.place)


def _text(text: IniFacts) -> Iterator[Finding]:
    if text.problem is None:
        return
    path, line = text.file.path, text.problem.line
    if any(place.line == line for places in text.duplicates for place in places):
        for places in text.duplicates:
            lines = ", ".join(str(place.line) for place in places)
            place = Sight(f"[{clean(places[0].name)}] is in lines {lines}", path, places[-1].line)
            yield found(kinds.DUPLICATE_SECTION, place, fill={"place": place.place})
        return
    place = Sight(clean(text.problem.text), path, line)
    yield found(kinds.FILE_UNPARSABLE, place, fill={"place": place.place})


def misread_words(item: Misread, code_page: str | None) -> str:
    """Return what boto3 makes of a line, in a sentence without its full stop."""
    if item.theirs is None:
        return f"{clean(item.ours)} has letters that {code_page} does not know, so boto3 reads nothing"
    if item.theirs == item.ours:
        return f"the value of {clean(item.ours)} is another one in {code_page}"
    return f"{clean(item.ours)} is {clean(item.theirs)} in {code_page}"


def _misread(text: IniFacts) -> Iterator[Finding]:
    for item in text.misread[:_MOST_MISREAD]:
        seen = misread_words(item, text.code_page)
        severity = Severity.BROKEN if item.theirs is None else Severity.WARNING
        yield found(kinds.CODE_PAGE, Sight(seen, text.file.path, item.line), severity=severity)
    if len(text.misread) > _MOST_MISREAD:
        more = f"{len(text.misread) - _MOST_MISREAD} more lines are others in {text.code_page}"
        yield found(kinds.CODE_PAGE, Sight(more, text.file.path), severity=Severity.WARNING)


def _lying(facts: Facts, file: FileFacts, unwanted: int) -> Iterator[Finding]:
    # What is in the way says why, and is a finding already.
    seen = any(f"{file.path}/".startswith(f"{item.path}/") for item in facts.in_the_way)
    if file.unread is not None and not seen:
        yield found(kinds.FILE_UNREADABLE, Sight(clean(file.unread), file.path), path=file.path)
    if file.foreign_owner and not seen:
        yield found(kinds.FILE_OF_OTHER, Sight("it belongs to another user", file.path), path=file.path)
    if file.mode is not None and file.mode & unwanted:
        yield found(kinds.FILE_MODE, Sight(f"its mode is {file.mode:04o}", file.path), path=file.path)
    in_the_way = {item.path for item in facts.in_the_way}  # of another user, say: no mode mends that
    if file.open_above is not None and file.open_above not in in_the_way:
        place = Sight("others may write to this directory", file.open_above)
        yield found(kinds.DIRECTORY_MODE, place, path=file.open_above)
    if file.without_modes:
        yield found(kinds.MODELESS, Sight("its mode is always the same", file.path))
    if file.link is not None:
        yield found(kinds.FILE_LINK, Sight(f"it leads to {clean(file.link)}", file.path))


def _meaning(facts: Facts) -> Iterator[Finding]:
    path = facts.config.text.file.path
    config = facts.config.config
    for item in config.warnings:
        file = facts.credentials if item.in_credentials else facts.config
        place = Sight(f"{clean(item.profile)}: {clean(item.text)}", file.text.file.path, item.line)
        about = () if item.profile.startswith("sso-session ") else (item.profile,)
        severity = Severity.WARNING if _works(facts.config, item.profile) else None
        fill = {"hint": clean(item.hint)}
        yield found(kinds.PROFILE_INCOMPLETE, place, severity=severity, profiles=about, fill=fill)
    for header in facts.config.ignored:
        place = Sight(f"[{clean(header.name)}]", path, header.line)
        yield found(kinds.SECTION_IGNORED, place, fill={"place": place.place})
    legacy = [name for name, item in config.profiles.items() if config.sessions[item.session].legacy]
    if legacy:
        seen = (Sight(f"profile {clean(name)}", *_header_of(facts, name)) for name in legacy)
        yield found(kinds.LEGACY_PROFILES, *seen, profiles=legacy)
    readable = facts.config.text.problem is None and facts.config.text.file.unread is None
    if readable and not config.sessions and not config.profiles and not config.warnings:
        there = "it has none" if facts.config.text.file.exists else "there is no such file"
        yield found(kinds.NOTHING_CONFIGURED, Sight(there, path))
    yield from _settings_of_profiles(facts)


def _works(config: ConfigFacts, section: str) -> bool:
    """Tell whether programs can use the section all the same; a bad region stops them before any request."""
    known = config.config.profiles.get(section)
    if known is None:
        return section.removeprefix("sso-session ") in config.config.sessions
    return known.region is not None or section in config.without_region


def _settings_of_profiles(facts: Facts) -> Iterator[Finding]:
    if facts.config.without_region and not {"AWS_REGION", "AWS_DEFAULT_REGION"} & facts.environ.keys():
        names = facts.config.without_region
        seen = (Sight(f"profile {clean(name)}", *_header_of(facts, name)) for name in names)
        yield found(kinds.REGION_MISSING, *seen, profiles=names)
    for name, reason in facts.old_commands.items():
        place = Sight(f"profile {clean(name)}: {clean(reason)}", *_header_of(facts, name))
        yield found(kinds.OLD_COMMAND, place, profiles=(name,))
    for name, program in facts.missing_programs.items():
        if name in facts.old_commands:
            continue
        text = f"profile {clean(name)}: {clean(program)} does not exist"
        place = Sight(text, *_header_of(facts, name))
        yield found(kinds.PROCESS_MISSING, place, profiles=(name,))


def _header_of(facts: Facts, profile: str) -> tuple[str, int | None]:
    """Return the file and the line where a profile begins; it may stand in the credentials file alone."""
    line = facts.config.sections.get(profile)
    file = facts.config if line is not None else facts.credentials
    return file.text.file.path, line


def _variables(facts: Facts) -> Iterator[Finding]:
    first, second = facts.environ.get("AWS_DEFAULT_PROFILE"), facts.environ.get("AWS_PROFILE")
    if first is not None and second is not None and first != second:
        seen = Sight(f"AWS_DEFAULT_PROFILE is {clean(first)}, AWS_PROFILE is {clean(second)}")
        yield found(kinds.PROFILE_VARIABLES, seen)
    for variable, usual in zip(FILES, ("config", "credentials"), strict=True):
        if facts.environ.get(variable) == "":
            seen = Sight(f"{variable} is empty: boto3 and the AWS CLI do not read ~/.aws/{usual}")
            yield found(kinds.EMPTY_FILE_VARIABLE, seen, fill={"command": unset(variable).on()})
    if facts.config.text.problem is not None or facts.credentials.text.problem is not None:
        return
    known = {"default", *facts.config.sections, *facts.credentials.sections}
    for variable, name in (("AWS_PROFILE", second), ("AWS_DEFAULT_PROFILE", first)):
        if name is not None and name not in known:
            seen = Sight(f"{variable} is {clean(name)}.{did_you_mean(name, known)}")
            yield found(kinds.PROFILE_UNKNOWN, seen)


# What the keys in the credentials file and in the environment tell.


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
            key_causes.OLD_TOKEN, Sight(f"[{name}]", path, section.line), fill=fill, profiles=_about(section)
        )
    if section.profile is not None:
        yield from _ours(facts, section, place)
        return
    if section.edited:
        yield found(key_causes.EDITED_KEYS, place, fill=fill, profiles=_about(section))
    if section.half:
        seen = Sight(f"[{name}] holds one half of a pair", path, section.line)
        yield found(key_causes.HALF_KEYS, seen, fill=fill, profiles=_about(section))
    if section.name in facts.config.config.profiles:
        passing = section.kind is KeyKind.TEMPORARY
        shadow = key_causes.TEMPORARY_SHADOW if passing else key_causes.KEYS_SHADOW
        yield found(shadow, place, fill=fill, profiles=_about(section))
    if section.expires_at is not None and section.expires_at <= facts.now:
        yield found(key_causes.FOREIGN_KEYS_ENDED, place, fill=fill, profiles=_about(section))


def _ours(facts: Facts, section: KeySection, place: Sight) -> Iterator[Finding]:
    if section.expires_at is not None and section.expires_at <= facts.now:
        yield found(key_causes.STALE_KEYS, place, profiles=_about(section))
    elif not facts.agent.running and not section.pasted:
        yield found(key_causes.UNATTENDED_KEYS, place, profiles=_about(section))
    elif section.profile is not None and not section.pasted:
        guarded = facts.settings.guards.get(section.profile, facts.settings.guards_others)
        if guarded:
            setting = toml_word(dotted(("profiles", clean(section.profile), "delivery")))
            yield found(key_causes.UNGUARDED_KEYS, place, fill={"setting": setting}, profiles=_about(section))


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
        yield found(key_causes.ENDPOINT_REFUSED, seen, severity=severity)


_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
