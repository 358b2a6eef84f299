"""Which files are configurations of kube-burner: the one thing that is asked of every file."""

from __future__ import annotations

import re
from typing import Final

_JOBS: Final = re.compile(r"^[\"']?jobs[\"']?[ \t]*:", re.MULTILINE)
_OTHER: Final = re.compile(r"^[\"']?(workloads|apiVersion)[\"']?[ \t]*:", re.MULTILINE)


def is_kube_burner(text: str) -> bool:
    """Whether a file is a configuration of kube-burner, which need not be YAML before rendering."""
    return _JOBS.search(text) is not None and _OTHER.search(text) is None
