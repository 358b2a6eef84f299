"""Kinds that are served because somebody needs them: stored, and acted upon by nothing.

So a run can be tried whose templates are of kinds that come with other software, as OpenShift's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perfscale.sim.storage.resources import AGE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.sim.storage.catalogue import Catalogue


def serve_unknown(catalogue: Catalogue, kinds: Iterable[tuple[str, str]]) -> None:
    """Serve the kinds among these that a catalogue does not have.

    Args:
        catalogue: Where they are added.
        kinds: ``(apiVersion, kind)`` of each.
    """
    for api_version, name in kinds:
        group, _, version = api_version.rpartition("/")
        known = [each for each in catalogue.kinds if (each.group, each.kind) == (group, name)]
        if not known:
            catalogue.add(_kind(group, version, name))


def _kind(group: str, version: str, name: str) -> Kind:
    return Kind(
        group,
        (version,),
        plural_of(name),
        name,
        columns=(AGE,),
        status=True,
        generation=True,
        builtin=False,
    )


def plural_of(kind: str) -> str:
    """The plural of a kind, as code generators of Kubernetes form it."""
    name = kind.lower()
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|x|z|ch|sh)$", name) else f"{name}s"
