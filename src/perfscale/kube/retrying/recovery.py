"""Ends a wait early once the server answers anybody.

After an outage everything that failed sleeps in a backoff of its own, of up to ten
seconds. A watch that does so while creates already succeed sees nothing of what they
bring about, and a create that does so looks as if the server had taken that long. So
watches and reads are woken by the first success of any request, and all the others,
once, when an outage is over; these are the load, and come back within a second.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfscale.kube.retrying.retry import Timing

_SPREAD_S: Final = 0.05
"""Those that are woken together come back within this time. It is short against the
latencies that are measured, and long enough for thousands of clients."""
_LOAD_SPREAD_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0


class Recovery:
    """Everybody who waits for one server, whichever view of its client they use.

    Attributes:
        sleepers: Those that the next success wakes.
        held_up: Those that the end of an outage wakes.
    """

    def __init__(self) -> None:
        self.sleepers: set[asyncio.Future[None]] = set()
        self.held_up: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Something succeeded. Not worth a call where there are no sleepers."""
        _wake(self.sleepers)

    def outage_over(self) -> None:
        """Something succeeded, after nothing had."""
        _wake(self.held_up)


def _wake(sleepers: set[asyncio.Future[None]]) -> None:
    for sleeper in sleepers:
        sleeper.cancel()
    sleepers.clear()


class Pause:
    """The waits of one who retries, which a success elsewhere ends.

    If that is no help, since it fails again and again while others succeed, it
    cannot be woken at once any more: the time for which it sleeps whatever happens
    doubles each time.

    Args:
        recovery: Of the server.
        timing: What it sleeps by.
        eager: Whether any success wakes it, and not only the end of an outage.
    """

    def __init__(self, recovery: Recovery, timing: Timing, *, eager: bool = True) -> None:
        self._sleepers = recovery.sleepers if eager else recovery.held_up
        self._spread_s = _SPREAD_S if eager else _LOAD_SPREAD_S
        self._timing = timing
        self._woken = 0

    def reset(self) -> None:
        """Begin again after a success of its own."""
        self._woken = 0

    async def sleep(self, seconds: float, *, at_least_s: float = 0.0) -> None:
        """Sleep for so long, or until something succeeds, but not less than ``at_least_s``."""
        if self._woken:  # others succeed, and this fails: to be woken each time is a hot loop
            patient_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._woken - 1, 16))
            at_least_s = max(at_least_s, patient_s)
        at_least_s = min(at_least_s, seconds)
        if at_least_s > 0:
            await self._timing.sleep(at_least_s)
        if seconds > at_least_s and await self._is_woken(seconds - at_least_s):
            self._woken += 1
            await self._timing.sleep(min(self._spread_s, seconds) * self._timing.random())

    async def _is_woken(self, seconds: float) -> bool:
        sleeper = asyncio.ensure_future(self._timing.sleep(seconds))
        self._sleepers.add(sleeper)
        try:
            # An await of the sleeper could not distinguish its being cancelled, which is how it is
            # woken, from the cancellation of this task.
            await asyncio.wait([sleeper])
        finally:
            self._sleepers.discard(sleeper)
            if not sleeper.done():
                sleeper.cancel()
                with suppress(asyncio.CancelledError):
                    await sleeper
        if sleeper.cancelled():
            return True
        sleeper.result()
        return False
