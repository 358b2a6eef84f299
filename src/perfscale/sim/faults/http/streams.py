"""What a watch sends that never gets anywhere, piece by piece."""

from __future__ import annotations

from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Final

from perfscale.sim.storage.records import encode, watch_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.sim.apiserver.watching import WatchRequest
    from perfscale.sim.storage.records import JSON

TRICKLE_S: Final = 1.0
"""How far bytes are apart, where nothing is said."""
ENDLESS_S: Final = 0.01
"""How far events are apart, where nothing is said."""


def unfinished_line() -> Iterator[bytes]:
    """An event that is never complete."""
    return chain((b'{"type":"BOOKMARK","object":{"kind":"',), repeat(b"x"))


def endless_events(request: WatchRequest) -> Iterator[bytes]:
    """An initial state that has always one object more."""
    resource = request.resource
    for number in count(1):
        metadata: JSON = {
            "name": f"endless-{number}",
            "uid": f"00000000-0000-4000-9000-{number:012}",
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        if resource.namespaced:
            metadata["namespace"] = request.namespace or "default"
        typed: JSON = {"apiVersion": resource.api_version, "kind": resource.kind}
        yield watch_line("ADDED", encode({**typed, "metadata": metadata}))
