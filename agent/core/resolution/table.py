"""Answers the one question of the resolution table.

Decides from the surroundings alone; runs nothing and asks nobody.
"""

from __future__ import annotations

from agent.core.resolution.answer import Client, Resolution
from agent.core.resolution.surroundings import Surroundings


def resolve(
    surroundings: Surroundings, profile: str | None, client: Client, *, explicit: bool = False
) -> Resolution:
    """Tell what *client* uses for *profile*.

    Args:
        surroundings: what its search looks at.
        profile: None when no profile is named, neither in the program nor in the environment, or to let the
            variables in *surroundings* decide.
        client: whose rules.
        explicit: True: the profile is given to the program itself (``--profile``, ``profile_name``); False:
            it is named by AWS_PROFILE.
    """
    raise NotImplementedError
