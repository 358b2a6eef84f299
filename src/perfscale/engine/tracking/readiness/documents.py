"""An object of which more is needed than what its kind's own rule reads."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from perfscale.engine.tracking.readiness.objects import Condition, VersionedMetadata
from perfscale.kube.decoding import UNREADABLE

T = TypeVar("T")

METADATA: Final = "metadata"
STATUS: Final = "status"


class DetailedMetadata(VersionedMetadata, frozen=True, rename="camel", gc=False):
    """What of the metadata a path may lead to."""

    annotations: dict[str, str] | None = None
    generate_name: str | None = None


class Observed(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What of a status ``kubectl wait --for=condition`` looks at."""

    conditions: list[Condition] | None = None
    observed_generation: int | None = None


_OBSERVED: Final = msgspec.json.Decoder(Observed)
_ANYTHING: Final = msgspec.json.Decoder()


class Document:
    """One object, as far as somebody may ask for it; decoded when they do."""

    __slots__ = ("_found", "_observed", "_raw", "metadata")

    def __init__(self, metadata: DetailedMetadata, raw: dict[str, msgspec.Raw]) -> None:
        self.metadata = metadata
        self._raw = raw
        self._found: dict[str, Any] = {}
        self._observed: Observed | None = None

    @property
    def observed(self) -> Observed:
        """Its conditions; none where they cannot be read."""
        if self._observed is None:
            raw = self._raw.get(STATUS)
            self._observed = (decode_or_none(_OBSERVED, raw) if raw else None) or Observed()
        return self._observed

    def get(self, top: str) -> Any:  # noqa: ANN401 - JSON
        """A top field; None where it is not there."""
        if top not in self._found:
            raw = self._raw.get(top)
            if top == METADATA:
                self._found[top] = msgspec.to_builtins(self.metadata)
            else:
                self._found[top] = decode_or_none(_ANYTHING, raw) if raw else None
        return self._found[top]


def decode_or_none(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | None:
    """What a field holds; None where it cannot be read."""
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None
