"""Amounts as Kubernetes writes them: ``500m``, ``1Gi``, ``2e3``."""

from __future__ import annotations

import re
from typing import Final

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?")
_DECIMAL: Final = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0,
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
}  # fmt: skip
_BINARY: Final = {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}
_FACTORS: Final = {**_DECIMAL, **_BINARY}


def amount_of(quantity: object) -> float:
    """The number that a quantity stands for; 0 for what is none, as nothing is validated."""
    found = _QUANTITY.fullmatch(str(quantity))
    if found is None:
        return 0.0
    try:
        return float(found[1]) * _FACTORS[found[2] or ""]
    except ValueError:
        return 0.0
