"""Kinds that are served because somebody needs them: stored, and acted upon by nothing.

So a run can be tried whose templates are of kinds that come with other software, as OpenShift's.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from perfscale.sim.storage.resources import AGE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.sim.storage.records import StoredChange
    from perfscale.sim.storage.store import Store


class WantedKind(NamedTuple):
    """A kind that somebody needs.

    Attributes:
        conditions: Types and statuses of what is waited for in its objects: what acts upon them
            elsewhere would say it some time, and here it is said at once.
    """

    api_version: str
    kind: str
    conditions: tuple[tuple[str, str], ...] = ()


def serve_unknown(store: Store, kinds: Iterable[WantedKind]) -> None:
    """Serve the kinds among these that a store does not have.

    Args:
        store: Whose catalogue they are added to.
        kinds: The kinds.
    """
    catalogue = store.catalogue
    for wanted in kinds:
        group, _, version = wanted.api_version.rpartition("/")
        if any((each.group, each.kind) == (group, wanted.kind) for each in catalogue.kinds):
            continue
        kind = _kind(group, version, wanted.kind)
        catalogue.add(kind)
        if wanted.conditions:
            store.listen(partial(_say, store, kind, wanted.conditions), kind.resource)


def _say(
    store: Store, kind: Kind, conditions: Sequence[tuple[str, str]], change: StoredChange
) -> None:
    if change.type != "ADDED":
        return
    obj = change.obj
    said = [
        {
            "type": type_,
            "status": status,
            "reason": "Simulated",
            "message": "",
            "lastTransitionTime": obj["metadata"]["creationTimestamp"],
        }
        for type_, status in conditions
    ]
    store.update(kind.resource, {**obj, "status": {"conditions": said}}, subresource="status")


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
