"""Serves the kinds that definitions of custom resources describe, once they are established."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.sim.storage.resources import AGE, Column, Kind

if TYPE_CHECKING:
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

_PLURAL: Final = "customresourcedefinitions"
# The one expression that printer columns have: a condition's type.
_CONDITION: Final = re.compile(r"""\[\?\(@\.type\s*==\s*["'](\w+)["']\)\]""")


class CustomKinds:
    """Adds kinds to the catalogue of a store, and takes them away with their definitions.

    Kinds that the server has anyway stay what they are.

    Args:
        store: Where the definitions are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own = {(kind.group, kind.plural) for kind in store.catalogue.kinds}
        definitions = next(kind for kind in store.catalogue.kinds if kind.plural == _PLURAL)
        store.listen(self._on_change, definitions.resource)

    def _on_change(self, change: StoredChange) -> None:
        definition = change.obj
        kind = kind_of(definition)
        if (kind.group, kind.plural) in self._own:
            return
        catalogue = self._store.catalogue
        if change.type == "DELETED":
            catalogue.remove(kind)
            for record in self._store.records(kind.resource):
                self._store.delete(kind.resource, record.namespace, record.name)
        elif _is_established(definition):
            catalogue.add(kind)


def _is_established(definition: JSON) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


def kind_of(definition: JSON) -> Kind:
    """The kind that a definition describes."""
    spec = definition["spec"]
    names: JSON = spec["names"]
    versions = [each for each in spec["versions"] if each.get("served", True)]
    stored = next((each for each in versions if each.get("storage")), versions[0])
    subresources: JSON = stored.get("subresources") or {}
    columns = tuple(
        Column(each["name"], _CONDITION.sub(r"[\1]", each["jsonPath"]), each.get("type", "string"))
        for each in stored.get("additionalPrinterColumns") or ()
    )
    ordered = (stored, *(each for each in versions if each is not stored))
    return Kind(
        spec["group"],
        tuple(each["name"] for each in ordered),
        names["plural"],
        names["kind"],
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        columns=columns or (AGE,),
        status="status" in subresources,
        scale="scale" in subresources,
        generation=True,
        builtin=False,
        categories=tuple(names.get("categories") or ()),
    )
