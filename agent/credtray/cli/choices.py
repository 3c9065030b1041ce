"""Arguments and options that several commands share. Declares, does nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from credtray.cli.names import complete_profile, complete_region, complete_session

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

SessionArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SESSION",
        help="The sso-session; not needed when there is only one.",
        autocompletion=complete_session,
        show_default=False,
    ),
]

ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="Name in the config file.", autocompletion=complete_profile)
]

ProfileOption = Annotated[
    str,
    typer.Option(
        "--profile",
        "-P",
        metavar="PROFILE",
        help="Whose keys to use: a name in the config file.",
        autocompletion=complete_profile,
        show_default=False,
    ),
]

ProfilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="PROFILE", help="Names as in the config file.", autocompletion=complete_profile),
]

RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Instead of the profile's own.",
        autocompletion=complete_region,
        show_default=False,
    ),
]
