"""Configurations of kube-burner, of which each becomes one of ours.

Rendered and decoded as that program does it, at its own lines; then every key is mapped, or
refused by name, or said to mean something else here.
https://kube-burner.github.io/kube-burner/latest/reference/configuration/

What reads them, `reading`, is loaded for such a file alone: the models of all its keys take longer
than a file of ours does.
"""

from __future__ import annotations

from perfscale.foreign.kube_burner.inputs import Inputs
from perfscale.foreign.kube_burner.recognition import is_kube_burner

__all__ = ["Inputs", "is_kube_burner"]
