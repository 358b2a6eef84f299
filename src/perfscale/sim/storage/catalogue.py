"""The kinds of a server, found by what a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.storage.kinds import KINDS
from perfscale.sim.storage.resources import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.kube.resources import Resource


class Catalogue:
    """The kinds of a server, by what a URL names.

    Args:
        kinds: Those that it has from the beginning.
    """

    def __init__(self, kinds: tuple[Kind, ...] = KINDS) -> None:
        self._by_plural = {(kind.group, kind.plural): kind for kind in kinds}

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All of them."""
        return tuple(self._by_plural.values())

    def add(self, kind: Kind) -> None:
        """Serve a kind, in the place of one that had its name."""
        self._by_plural[kind.group, kind.plural] = kind

    def remove(self, kind: Kind) -> None:
        """Serve a kind no more."""
        self._by_plural.pop((kind.group, kind.plural), None)

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind that a URL names; None if there is none in that version."""
        kind = self._by_plural.get((group, plural))
        return kind if kind is not None and version in kind.versions else None

    def stored(self, resource: Resource) -> Kind:
        """The kind of a resource; one made up for it if the table has none."""
        kind = self._by_plural.get((resource.group, resource.plural))
        if kind is not None:
            return kind
        return Kind(
            resource.group,
            (resource.version,),
            resource.plural,
            resource.kind,
            namespaced=resource.namespaced,
            generation=True,
            builtin=False,
        )

    def groups(self) -> Mapping[str, list[str]]:
        """Each group with its versions, the preferred one first."""
        groups: dict[str, list[str]] = {}
        for kind in self.kinds:
            versions = groups.setdefault(kind.group, [])
            versions.extend(version for version in kind.versions if version not in versions)
        return groups
