"""`credtray kube add`: puts clusters into the kubeconfig, after the difference was shown and agreed to.

Writes no token and no key: the entry names the command that makes the token.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.choices import ProfileOption, RegionOption
from credtray.core.errors import FileRefused, UsageError
from credtray.core.models import Way
from credtray.core.shell_words import argument
from credtray.desktop.autostart import fast_command
from credtray.files.atomic_file import read_bounded
from credtray.store.text_edits import LIMIT, Edit, applied
from credtray.tokens import kube_fast
from credtray.tokens.aws_calls import Asker, cluster_names, described
from credtray.tokens.edits import KUBE_ADD, agree, edited_files, place_of, show_pieces
from credtray.tokens.kubeconfig import (
    SECTIONS,
    Cluster,
    Item,
    Kubeconfig,
    entries,
    file_to_edit,
    kubeconfig_paths,
)


class Action(StrEnum):
    """What is to be done."""

    ADD = "add"


def kube(
    action: Annotated[Action, typer.Argument(help="What to do.", show_default=False)],
    profile: ProfileOption,
    clusters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLUSTER", help="Names in Amazon EKS; all of them if left out.", show_default=False
        ),
    ] = None,
    region: RegionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Add clusters of Amazon EKS to your kubeconfig.

    kubectl, k9s and Lens then get their tokens from credtray: the entry names the whole path of the
    command and the profile. All that is in the file stays as it is. `credtray undo` takes them out again.

    Examples:
      credtray kube add -P synderys-dns
      credtray kube add my-cluster -P synderys-dns --region eu-central-1
      credtray kube add my-cluster -P synderys-dns --dry-run
    """
    del action  # there is one
    asker = Asker.of(profile, Way.KUBE, region)
    wanted = _wanted(asker, clusters or [])
    files = kubeconfig_paths(os.environ, Path.home())
    target = file_to_edit(files)
    there = read_bounded(target, LIMIT)
    held = Kubeconfig(target, there)
    new = [(name, found) for name, found in wanted if not _known(name, found, held, files)]
    if not new:
        terminal.show(f"Nothing to do: {place_of(target)} already has {_listed(wanted)}.")
        return
    pieces = held.added({name: [found[name] for _, found in new] for name in SECTIONS})
    show_pieces(target, pieces)
    if dry_run:
        return
    agree(yes=yes)
    names = tuple(name for name, _ in new)
    edit = Edit(
        at=datetime.now(UTC),
        what=KUBE_ADD,
        path=str(target),
        names=names,
        created=there is None,
        pieces=tuple(pieces),
    )
    edited_files().write(there, edit, applied(there or b"", pieces))
    terminal.show(f"{place_of(target)} has {_listed(new)} now.")
    terminal.show(f"Try it: kubectl --context {argument(names[0])} get nodes")


# --- which clusters ----------------------------------------------------------------------------------

Wanted = tuple[str, dict[str, Item]]
"""The name of a context, and the entry for each section."""


def _wanted(asker: Asker, named: Sequence[str]) -> list[Wanted]:
    """Return the entries for the clusters that are named, or for all.

    Raises:
        UsageError: there is no such cluster, or none at all.
    """
    for name in named:
        if not kube_fast.is_cluster(name):
            raise UsageError(f"{name!a} is not the name of a cluster")
    names = list(dict.fromkeys(named)) or cluster_names(asker)
    found = [entry for name, cluster in described(asker, names) for entry in _entry(asker, name, cluster)]
    if not found:
        hint = "Name another region with --region, or another profile."
        raise UsageError(f"{asker.profile} sees no cluster in {asker.region} that can be reached", hint=hint)
    return found


def _entry(asker: Asker, name: str, cluster: Cluster | None) -> Iterator[Wanted]:
    if cluster is None:
        terminal.complain(f"{name} is being created and cannot be reached yet", kind="warning")
        return
    command = fast_command(kube_fast.NAME, name, f"--profile={asker.profile}", f"--region={asker.region}")
    title = f"{name}.{asker.region}@{asker.profile}"
    yield title, entries(title, cluster, command)


def _known(name: str, wanted: dict[str, Item], held: Kubeconfig, files: Sequence[Path]) -> bool:
    """Tell whether the file has exactly these entries.

    Raises:
        FileRefused: it, or another file that kubectl reads, has others of that name.
    """
    others = [Kubeconfig(path, read_bounded(path, LIMIT)) for path in files if path != held.path]
    for file in (held, *others):
        there = {section: file.item(section, name) for section in SECTIONS}
        if there == wanted:
            return True
        if any(item is not None for item in there.values()):
            raise FileRefused(
                f"{file.path} has another entry named {name}",
                hint=f"Remove it first: kubectl config delete-context {argument(name)}, then delete-cluster "
                "and delete-user.",
            )
    return False


def _listed(wanted: Sequence[Wanted]) -> str:
    return ", ".join(name for name, _ in wanted)
