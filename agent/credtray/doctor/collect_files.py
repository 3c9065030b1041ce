"""Looks at the AWS files and reads them into facts. Touches nothing."""

from __future__ import annotations

import codecs
import locale
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from credtray.aws.cache_format import read_token, token_key
from credtray.aws.credentials_file import ACCESS_KEY_ID, KEYS, SECRET_ACCESS_KEY, Ownership, finding
from credtray.core.config.sections import ConfigText, Section, read_config
from credtray.core.config.sso import merged, our_mark, parse_config, whole_credentials
from credtray.core.errors import ConfigInvalid, CredtrayError, FileRefused, TokenMismatch, TokenUnreadable
from credtray.core.ini import SectionSpan, scan, shared_scans
from credtray.core.ini.text import DEFAULT_SECTION
from credtray.core.models import AwsConfig, SsoSession
from credtray.core.own_commands import OwnCommand, own_command
from credtray.core.ports import Mark
from credtray.core.section_mark import PREFIX, parsed
from credtray.core.shell_words import command_words
from credtray.core.words import noted_end
from credtray.doctor.evidence import (
    ConfigFacts,
    CredentialsFacts,
    FileFacts,
    Held,
    IniFacts,
    KeyKind,
    KeySection,
    Misread,
    Place,
    TokenFacts,
)
from credtray.doctor.finding_texts_of_files import CODE_PAGE
from credtray.doctor.findings import found
from credtray.doctor.rules_of_files import misread_words
from credtray.files.atomic_file import CACHE_LIMIT, INI_LIMIT, read_bounded
from credtray.files.directory_safety import check_directory, own_uid, resolve
from credtray.files.in_the_way import keeps_modes

# Reads the credentials file into facts that tell of keys without holding one.


def credentials_facts(text: IniFacts, spans: list[SectionSpan]) -> CredentialsFacts:
    """Return what the sections hold."""
    keys = (_keys(span) for span in spans)
    names = tuple(dict.fromkeys(span.name for span in spans))
    return CredentialsFacts(text, names, tuple(found for found in keys if found is not None))


def _keys(span: SectionSpan) -> KeySection | None:
    values = span.values
    if not any(name in values for name in KEYS):
        return None
    standing = finding(span)
    section = KeySection(
        span.name,
        span.header_line,
        _kind(values.get(ACCESS_KEY_ID, "")),
        half=(ACCESS_KEY_ID in values) is not (SECRET_ACCESS_KEY in values),
        old_token=values.get("aws_security_token", values.get("aws_session_token"))
        != values.get("aws_session_token"),
    )
    if standing.standing is Ownership.OURS and standing.mark is not None:
        mark = standing.mark
        return replace(
            section,
            profile=mark.profile,
            expires_at=mark.expires_at,
            pasted=mark.pasted,
            digest=mark.key_digest,
        )
    edited = any(parsed(item.text) for item in span.comments if item.text.startswith(PREFIX))
    end = noted_end(values)
    return replace(section, expires_at=None if end is None else end[1], edited=edited)


def _kind(access_key_id: str) -> KeyKind:
    return {"AKIA": KeyKind.LONG_TERM, "ASIA": KeyKind.TEMPORARY}.get(access_key_id[:4], KeyKind.UNKNOWN)


Content = tuple[FileFacts, bytes | None]
"""How a file lies there, and its bytes."""


@dataclass(frozen=True, slots=True)
class AwsFiles:
    """Both AWS files as facts, and their bytes for whoever reads them in another way; the bytes hold keys."""

    config: ConfigFacts
    credentials: CredentialsFacts
    config_bytes: bytes | None = None
    credentials_bytes: bytes | None = None

    def __repr__(self) -> str:
        return "AwsFiles(...)"

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The sections that carry our mark."""
        return tuple(
            Mark(item.name, item.profile, item.expires_at, item.digest, item.pasted)
            for item in self.credentials.keys
            if item.profile is not None and item.expires_at is not None
        )


def spoken_path(path: Path, home: Path) -> str:
    """Return the path as a person would name it: ``~/.aws/config``."""
    try:
        return f"~/{path.relative_to(home).as_posix()}"
    except ValueError:
        return str(path)


def read_file(path: Path, home: Path, limit: int) -> Content:
    """Look at one file and read it."""
    facts = FileFacts(spoken_path(path, home))
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            facts = replace(facts, link=spoken_path(path.readlink(), home))
        found = path.stat()
    except FileNotFoundError:
        reason = None if facts.link is None else "the link points to nothing"
        return replace(facts, unread=reason, open_above=_open_above(path, home)), None
    except OSError as error:
        return replace(facts, unread=_reason(error)), None
    if stat.S_ISCHR(found.st_mode):  # /dev/null is how one says that there shall be no such file
        return facts, None
    kept = os.name == "posix" and keeps_modes(path.resolve())
    mode = stat.S_IMODE(found.st_mode) if kept else None
    facts = replace(facts, exists=True, mode=mode, open_above=_open_above(path, home))
    if os.name == "posix" and not kept:
        facts = replace(facts, without_modes=True)
    if kept and found.st_uid != own_uid():
        facts = replace(facts, foreign_owner=True)
    try:
        return facts, read_bounded(path, limit)
    except CredtrayError as error:
        return replace(facts, unread=error.detail), None


def _reason(error: OSError) -> str:
    return os.strerror(error.errno or 0).lower()


def _open_above(path: Path, home: Path) -> str | None:
    """Return the directory of the file, as it really is, when others may swap files in it."""
    try:
        directory = resolve(path).parent
        found = directory.stat()
    except (CredtrayError, OSError):  # reading it tells why
        return None
    try:
        check_directory(directory, found)
    except FileRefused:
        return spoken_path(path.parent, home)
    return None


# --- the two files -----------------------------------------------------------------------------------


def read_both(config: Path, credentials: Path, home: Path) -> tuple[Content, Content]:
    """Read config file and credentials file."""
    return read_file(config, home, INI_LIMIT), read_file(credentials, home, INI_LIMIT)


def code_page_of_boto3(environ: Mapping[str, str]) -> str | None:
    """Return the encoding in which boto3 reads AWS files where that is not UTF-8: on Windows.

    ``configparser`` opens them in the locale's encoding; in UTF-8 mode and from Python 3.15 on that is UTF-8
    (PEP 540, PEP 686). Which Python will run is not known, so only the variable counts.
    """
    if sys.platform == "win32" and environ.get("PYTHONUTF8") != "1":
        page = codecs.lookup(locale.getencoding()).name
        return None if page == "utf-8" else page
    return None


def boto3_warning(lines: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what boto3 makes of lines of a config file, and what to do; None: it reads them as we do."""
    page = code_page_of_boto3(environ)
    other = None if page is None or lines.isascii() else next(misread(lines.encode(), page), None)
    if other is None:
        return None
    seen = misread_words(other, page)
    return f"boto3 reads the config file in another encoding: {seen}", found(CODE_PAGE).cure


def understood(
    config: Content, credentials: Content, environ: Mapping[str, str], code_page: str | None = None
) -> AwsFiles:
    """Return what is in both files; looks at nothing any more."""
    with shared_scans():
        facts = _config(config, credentials[1] or b"", environ)
        text, spans = _ini(credentials[0], credentials[1] or b"")
        return AwsFiles(
            replace(facts, text=_as_boto3_reads(facts.text, config[1] or b"", code_page)),
            credentials_facts(_as_boto3_reads(text, credentials[1] or b"", code_page), spans),
            config[1],
            credentials[1],
        )


def _as_boto3_reads(text: IniFacts, data: bytes, code_page: str | None) -> IniFacts:
    if code_page is None or text.problem is not None or data.isascii():
        return text
    return replace(text, code_page=code_page, misread=tuple(misread(data, code_page)))


def misread(data: bytes, code_page: str) -> Iterator[Misread]:
    """Yield the lines of a UTF-8 file that are others in *code_page*; comments only if it lacks a letter."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.isascii():
            continue
        comment = line.lstrip().startswith((b"#", b";"))
        try:
            theirs = line.decode(code_page)
        except UnicodeDecodeError:
            yield Misread(number, "a comment" if comment else _named(line.decode()), None)
            continue
        if not comment:
            yield Misread(number, _named(line.decode()), _named(theirs))


def _named(line: str) -> str:
    """Return what may be told of a line: a whole header, only the name of a setting."""
    return line.strip() if line.startswith("[") else re.split("[=:]", line, maxsplit=1)[0].strip()


def _ini(file: FileFacts, data: bytes) -> tuple[IniFacts, list[SectionSpan]]:
    text = scan(data)
    places: dict[str, list[Place]] = {}
    for span in text.sections:
        if span.name != DEFAULT_SECTION:
            places.setdefault(span.name, []).append(Place(span.name, span.header_line))
    duplicates = tuple(tuple(same) for same in places.values() if len(same) > 1)
    return IniFacts(file, text.problem, duplicates), text.sections


def _config(content: Content, credentials: bytes, environ: Mapping[str, str]) -> ConfigFacts:
    file, data = content[0], content[1] or b""
    text, spans = _ini(file, data)
    if text.problem is not None:
        return ConfigFacts(text)
    over = whole_credentials(credentials)
    try:
        written, config = read_config(data), parse_config(data, environ, over)
    except ConfigInvalid as error:
        return ConfigFacts(replace(text, file=replace(file, unread=error.detail)))
    sections = merged(written, over)
    return ConfigFacts(
        text,
        config,
        _lines(written.profiles),
        _lines(written.sso_sessions),
        # One file for both: then a header without `profile` is a profile all the same.
        () if data == credentials else tuple(_ignored(spans, written)),
        _without_region(config, sections),
        MappingProxyType(dict(_processes(sections))),
        MappingProxyType(dict(_own_commands(sections))),
    )


def _lines(sections: Mapping[str, Section]) -> Mapping[str, int]:
    return MappingProxyType({name: section.span.header_line for name, section in sections.items()})


_OTHERS = frozenset({"default", DEFAULT_SECTION, "preview", "plugins"})
_TELLING = ("sso_", "aws_", "role_arn", "source_profile", "credential_process", "region")


def _ignored(spans: list[SectionSpan], sections: ConfigText) -> Iterator[Place]:
    """Yield the headers no program reads although somebody meant them to be."""
    every = (sections.profiles, sections.sso_sessions, sections.services)
    used = {section.span.start for named in every for section in named.values()}
    for span in spans:
        if span.start in used or span.name in _OTHERS:
            continue
        telling = any(option.name.startswith(_TELLING) for option in span.options)
        if telling and our_mark(span) is None:
            yield Place(span.name, span.header_line)


def _without_region(config: AwsConfig, sections: ConfigText) -> tuple[str, ...]:
    return tuple(name for name in config.profiles if sections.profiles[name].text("region") is None)


def _processes(sections: ConfigText) -> Iterator[tuple[str, str]]:
    for name, section in sections.profiles.items():
        command = section.text("credential_process")
        try:
            words = command_words(command, windows=sys.platform == "win32") if command else []
        except ValueError:
            continue
        if words:
            yield name, words[0]


def _own_commands(sections: ConfigText) -> Iterator[tuple[str, OwnCommand]]:
    for name, section in sections.profiles.items():
        command = own_command(section.text("credential_process") or "")
        if command is not None:
            yield name, command


def old_commands(commands: Mapping[str, OwnCommand]) -> Mapping[str, str]:
    """Return the profiles whose credential process is ours and starts nothing -> why."""
    reasons = {name: command.outdated(os.path.exists) for name, command in commands.items()}
    return MappingProxyType({name: reason for name, reason in reasons.items() if reason is not None})


def missing_programs(processes: Mapping[str, str], search_path: str | None) -> Mapping[str, str]:
    """Return the profiles whose credential process names a program that does not exist."""
    there: dict[str, bool] = {}
    for program in processes.values():
        if program not in there:
            there[program] = shutil.which(program, path=search_path) is not None
    return MappingProxyType({name: program for name, program in processes.items() if not there[program]})


# Reads the token cache into facts that tell of tokens without holding one.


TORN_PAUSE = 0.1
"""Seconds before the second look at token files that cannot be used: the AWS CLI writes in place."""


def token_facts(sessions: Mapping[str, SsoSession], directory: Path, home: Path) -> Mapping[str, TokenFacts]:
    """Look at the token file of every session; those that cannot be used are looked at twice."""
    found = {name: _token(session, directory, home) for name, session in sessions.items()}
    torn = [name for name, token in found.items() if token.held is Held.UNREADABLE]
    if torn:
        time.sleep(TORN_PAUSE)
        found |= {name: _token(sessions[name], directory, home) for name in torn}
    return MappingProxyType(found)


def _token(session: SsoSession, directory: Path, home: Path) -> TokenFacts:
    file, data = read_file(directory / f"{token_key(session)}.json", home, CACHE_LIMIT)
    if file.unread is not None:
        return TokenFacts(file, Held.UNREADABLE, file.unread)
    if data is None:
        return TokenFacts(file)
    try:
        token = read_token(data, session)
    except TokenMismatch as error:
        return TokenFacts(file, Held.MISMATCH, error.detail)
    except TokenUnreadable as error:
        return TokenFacts(file, Held.UNREADABLE, error.detail)
    registration = token.registration
    return TokenFacts(
        file,
        Held.TOKEN,
        expires_at=token.expires_at,
        has_refresh_token=token.refresh_token is not None,
        registration_ends=None if registration is None else registration.expires_at,
    )
