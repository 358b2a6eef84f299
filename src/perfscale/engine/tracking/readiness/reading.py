"""What a rule reads off an object, and what a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from perfscale.engine.tracking.readiness.documents import Document
from perfscale.engine.tracking.readiness.objects import Followed
from perfscale.results import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable

ObjectT = TypeVar("ObjectT", bound=Followed)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a rule reads off an object.

    Attributes:
        phase: The phase it is in; None where its kind has none, or not yet.
        ready: Whether it is where its creator wanted it.
        failure: Why it will never be ready; None while it may be.
        detail: Why it is not ready, in the words of its status.
        stamps: The server's own record of when it reached its phases.
        milestones: What it has come to beside its phase, as far as its kind has any.
        document: All of it, where somebody's ``readyWhen`` or ``failedWhen`` may need that.
    """

    phase: str | None = None
    ready: bool = False
    failure: str | None = None
    detail: str | None = None
    stamps: Stamps = ()
    milestones: tuple[str, ...] = ()
    document: Document | None = None


ACCEPTED: Final = Reading(ready=True)
"""What is read off an object of a kind without readiness."""


@dataclass(frozen=True, slots=True)
class KindRule(Generic[ObjectT]):
    """How objects of one kind are followed.

    Attributes:
        decoder: Struct that the watch decodes an object into.
        read: From that struct to what it says; None for a kind without
            readiness, which is ready once the server has accepted it.
        path: The phases on the way to readiness, in order: an object that
            never became ready also missed those of them that it was not seen in.
    """

    decoder: type[ObjectT]
    read: Callable[[ObjectT], Reading] | None
    path: tuple[str, ...] = ()


def ended(phase: str, detail: str | None) -> str:
    """The failure of an object that has come to its end."""
    return because(f"it ended in phase {phase}", detail)


def because(text: str, detail: str | None) -> str:
    """A failure, with the reason if there is one."""
    return f"{text} ({detail})" if detail else text
