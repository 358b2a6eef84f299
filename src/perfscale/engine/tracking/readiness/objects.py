"""The small structs that a watch decodes objects into."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from perfscale.kube.decoding import UNREADABLE, Version

ABSENT: Final = msgspec.Raw()
"""A field of an object that is not there."""


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    """Who owns an object."""

    uid: str


class Identity(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of ``metadata`` that says who an object is."""

    name: str
    uid: str
    namespace: str | None = None
    resource_version: Version = ""


class Metadata(Identity, frozen=True, rename="camel", gc=False):
    """The part of ``metadata`` that following an object needs."""

    labels: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference] | None = None
    finalizers: list[str] | None = None


class VersionedMetadata(Metadata, frozen=True, rename="camel", gc=False):
    """Of kinds whose status says which generation of their spec it is about."""

    generation: int = 0


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of ``status.conditions``."""

    type: str
    status: str = ""
    reason: str | None = None
    message: str | None = None
    observed_generation: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it is true."""
        return self.status == "True"

    @property
    def text(self) -> str | None:
        """Its reason and its message, as far as it has them."""
        parts = [part for part in (self.reason, self.message) if part]
        return ": ".join(parts) or None


class Followed(Protocol):
    """What every decoded object has."""

    @property
    def metadata(self) -> Metadata:
        """Who it is."""


class IdentifiedObject(msgspec.Struct, frozen=True, gc=False):
    """An object of which nothing is needed but who it is."""

    metadata: Identity


class AnyObject(msgspec.Struct, frozen=True, gc=False):
    """An object of a kind without readiness."""

    metadata: Metadata


_CONDITIONS: Final = msgspec.json.Decoder(list[Condition] | None)
_TROUBLES: Final = frozenset({"Failure", "ReplicaFailure"})
"""Conditions that mean trouble when they are true; the others, when they are not."""


def decode_conditions(raw: msgspec.Raw) -> list[Condition]:
    """Conditions that only explain: none where they cannot be read."""
    try:
        return (_CONDITIONS.decode(raw) or []) if raw else []
    except UNREADABLE:
        return []


def explain(conditions: list[Condition] | None, *expected: str) -> str | None:
    """The text of the first of the ``expected`` conditions that is not as it should be.

    The causes come first: a VMI that no node has room for is not ready either, and its condition
    Ready only says that its guest does not run.
    """
    for kind in expected:
        for condition in conditions or ():
            if condition.type == kind and condition.holds is (kind in _TROUBLES):
                text = condition.text
                if text:
                    return text
    return None
