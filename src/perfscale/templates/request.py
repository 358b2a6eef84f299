"""What a template gives: one object, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """One object to create.

    Attributes:
        api_version: As in the manifest, ``group/version`` or ``v1``.
        kind: CamelCase kind.
        namespace: The namespace that the manifest itself names; None where it
            names none, and the object goes to the iteration's namespace if its
            kind is namespaced.
        name: ``metadata.name``.
        body: The manifest as JSON, with the run's labels merged in.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    body: bytes
