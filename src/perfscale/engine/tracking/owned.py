"""What is known of a namespace that the run made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.kube.decoding import version_number

if TYPE_CHECKING:
    from perfscale.engine.tracking.readiness import Metadata


class OwnedNamespace:
    """One namespace that this run made.

    Attributes:
        asked_s: When its deletion was requested; None before that.
        stays: What keeps it, as it was last seen terminating.
    """

    __slots__ = ("asked_s", "gone", "known_s", "name", "stays", "uid", "version")

    def __init__(self, metadata: Metadata, known_s: float) -> None:
        self.known_s = known_s
        self.name = metadata.name
        self.uid = metadata.uid
        self.version = version_number(metadata.resource_version)
        self.asked_s: float | None = None
        self.stays: str | None = None
        self.gone = False
