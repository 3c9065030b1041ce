"""Finds profiles of the status document by what a person remembers of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from credtray.core.protocol.results import ForeignStatus, ProfileStatus, StatusDocument

_FAR = 1_000_000
"""The place of a profile that was not chosen lately."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look for."""

    search: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """False when every profile is wanted."""
        return self.search is not None or bool(self.tags)

    def fits(self, texts: Iterable[str], tags: Iterable[str]) -> bool:
        """Tell whether all words are somewhere in the texts, and all tags among the tags; case is ignored."""
        own = {tag.casefold() for tag in tags}
        whole = "\n".join((*texts, *own)).casefold()
        words = (self.search or "").casefold().split()
        return all(word in whole for word in words) and all(tag.casefold() in own for tag in self.tags)


def found(document: StatusDocument, wish: Wish) -> tuple[list[ProfileStatus], list[ForeignStatus]]:
    """Return ours that fit, and those that are left alone.

    Ours are ranked when something narrows the list, else they keep the order of the config file.
    """
    ours = [item for item in document.profiles if wish.fits(_texts(item), item.tags)]
    foreign = [item for item in document.foreign if wish.fits((item.name,), ())]
    return (ranked(ours) if wish.narrows else ours), foreign


def _texts(item: ProfileStatus) -> list[str]:
    texts = (
        item.name,
        item.session,
        item.account_id,
        item.account_name,
        item.role_name,
        item.region,
        item.description,
        item.notes,
    )
    return [text for text in texts if text]


def ranked(items: list[ProfileStatus]) -> list[ProfileStatus]:
    """Return the favourites first, then those chosen lately, the latest first; the rest keep their order."""
    return sorted(items, key=_rank)


def _rank(item: ProfileStatus) -> tuple[bool, int]:
    return not item.favourite, _FAR if item.recent is None else item.recent
