"""Which field of an object the API server does not know, in its own words.

A create with strict field validation is refused for one, any other is answered with a warning:
https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from __future__ import annotations

import re
from typing import Final

_FIELD: Final = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')
_STEP: Final = re.compile(r"[^.\[\]]+")


def refused_field(text: str) -> list[str] | None:
    """The path of the field that an answer is about, as in ``["spec", "containers", "0", "nme"]``.

    None if the answer is about none.
    """
    field = _FIELD.search(text)
    return None if field is None else _STEP.findall(field[1])
