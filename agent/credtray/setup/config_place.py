"""The config file that `credtray setup` writes to: where it is, whether it can be, what is there already.

For the terminal and for the page: asks nobody, shows nothing, and changes nothing but the record for undo.
"""

from __future__ import annotations

from collections.abc import Mapping

from credtray.app import Components
from credtray.aws.profile_writer import Written
from credtray.core import ini
from credtray.core.aws_hosts import in_effect
from credtray.core.config.sections import MAX_FILE, Section
from credtray.core.config.setup_edits import SetupWish
from credtray.core.config.sso import parse_config, read_credentials
from credtray.core.errors import CredtrayError, FileRefused
from credtray.core.models import SsoSession
from credtray.core.settings import Settings
from credtray.files.atomic_file import is_null, read_bounded
from credtray.files.in_the_way import spoken_path


def as_read(components: Components, session: SsoSession, settings: Settings) -> SsoSession:
    """Return a new session as it will be read from the config file, so with the endpoints named there."""
    after = components.profile_writer.preview(SetupWish(session, ())).plan.after
    config = parse_config(after, components.environment.environ)
    return in_effect(config, settings).sessions[session.name]


def check_place(components: Components) -> None:
    """Refuse before a person signs in what could not be written at the end.

    Raises:
        FileRefused: AWS_CONFIG_FILE says that there shall be no config file.
    """
    path = components.environment.aws.config
    if is_null(path):
        raise FileRefused(
            f"AWS_CONFIG_FILE is {path}, so profiles cannot be written to it",
            hint="Run `credtray setup` without AWS_CONFIG_FILE, or set it to a file.",
        )


def place_of(components: Components) -> str:
    """Return the config file as a person writes it."""
    return spoken_path(components.environment.aws.config, components.environment.home)


def taken_sections(components: Components) -> frozenset[str]:
    """Return the sections of the credentials file: a profile so named could never have its keys there."""
    try:
        data = read_bounded(components.environment.aws.credentials, MAX_FILE)
        return frozenset(section.name for section in ini.scan(data or b"").sections)
    except CredtrayError:
        return frozenset()  # a broken file takes no keys at all; `credtray status` says so


def credentials_profiles(components: Components) -> Mapping[str, Section]:
    """Return what the credentials file says of profiles; nothing where it is broken or cannot be read."""
    try:
        return read_credentials(components.shared_file(components.environment.aws.credentials).read())
    except CredtrayError:
        return {}


def not_remembered(components: Components, what: str, written: Written) -> CredtrayError | None:
    """Let `credtray undo` know of a change, *what* in a person's words; return why that was not possible."""
    try:
        now = components.ports.clock.now()
        components.undo_file.remember(now, what, written.originals, written.results)
    except CredtrayError as error:
        return error
    return None
