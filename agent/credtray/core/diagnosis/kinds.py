"""Everything doctor knows, by code: what docs/reference/findings.md lists."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from credtray.core.diagnosis import causes_around, causes_of_files, causes_of_keys
from credtray.core.diagnosis.finding import Kind

EVERY_KIND: tuple[Kind, ...] = (*causes_of_keys.KINDS, *causes_of_files.KINDS, *causes_around.KINDS)
"""In the order of the groups."""

BY_CODE: Mapping[str, Kind] = MappingProxyType({kind.code: kind for kind in EVERY_KIND})
