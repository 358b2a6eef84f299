"""Who is hit by a fault: by chance, but by the same chance every time.

Requests and watches come in an order that nobody controls, so each fault has a sequence of
its own: of the requests that it may happen to, the third is hit in every run, or in none.
Objects have names, so there the name decides, whatever the order.
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from perfscale.kube.resources import Resource


class Chance:
    """Decides for one request or watch after the other whether it is hit.

    Args:
        place: Where the fault stands in the file: ``requests[0]``.
        share: How many are hit, from 0 to 1.
        times: How many are hit at the most; None for any number.
    """

    def __init__(self, seed: int, place: str, share: float, times: int | None) -> None:
        self._rng = random.Random(f"{seed} {place}")  # noqa: S311 - a simulation, not a secret
        self._share = share
        self._left = times

    def hits(self) -> bool:
        """Whether the next one is hit."""
        if self._left == 0 or self._rng.random() >= self._share:
            return False
        if self._left is not None:
            self._left -= 1
        return True


def is_selected(seed: int, place: str, share: float, identity: Iterable[str]) -> bool:
    """Whether the object with this identity (its resource, namespace, name) is hit."""
    text = "\0".join((str(seed), place, *identity))
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    return number < share * 2**64


def is_meant(resource: Resource, resources: Collection[str] | None) -> bool:
    """Whether a fault that names these resources, or none, is about `resource`."""
    return resources is None or resource.plural in resources or resource.name in resources


def is_named(name: str, patterns: Collection[str] | None) -> bool:
    """Whether a name fits one of the patterns, or there are none."""
    return patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)
