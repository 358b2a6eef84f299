"""How long a generator goes on without its coordinator."""

from __future__ import annotations

from typing import Final

LEASE_S: Final = 8.0
"""A generator that hears nothing for so long ends; its coordinator, which takes it for lost after
10 s of silence, waits until then."""
OUTLIVES_S: Final = 2 * LEASE_S + 1.0
"""So long after the coordinator's last call a generator has ended in any case: that call may have
been delivered late, by up to a lease, and has extended the lease once."""
