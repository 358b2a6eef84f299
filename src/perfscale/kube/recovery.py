"""Ends a wait early once the server answers anybody.

After an outage everything that failed sleeps in a backoff of its own, of up to ten
seconds. A watch that does so while creates already succeed sees nothing of what they
bring about. So whoever asked for it is woken by the first success of any request.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfscale.kube.retry import Timing

_SPREAD_S: Final = 0.05
"""Those that are woken together come back within this time. It is short against the
latencies that are measured, and long enough for thousands of clients."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0


class Recovery:
    """Everybody who waits for one server, whichever view of its client they use.

    Attributes:
        sleepers: Those that the next success wakes.
    """

    __slots__ = ("sleepers",)

    def __init__(self) -> None:
        self.sleepers: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Something succeeded. Not worth a call where there are no sleepers."""
        for sleeper in self.sleepers:
            sleeper.cancel()
        self.sleepers.clear()


class Pause:
    """The waits of one who retries, which a success elsewhere ends.

    If that is no help, since it fails again and again while others succeed, it
    cannot be woken at once any more: the time for which it sleeps whatever happens
    doubles each time.
    """

    __slots__ = ("_recovery", "_timing", "_woken")

    def __init__(self, recovery: Recovery, timing: Timing) -> None:
        self._recovery = recovery
        self._timing = timing
        self._woken = 0

    def reset(self) -> None:
        """Begin again after a success of its own."""
        self._woken = 0

    async def sleep(self, seconds: float, *, at_least_s: float = 0.0) -> None:
        """Sleep for so long, or until something succeeds, but not less than ``at_least_s``."""
        if self._woken:
            patient_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._woken - 1, 16))
            at_least_s = max(at_least_s, patient_s)
        at_least_s = min(at_least_s, seconds)
        if at_least_s > 0:
            await self._timing.sleep(at_least_s)
        if seconds > at_least_s and await self._is_woken(seconds - at_least_s):
            self._woken += 1
            await self._timing.sleep(_SPREAD_S * self._timing.random())

    async def _is_woken(self, seconds: float) -> bool:
        sleeper = asyncio.ensure_future(self._timing.sleep(seconds))
        self._recovery.sleepers.add(sleeper)
        try:
            await asyncio.wait([sleeper])
        finally:
            self._recovery.sleepers.discard(sleeper)
            if not sleeper.done():
                sleeper.cancel()
                with suppress(asyncio.CancelledError):
                    await sleeper
        if sleeper.cancelled():
            return True
        sleeper.result()
        return False
