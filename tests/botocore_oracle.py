"""What botocore makes of a file, or of both files together: the judge of every test of what they mean."""

from __future__ import annotations

import configparser
import io
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import botocore.configloader
import botocore.exceptions
from botocore.session import Session


def plain(data: bytes) -> dict[str, dict[str, str]] | None:
    """Parse with botocore's parser, nested blocks unparsed and [DEFAULT] apart; None when it refuses."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError):
        return None
    defaults = dict(parser.defaults())
    found: dict[str, dict[str, str]] = {name: dict(parser._sections[name]) for name in parser.sections()}  # type: ignore[attr-defined]  # the values without [DEFAULT]'s
    if defaults:
        found["DEFAULT"] = defaults
    return found


def readable(data: bytes) -> bool:
    """Tell whether the real botocore reads the file."""
    descriptor, name = tempfile.mkstemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108 - only speed
    try:
        os.write(descriptor, data)
        botocore.configloader.raw_config_parse(name)
    except botocore.exceptions.ConfigParseError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
        Path(name).unlink()


def profiles(path: Path) -> dict[str, dict[str, str]]:
    """Read a credentials file as a boto3 session would."""
    found: dict[str, dict[str, str]] = botocore.configloader.raw_config_parse(str(path))
    return found


@cache
def _session() -> Session:
    return Session()  # ten milliseconds each


def both_files(config: str | Path, credentials: str | Path) -> dict[str, Any]:
    """Read both files as a boto3 session does."""
    session = _session()
    session._config = None  # type: ignore[attr-defined]  # what it read the last time
    session.set_config_variable("config_file", str(config))
    session.set_config_variable("credentials_file", str(credentials))
    found: dict[str, Any] = session.full_config
    return found
