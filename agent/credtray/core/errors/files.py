"""Errors about files of the user, and about addresses written in them."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


class ConfigInvalid(CredtrayError):
    """The AWS config file cannot be read as botocore would read it; the last good state is kept."""

    code = "config_invalid"
    title = "The AWS config file cannot be read"
    hint = "Fix what the message names. Until then, the last good state is used."
    retry = Retry.PERSON


class IncompleteProfile(CredtrayError):
    """A profile or sso-session lacks a setting (or has two that contradict each other)."""

    code = "incomplete_profile"
    title = "The SSO settings are incomplete"
    hint = "Add the missing settings, or run `credtray setup`."
    retry = Retry.PERSON


class SettingsInvalid(CredtrayError):
    """settings.toml cannot be used; the last good settings stay in use."""

    code = "settings_invalid"
    title = "The settings file cannot be used"
    hint = "Fix that line. Until then, the last good settings are used."
    retry = Retry.PERSON
    keys: tuple[str, ...] = ()
    """Which setting is wrong, where the file as such can be read."""


class SectionNotOurs(CredtrayError):
    """The section holds keys that credtray did not write."""

    code = "section_not_ours"
    title = "The section holds keys that credtray did not write"
    hint = "Choose another section name: `credtray activate PROFILE --section NAME`."
    retry = Retry.PERSON


class FileUnparsable(CredtrayError):
    """The file was already broken (botocore refuses all of it)."""

    code = "file_unparsable"
    title = "The credentials file cannot be parsed, so every AWS tool fails on it"
    hint = "Fix that line. credtray does not write to a broken file."
    retry = Retry.PERSON


class IniRefused(CredtrayError):
    """A name or value cannot be written to an AWS file so that every tool reads it back unchanged."""

    code = "ini_refused"
    title = "This cannot be written to an AWS file"
    hint = "Use plain names: letters, digits, and - _ . @ + : /"
    retry = Retry.PERSON


class FileRefused(CredtrayError):
    """The path leads somewhere credtray must not write (link cycle, dangling link, unsafe directory)."""

    code = "file_refused"
    title = "credtray will not write this file"
    hint = "Nothing was changed. Fix what the message names."
    retry = Retry.PERSON


class FileUnwritable(CredtrayError):
    """The system refused the write: read-only, no permission, disk full, I/O error."""

    code = "file_unwritable"
    title = "The file could not be written"
    hint = "Nothing was changed. Free some space or fix the permissions; the agent tries again."
    retry = Retry.LATER


class FileContended(CredtrayError):
    """Another program kept changing the file while credtray tried to write it."""

    code = "file_contended"
    title = "Another program keeps rewriting the file"
    hint = "credtray waits and tries again. If this continues, find the other program."
    retry = Retry.LATER


class NothingToUndo(CredtrayError):
    """There is no recorded change left to undo."""

    code = "nothing_to_undo"
    title = "There is nothing to undo"
    hint = "credtray has changed nothing since the last undo."
    retry = Retry.PERSON


class StartUrlRefused(CredtrayError):
    """credtray does not send a sign-in to this start URL."""

    code = "start_url_refused"
    title = "This start URL cannot be used"
    hint = "Use an https address of AWS, or a custom address that redirects to one."
    retry = Retry.PERSON


class RegionRefused(CredtrayError):
    """The region does not have the form of an AWS region."""

    code = "region_refused"
    title = "This is not an AWS region"
    hint = "Use a region name such as us-east-1."
    retry = Retry.PERSON


class AddressRefused(CredtrayError):
    """The portal named an address that credtray will not open in a browser."""

    code = "address_refused"
    title = "The sign-in address is not safe to open"
    hint = "It does not belong to AWS. Check the start URL with your administrator."
    retry = Retry.PERSON
