"""Shows and changes on the page what people change of settings.toml, as `credtray settings` does.

The file stays the truth: each form says what it saw, and writes nothing over what somebody changed since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from credtray.app import Components
from credtray.core.errors import CredtrayError, SettingsInvalid, UsageError
from credtray.core.events import FilesChanged
from credtray.core.settings import KINDS, Settings, Where, as_toml, dotted, entry_at, kind_of, literal, typed
from credtray.core.state import State
from credtray.core.words import plain
from credtray.daemon.loop import Loop
from credtray.daemon.workers import Workers
from credtray.desktop.autostart import Autostart, AutostartStatus
from credtray.files.in_the_way import in_the_way, spoken_path
from credtray.page.actions import Fields, Message, out_of_date
from credtray.page.findings import Step, step
from credtray.store.locked_settings import Locked
from credtray.store.settings_file import SettingsFile, has, mapping, settings_of

_LONG = 400
_MOST_SESSIONS = 50


@dataclass(frozen=True, slots=True)
class _Wording:
    """What a setting is called on the page."""

    label: str
    help: str


_GROUPS: Mapping[str, Mapping[str, _Wording]] = MappingProxyType(
    {
        "Notices": {
            "warn_before": _Wording(
                "Warn before a sign-in ends",
                "How long before, such as 30m, 10m. Leave it empty for no warnings.",
            ),
            "working_day": _Wording(
                "Ask once a day for a sign-in that lasts all day",
                "Your usual hours, such as Mon-Fri 09:00-17:30. Leave it empty for never.",
            ),
            "watch_roles": _Wording(
                "Tell of new and removed roles",
                "Once a day and after each sign-in it asks AWS what you have.",
            ),
        },
        "Icon and menu": {
            "icon": _Wording("Colours of the icon", "For which panel it is drawn."),
            "confirm_production": _Wording(
                "Ask before production is chosen in the menu",
                "For profiles that are marked as production. This page always asks.",
            ),
        },
        "What is kept": {
            "history": _Wording(
                "Keep a history",
                "What happened, and which programs were given keys. Never a key.",
            ),
            "remove_keys_at_end": _Wording(
                "Remove expired keys from the credentials file", "They are of no use to any program."
            ),
            "remove_keys_at_sign_out": _Wording("Remove keys when you sign out", "Of that sign-in only."),
            "remove_keys_on_stop": _Wording(
                "Remove keys when credtray stops", "Those that it renews; pasted keys stay."
            ),
        },
    }
)
"""The settings of the page, in their order."""
_PAGES = _Wording(
    "Browser for {session}", "A command, such as firefox -P work %s. Leave it empty for your usual browser."
)
_CHOICES: Mapping[str, str] = MappingProxyType(
    {"auto": "as the panel is", "light": "for a light panel", "dark": "for a dark panel"}
)


@dataclass(frozen=True, slots=True)
class Control:
    """One setting that can be changed."""

    key: str
    """For ids."""
    setting: str
    session: str
    """As it is: for the form. Empty: for all."""
    label: str
    help: str
    kind: str
    """``switch``, ``choice`` or ``text``."""
    value: str
    """As a person types it."""
    was: str
    """What a form says it has seen."""
    choices: tuple[tuple[str, str], ...]
    in_file: bool
    """The file says it; else it is the default."""
    default: str
    set_by: str
    """Where the organisation sets it; empty: the person does."""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    controls: tuple[Control, ...]

    @property
    def production(self) -> bool:
        """Whether one of them is about profiles that are marked as production."""
        return any(each.setting == "confirm_production" for each in self.controls)


@dataclass(frozen=True, slots=True)
class AtLogin:
    """Starting at login, which is not in the file."""

    enabled: bool
    remark: str
    cure: Step


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What the view shows."""

    place: str
    exists: bool
    broken: str
    """What is wrong with the file; empty when it can be used."""
    broken_hint: str
    locked: str
    """What keeps it from being changed; empty for nothing."""
    locked_cure: Step
    groups: tuple[Group, ...]
    at_login: AtLogin | None
    login_problem: str
    undo: str
    """What the undo form says it has seen; empty where there is nothing to take back."""
    production: tuple[str, ...]
    edit: tuple[Step, ...] = (Step("", "credtray settings edit"),)
    commands: tuple[Step, ...] = (Step("See all of them:", "credtray settings"),)


class PageSettings:
    """The settings of one agent. On the loop's thread; files and the desktop are looked at by workers."""

    def __init__(self, components: Components, workers: Workers, loop: Loop) -> None:
        self._components = components
        self._workers = workers
        self._loop = loop
        self._autostart = Autostart()
        self.handlers: Mapping[str, Callable[[Fields], Awaitable[Message]]] = {
            "set": self._set,
            "unset": self._unset,
            "undo-setting": self._undo,
            "at-login": self._at_login,
            "not-at-login": self._not_at_login,
        }
        """What carries out which form."""

    @property
    def _file(self) -> SettingsFile:
        return self._components.settings_file

    @property
    def _home(self) -> Path:
        return self._components.environment.home

    async def view(self) -> SettingsView:
        """Return what the view shows now."""
        status, problem = None, ""
        try:
            status = await self._workers.desktop_result_of(self._autostart.status)
        except CredtrayError as error:
            problem = plain(str(error), _LONG)
        state = self._loop.state
        return await self._loop.file_work(lambda: self._seen(state, status, problem))

    def _seen(self, state: State, status: AutostartStatus | None, login_problem: str) -> SettingsView:
        broken, hint, text, chosen, said = "", "", "", state.settings, dict[str, Any]()
        locked = self._file.locked()
        try:
            text = self._file.text()
            chosen, said = locked.over(settings_of(text)), mapping(text)
        except CredtrayError as error:
            broken, hint = plain(error.detail, _LONG), error.advice
        there = in_the_way(self._file.path, self._home)
        undoable = not broken and _is_there(self._file.backup_path)
        return SettingsView(
            plain(spoken_path(self._file.path, self._home), _LONG),
            _is_there(self._file.path),
            broken,
            hint,
            "" if there is None else f"{plain(there.path, _LONG)} {there.text}",
            Step("") if there is None else step(there.cure),
            tuple(_groups(chosen, said, state, locked)),
            None if status is None else _login(status),
            login_problem,
            _digest(text) if undoable else "",
            tuple(plain(name) for name, each in chosen.profiles.items() if each.production)[:_MOST_SESSIONS],
        )

    # --- changing ---------------------------------------------------------------------------------------

    async def _set(self, fields: Fields) -> Message:
        keys, typed_in = self._keys(fields), fields.get("value", ("",))[0].strip()
        left_empty = not typed_in and kind_of(keys).endswith("| None")
        try:
            value = None if left_empty else typed(keys, _words(keys, typed_in))
        except SettingsInvalid as error:  # in the words of `credtray settings set`
            own = error.advice if error.advice != SettingsInvalid.hint else "Nothing was changed."
            raise UsageError(error.detail, hint=own) from None
        return await self._changed(keys, fields, lambda check: self._file.set(keys, value, check))

    async def _unset(self, fields: Fields) -> Message:
        keys = self._keys(fields)
        return await self._changed(keys, fields, lambda check: self._file.set(keys, None, check))

    async def _changed(
        self, keys: Where, fields: Fields, write: Callable[[Callable[[str], None]], None]
    ) -> Message:
        was = fields.get("was", ("",))[0]

        def check(text: str) -> None:
            there = _literal(self._file.locked().over(settings_of(text)), keys)
            if there != was:
                now = f"{plain(dotted(keys), _LONG)} is {plain(there, _LONG)} now."
                raise UsageError(
                    "Nothing was changed: this setting has changed since you saw it",
                    hint=f"{now} Save again to change it.",
                )

        def work() -> str:
            write(check)
            return _literal(self._file.load(), keys)

        now = await self._loop.file_work(work)
        self._loop.take(FilesChanged())
        return Message("Saved", f"{plain(dotted(keys), _LONG)} = {plain(now, _LONG)}")

    async def _undo(self, fields: Fields) -> Message:
        seen = fields.get("was", ("",))[0]

        def check(text: str) -> None:
            if _digest(text) != seen:
                raise UsageError(
                    "Nothing was changed: the settings have changed since you saw them",
                    hint="Look at them, then try again.",
                )

        await self._loop.file_work(lambda: self._file.undo(check))
        self._loop.take(FilesChanged())
        return Message("Last change undone", "Undo again to redo it.")

    def _keys(self, fields: Fields) -> Where:
        """Return the setting that a form is about; only those of the page.

        Raises:
            UsageError: it is none of them.
        """
        setting, session = (fields.get(name, ("",))[0] for name in ("setting", "session"))
        if not session and any(setting in group for group in _GROUPS.values()):
            return (setting,)
        if setting == "browser" and session in self._loop.state.config.sessions:
            return ("sessions", session, setting)
        raise out_of_date()

    async def _at_login(self, _fields: Fields) -> Message:
        await self._workers.desktop_result_of(self._autostart.enable)
        return Message("credtray starts at login")

    async def _not_at_login(self, _fields: Fields) -> Message:
        await self._workers.desktop_result_of(self._autostart.disable)
        return Message("credtray no longer starts at login")


def _words(keys: Where, typed_in: str) -> tuple[str, ...]:
    """Return what was typed as the words of a command: those of a list apart."""
    if KINDS[kind_of(keys)].each is None:
        return (typed_in,)
    return tuple(typed_in.replace(",", " ").split()) or ("",)


def _groups(chosen: Settings, said: Mapping[str, Any], state: State, locked: Locked) -> Iterator[Group]:
    for title, settings in _GROUPS.items():
        controls = [_control((name,), chosen, said, locked, words) for name, words in settings.items()]
        yield Group(title, tuple(controls))
        sessions = [name for name, each in state.config.sessions.items() if not each.legacy]
        if title == "Notices" and sessions:
            browsers = [_browser(name, chosen, said, locked) for name in sessions[:_MOST_SESSIONS]]
            yield Group("Browser", tuple(browsers))


def _browser(session: str, chosen: Settings, said: Mapping[str, Any], locked: Locked) -> Control:
    words = _Wording(_PAGES.label.format(session=plain(session)), _PAGES.help)
    return _control(("sessions", session, "browser"), chosen, said, locked, words)


def _control(
    keys: Where, chosen: Settings, said: Mapping[str, Any], locked: Locked, words: _Wording
) -> Control:
    lock = locked.lock_of(keys)
    kind = kind_of(keys)
    entry = entry_at(chosen, keys)
    choices = tuple((each, _CHOICES[each]) for each in KINDS[kind].choices if each in _CHOICES)
    digest = sha256(dotted(keys).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return Control(
        f"s-{digest}",
        keys[-1],
        keys[1] if len(keys) > 1 else "",
        words.label,
        words.help,
        "switch" if kind == "bool" else "choice" if choices else "text",
        _typed_form(entry.value),
        _literal(chosen, keys),
        choices,
        has(said, keys),
        _typed_form(entry.default) or "none",
        "" if lock is None else plain(lock.place, _LONG),
    )


def _typed_form(value: Any) -> str:
    """Return a value as a person types it on the page."""
    found = as_toml(value) if value is not None else ""
    if isinstance(found, bool):
        return "on" if found else "off"
    return ", ".join(found) if isinstance(found, list) else found


def _literal(chosen: Settings, keys: Where) -> str:
    value = entry_at(chosen, keys).value
    return "not set" if value is None else literal(value)


def _login(status: AutostartStatus) -> AtLogin:
    remark = status.stale or status.remark or ""
    cure = Step("", status.cure) if status.cure is not None and status.cure.startswith("credtray ") else None
    return AtLogin(status.enabled, plain(remark, _LONG) if remark else "", cure or Step(status.cure or ""))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _is_there(path: Path) -> bool:
    """Tell whether there is a file; True as well in a directory that we may not look into."""
    try:
        return path.exists()
    except OSError:
        return True
