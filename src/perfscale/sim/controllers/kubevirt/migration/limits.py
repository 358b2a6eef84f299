"""How many migrations go at a time, as a KubeVirt's configuration has it by default."""

from __future__ import annotations

from typing import Final

PARALLEL_PER_CLUSTER: Final = 5
PARALLEL_OUT_OF_A_NODE: Final = 2
