"""What the controllers of replicated kinds have in common."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.sim.controllers.actions import Create
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    is_deleting,
    is_finished,
    is_ready,
    owner_reference,
    with_condition,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON

MAX_CHANGES_AT_ONCE: Final = 250
"""So that one large set does not keep the others waiting: KubeVirt's "burstReplicas"."""

# What Kubernetes makes generated names of: no vowels and nothing that resembles one, so
# that no word comes out (k8s.io/apimachinery/pkg/util/rand).
_SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH: Final = 5
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def new_suffix(rng: random.Random) -> str:
    """The end of a generated name."""
    return "".join(rng.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))


def replicas_of(obj: JSON) -> int:
    """How many replicas an object's spec wants; 1 where it does not say."""
    replicas = (obj.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def active(objects: Iterable[JSON]) -> list[JSON]:
    """Those that are neither being deleted nor finished."""
    return [obj for obj in objects if not is_deleting(obj) and not is_finished(obj)]


def least_useful(objects: Collection[JSON]) -> list[JSON]:
    """The order in which to delete them: those not ready first, then the youngest.

    The name makes it the same every time, so a repeated decision deletes nothing more.
    """
    by_age = sorted(
        objects,
        key=lambda obj: (obj["metadata"].get("creationTimestamp", ""), obj["metadata"]["name"]),
        reverse=True,
    )
    return sorted(by_age, key=is_ready)


def hash_of(template: object) -> str:
    """What tells apart what was made from different templates; fit for a label and a name."""
    number = zlib.crc32(_encode(template))
    letters = []
    for _ in range(7):
        number, letter = divmod(number, len(_SUFFIX_LETTERS))
        letters.append(_SUFFIX_LETTERS[letter])
    return "".join(letters)


def part_of(value: object, total: int, *, up: bool) -> int:
    """A number, or a percentage of the total, as in ``maxSurge: 25%``."""
    if isinstance(value, str) and value.endswith("%"):
        share = total * float(value[:-1]) / 100
        return math.ceil(share) if up else math.floor(share)
    return value if isinstance(value, int) else 0


def child_from(
    owner_kind: Resource,
    owner: JSON,
    template: JSON,
    name: str,
    *,
    child: Resource = POD,
    labels: Mapping[str, str] | None = None,
    spec: JSON | None = None,
) -> Create:
    """The creation of an object from its owner's template.

    Args:
        owner_kind: The owner's kind.
        owner: The owner.
        template: Metadata and spec of the child.
        name: The child's name.
        child: The child's kind.
        labels: Labels besides those of the template.
        spec: What is added to the template's spec.
    """
    of_template: JSON = template.get("metadata") or {}
    metadata: JSON = {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": {**(of_template.get("labels") or {}), **(labels or {})},
        "ownerReferences": [owner_reference(owner_kind, owner)],
    }
    if annotations := of_template.get("annotations"):
        metadata["annotations"] = dict(annotations)
    typed = {"apiVersion": child.api_version, "kind": child.kind}
    return Create(
        child,
        {**typed, "metadata": metadata, "spec": {**(template.get("spec") or {}), **(spec or {})}},
    )


def generation_of(obj: JSON) -> int:
    """How often the spec has changed."""
    generation: int = obj["metadata"].get("generation", 1)
    return generation


def with_conditions(old: JSON, changed: Iterable[JSON]) -> list[JSON]:
    """A status's conditions with these in the place of those of their types.

    One that says the same as before stays as it is, with its times.
    """
    conditions: list[JSON] = list(old.get("conditions") or ())
    for each in changed:
        before = condition_of({"status": {"conditions": conditions}}, each["type"])
        compared = ("status", "reason", "message")
        if before is None or any(before.get(key) != each.get(key) for key in compared):
            conditions = with_condition(conditions, each)
    return conditions


def failed_status(obj: JSON, reason: str, message: str, now: datetime) -> JSON:
    """The status of a set for which no pod can be created."""
    old: JSON = obj.get("status") or {}
    failure = condition("ReplicaFailure", holds=True, now=now, reason=reason, message=message)
    return {
        **old,
        "replicas": old.get("replicas", 0),
        "observedGeneration": generation_of(obj),
        "conditions": with_conditions(old, [failure]),
    }
