"""How the test desktop is furnished: the files its panel and its notification daemons read.

Starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.on_a_desktop.screen import SIZE

PANEL_SIZE = 30


class Theme(Enum):
    """The colours of panel, menu and notifications."""

    LIGHT = "light"
    DARK = "dark"

    @property
    def gtk(self) -> str:
        return "Adwaita:dark" if self is Theme.DARK else "Adwaita"


class Daemon(Enum):
    """Who shows notifications."""

    DUNST = "dunst"
    """Draws no buttons: a click anywhere means the default action."""
    XFCE = "xfce4-notifyd"
    """Draws every action as a button."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands on the desktop; None: no notification daemon."""

    theme: Theme = Theme.LIGHT
    daemon: Daemon | None = Daemon.DUNST
    size: tuple[int, int] = SIZE
    """How many pixels the screen has, across and down."""
    scale: int = 1
    """How many of them a point has, across and down, as on a screen of high resolution."""
    panel_size: int = PANEL_SIZE
    """How high the panel is, in points."""


# configver 2: without it a dialog of the first start stands in the way.
# The separator pushes the tray to the right end, where people have it.
_PANEL = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="{dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="{size}"/>
      <property name="icon-size" type="uint" value="{icon}"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""

_XFCE_NOTIFYD = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-notifyd" version="1.0">
  <property name="theme" type="string" value="Default"/>
  <property name="notify-location" type="uint" value="3"/>
  <property name="initial-opacity" type="double" value="1.0"/>
  <property name="do-fadeout" type="bool" value="false"/>
  <property name="do-slideout" type="bool" value="false"/>
  <property name="notification-log" type="bool" value="false"/>
</channel>
"""

_DUNST = """\
[global]
    origin = top-right
    offset = 12x44
    width = 360
    font = DejaVu Sans 10
    frame_width = 1
    corner_radius = 4
    padding = 12
    horizontal_padding = 14
    max_icon_size = 32
    idle_threshold = 0
    mouse_left_click = do_action, close_current
[urgency_low]
    {colours}
[urgency_normal]
    {colours}
[urgency_critical]
    {colours}
"""
_DUNST_COLOURS = {
    Theme.LIGHT: 'background = "#fafafa"\n    foreground = "#222222"\n    frame_color = "#c0c0c0"',
    Theme.DARK: 'background = "#2b2b2b"\n    foreground = "#eeeeee"\n    frame_color = "#505050"',
}


def furnish(config: Path, furniture: Furniture) -> None:
    """Write every file the desktop's programs read, below *config* (their XDG_CONFIG_HOME)."""
    theme = furniture.theme
    channels = config / "xfce4" / "xfconf" / "xfce-perchannel-xml"
    channels.mkdir(parents=True)
    dark = "true" if theme is Theme.DARK else "false"
    (channels / "xfce4-panel.xml").write_text(
        _PANEL.format(dark=dark, size=furniture.panel_size, icon=furniture.panel_size - 8)
    )
    (channels / "xfce4-notifyd.xml").write_text(_XFCE_NOTIFYD)
    dunst = config / "dunst"
    dunst.mkdir()
    (dunst / "dunstrc").write_text(_DUNST.format(colours=_DUNST_COLOURS[theme]))
