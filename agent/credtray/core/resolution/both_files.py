"""The rules about the two files as a whole: one that the client refuses, a profile that stands in neither.

Looks at no setting; which file is read first, and what follows, is each client's own.
"""

from __future__ import annotations

from credtray.core.resolution.answer import Place, Provider, TroubleKind, Where
from credtray.core.resolution.search import Find, Search, fatal

CONFIG_FIRST = (Place.CONFIG, Place.CREDENTIALS)
CREDENTIALS_FIRST = (Place.CREDENTIALS, Place.CONFIG)


def refused_file(search: Search, order: tuple[Place, ...], why: str) -> Find | None:
    """Return the first file in *order* that the client refuses as a whole."""
    views = {Place.CONFIG: search.config, Place.CREDENTIALS: search.credentials}
    for place in order:
        problem = views[place].problem
        if problem is not None:
            text = f"Line {problem.line} of the {place.value}: {problem.text}."
            where = Where(place, "", problem.line)
            return Find(Provider.NONE, where, why, fatal(TroubleKind.FILE_UNPARSABLE, text))
    return None


def missing_profile(search: Search, why: str) -> Find | None:
    """Return that the profile somebody named is in neither file, as this client reads them."""
    if not search.named or search.knows(search.profile):
        return None
    text = f"There is no profile {search.profile} in either file, as this client reads them."
    return Find(Provider.NONE, Where(Place.NOWHERE), why, fatal(TroubleKind.PROFILE_MISSING, text))
