"""Finds out whether the panel is light or dark, as far as the system tells.

Only a hint: what nobody knows is ``Panel.AUTO``, whose icon is readable on both. Draws nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from credtray.core.errors import BusCallFailed
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus, use_connections
from credtray.desktop.bus.signals import ERRORS, Signal
from credtray.desktop.icon import Panel

PORTAL = "org.freedesktop.portal.Desktop"
PORTAL_PATH = "/org/freedesktop/portal/desktop"
SETTINGS = "org.freedesktop.portal.Settings"
NAMESPACE, KEY = "org.freedesktop.appearance", "color-scheme"
"""Where the desktop tells what people prefer: 0 nothing, 1 dark, 2 light (portal.Settings)."""
_PREFERS_DARK, _PREFERS_LIGHT = 1, 2
_UNKNOWN_METHOD = f"{ERRORS}.UnknownMethod"


def wanted_panel(setting: str, found: Panel) -> Panel:
    """Return for which panel to draw: the setting ``icon`` wins over what was found."""
    return found if setting == Panel.AUTO.value else Panel(setting)


def panel_for(scheme: object, desktops: str) -> Panel:
    """Return which panel to expect where programs are asked to be light or dark.

    Dark programs go with a dark panel everywhere. With light ones the panel is light too, but not in GNOME:
    its bar may be dark all the same, and this setting does not tell.

    Args:
        scheme: what the portal answered; anything it should not be counts as no preference.
        desktops: ``XDG_CURRENT_DESKTOP``, such as ``ubuntu:GNOME``.
    """
    if scheme == _PREFERS_DARK:
        return Panel.DARK
    if scheme == _PREFERS_LIGHT and "GNOME" not in desktops.split(":"):
        return Panel.LIGHT
    return Panel.AUTO


async def watch_theme(bus: SessionBus, changed: Callable[[Panel], None], environ: Mapping[str, str]) -> None:
    """Call ``changed`` with the panel there is, at once and whenever it becomes another, until cancelled.

    A desktop that tells nothing has ``Panel.AUTO``; one that stops answering keeps what it told last.
    """
    theme = _Theme(environ.get("XDG_CURRENT_DESKTOP", ""), changed)
    theme.take(None)
    # That there is no bus is said in `status` by the tray.
    await use_connections(bus, theme.follow, lambda _trouble: None)


class _Theme:
    """The panel that was told last."""

    def __init__(self, desktops: str, changed: Callable[[Panel], None]) -> None:
        self._desktops = desktops
        self._changed = changed
        self._told: Panel | None = None

    def take(self, scheme: object) -> None:
        panel = panel_for(scheme, self._desktops)
        if panel is not self._told:
            self._told = panel
            self._changed(panel)

    def hear(self, signal: Signal) -> None:
        match signal.body:
            case [str() as namespace, str() as key, scheme] if (namespace, key) == (NAMESPACE, KEY):
                self.take(scheme)
            case _:
                pass  # another setting, or nothing a portal would send

    async def follow(self, connection: Connection) -> None:
        """Ask each portal that comes up, and listen to what it tells; return when the connection is gone."""
        async with connection.listen(
            self.hear, sender=PORTAL, interface=SETTINGS, member="SettingChanged", arg0=NAMESPACE
        ):
            # Asked also when nobody is there yet: like every program's question it starts the portal.
            async for _owner in connection.owners(PORTAL):
                scheme = await _asked(connection)
                if scheme is not None:
                    self.take(scheme)


async def _asked(connection: Connection) -> object:
    """Return what the portal answers; None when it does not."""
    for member in ("ReadOne", "Read"):  # the second is all that portals before 1.17 know
        try:
            values = await connection.call(PORTAL, PORTAL_PATH, SETTINGS, member, "ss", [NAMESPACE, KEY])
        except BusCallFailed as error:
            if error.error_name != _UNKNOWN_METHOD:
                return None
        else:
            return values[0] if values else None
    return None


def system_panel() -> Panel:
    """Return what Windows says of its task bar; ``AUTO`` where it says nothing, and on all other systems."""
    light = _taskbar_is_light()
    if light is None:
        return Panel.AUTO
    return Panel.LIGHT if light else Panel.DARK


if sys.platform == "win32":
    import winreg

    _PERSONALIZE = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"

    def _taskbar_is_light() -> bool | None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _PERSONALIZE) as key:
                value, _kind = winreg.QueryValueEx(key, "SystemUsesLightTheme")
        except OSError:
            return None
        return bool(value)

else:

    def _taskbar_is_light() -> bool | None:
        return None
