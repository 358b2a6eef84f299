"""For how long a generator goes on that nobody is there for."""

from __future__ import annotations

from typing import Final

LEASE_S: Final = 8.0
"""A generator that hears nothing for so long ends; its coordinator, which takes it for lost after
10 s of silence, waits until then."""
OUTLIVES_S: Final = 2 * LEASE_S + 1.0
"""So long after its last message from the coordinator a generator has ended in any case: what was
sent last may have reached it late, and once."""
