"""What a dry run lacks that the run itself would have created by then.

A migration needs its VMI, a pod its service account. In a dry run nothing of it is
there, and the server refuses what it would take in the run. It says what it missed
by name; if that is the name of something that the file makes, the refusal says
nothing about the run.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.templates import ObjectFactory, ObjectRequest

_ABOUT: Final = re.compile(r'^\S+ "[^"]*" is \w+: ')
"""How the API server begins: with the object that it refuses."""
_QUOTED: Final = re.compile(r'"(?:[^"/\s]*/)?([^"/\s]+)"')
_WORD: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.:]*[a-z0-9])?")
_ABSENT: Final = re.compile(
    r"not (?:be )?(?:found|exist)|n't exist|no \w+ with name|not find|missing|failure to find",
    re.IGNORECASE,
)
_MOST: Final = 20_000
"""Replicas that are searched, once for each refusal: a second or so."""


def missing_prerequisite(
    text: str, factories: Sequence[Sequence[ObjectFactory]], workload: int, entry: int
) -> str | None:
    """What a refusal missed that the file makes, as ``Kind name``.

    Args:
        text: What the server said.
        factories: The compiled templates, by workload and object.
        workload: Number of the workload whose object was refused.
        entry: Number of the object's entry in it.

    Returns:
        None if the server misses nothing, or nothing of the file.
    """
    said = _ABOUT.sub("", text)
    if not _ABSENT.search(said):
        return None
    names = set(_QUOTED.findall(said) or _WORD.findall(said))
    for request in islice(_made_by_then(factories, workload, entry), _MOST):
        if request.name in names:
            return f"{request.kind} {request.name}"
    return None


def _made_by_then(
    factories: Sequence[Sequence[ObjectFactory]], workload: int, entry: int
) -> Iterator[ObjectRequest]:
    """Objects of earlier workloads that stay, and of the workload itself."""
    for number, members in enumerate(factories[: workload + 1]):
        for index, factory in enumerate(members):
            if number < workload and factory.workload.iteration_cleanup:
                continue
            own = number == workload
            iterations = 1 if own else factory.workload.iteration_count
            replicas = 1 if own and index == entry else factory.spec.replicas
            for iteration in filter(factory.spec.comes_in, range(1, iterations + 1)):
                for replica in range(1, replicas + 1):
                    yield from factory.render(iteration, replica)
