"""Says in words what a cleanup could not get rid of, and where it could not look."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from perfscale.engine.tracking.evidence import describe_namespaces
from perfscale.engine.tracking.stuck import held_by
from perfscale.errors import ForbiddenError, PerfscaleError
from perfscale.kube.resources import NAMESPACES
from perfscale.preflight.findings import few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.removal.inventory import Inventory
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place

_RESERVED_S: Final = 10.0
_RESERVED_SHARE: Final = 0.25


def reserved_s(bound_s: float) -> float:
    """How much of a cleanup's bound is kept for finding out what is left when it is nearly over."""
    return min(_RESERVED_S, _RESERVED_SHARE * bound_s)


async def describe_leftovers(client: Client, found: Inventory) -> list[str]:
    """One sentence for each group of objects that are left, and for each namespace."""
    groups: Counter[tuple[str, str | None]] = Counter()
    namespaces: list[str] = []
    more = 0
    for place, finding in found.found.items():
        if place.resource.name == NAMESPACES.name:
            namespaces += finding.names
            more += finding.count - len(finding.names)
            continue
        for finalizers, count in finding.holders.items():
            groups[place.resource.kind_name, held_by(finalizers)] += count
    sentences = [
        f"{count} {kind} still there" + (f": {reason}" if reason else "")
        for (kind, reason), count in groups.most_common()
    ]
    sentences += await describe_namespaces(client, namespaces)
    if more:
        sentences.append(f"{more} more Namespace still there")
    return sentences


def describe_unseen(unseen: Mapping[Place, Exception]) -> list[str]:
    """One sentence for each reason why places could not be listed."""
    return _by_reason("not listed", "not permitted to list", unseen)


def describe_undeleted(undeleted: Mapping[Place, Exception]) -> list[str]:
    """One sentence for each reason why objects could not be deleted."""
    return _by_reason("not deleted", "not permitted to delete", undeleted)


def first_bug(*troubles: Mapping[Place, Exception]) -> Exception | None:
    """The first error that is a fault of this program: what came after it went on."""
    errors = (error for trouble in troubles for error in trouble.values())
    return next((error for error in errors if not isinstance(error, PerfscaleError)), None)


def _by_reason(what: str, refused: str, troubles: Mapping[Place, Exception]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for place, error in troubles.items():
        # What the server says of it names the kind, and so would be another reason each time.
        reason = refused if isinstance(error, ForbiddenError) else str(error) or repr(error)
        reasons.setdefault(reason, []).append(str(place))
    return [f"{what}: {few(sorted(names))}: {reason}" for reason, names in reasons.items()]
