"""What was found out about one server, for every client of it to know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from perfscale.kube.retrying.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.calls import Call

_AFTER_S: Final = 20.0
"""How long after the server was away, or refused what it had allowed, its other refusals are not
believed at once. It has read the roles a few seconds after it has begun to listen; a user who
really lacks a permission has to wait for as long."""


class KnownServer:
    """What has worked on one server, and who waits for it.

    It distinguishes a missing permission from a server that has only just started: that refuses
    everybody but ``system:masters`` until it has read the cluster's roles, with 403, or with 401
    where it is tokens that it cannot check yet. Nothing in the answer says so. What does is that
    the same was allowed before, or that the server was away a moment ago.

    A call stands for its verb and resource, in any namespace: a run's namespaces come and go, and
    who may create in one of them may in the next.

    Args:
        clock: Monotonic seconds.

    Attributes:
        streams_lists: Whether it streams lists; None as long as nobody knows.
        recovery: Wakes who waits for it to answer again.
        allow: Notes that a call was answered with success, or is known to be allowed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.streams_lists: bool | None = None
        self.recovery = Recovery()
        self._clock = clock
        self._calls: set[Call] = set()
        self._doubtful_to_s = -math.inf
        self.allow = self._calls.add

    def suspect_restart(self) -> None:
        """The server was away, or refused what it had allowed: it may only just have started."""
        self._doubtful_to_s = self._clock() + _AFTER_S

    def doubts_refusal(self, call: Call) -> bool:
        """Whether a 403 may pass by itself."""
        if call in self._calls:
            self.suspect_restart()
            return True
        return self._clock() < self._doubtful_to_s

    @property
    def has_worked(self) -> bool:
        """Whether anything has: the server is there, and takes the credentials."""
        return bool(self._calls)
