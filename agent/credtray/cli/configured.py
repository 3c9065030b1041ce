"""What the config file and the settings say together, for commands that work without the agent.

Reads two files and asks nobody.
"""

from __future__ import annotations

from credtray.app import Components
from credtray.core.aws_hosts import in_effect
from credtray.core.models import AwsConfig
from credtray.core.settings import Settings


def configuration(components: Components) -> tuple[AwsConfig, Settings]:
    """Return the sessions and profiles, each with the proxy and the CA bundle that hold for it.

    Raises:
        ConfigInvalid, SettingsInvalid: a file is broken; the line is named.
    """
    settings = components.ports.settings_file.load()
    return in_effect(components.ports.config_file.load(), settings), settings
