"""Programs of jq, run on the status of an object.

By the library of jq itself (https://pypi.org/project/jq/), which comes with the extra ``jq``: few
files need it, and its wheels are for some platforms only.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

_LONGEST: Final = 2_000


@cache
def compile_program(text: str) -> Any:  # noqa: ANN401 - the library has no types
    """Compile a program, once.

    Raises:
        ValueError: It is none, or there is no jq; the message says which.
    """
    try:
        jq = import_module("jq")  # needed by few
    except ImportError:
        raise ValueError(
            "this program needs jq: install perfscale-load-generator[jq], or write another form"
        ) from None
    if len(text) > _LONGEST:
        raise ValueError(f"a program of more than {_LONGEST:,} characters is not taken")
    try:
        return jq.compile(text)
    except ValueError as error:
        first = str(error).splitlines()[0].removeprefix("jq: error: ")
        raise ValueError(f"this is no program of jq: {first}") from error


def outputs(text: str, status: object) -> list[Any]:
    """All that a program gives for a status; nothing where it fails."""
    try:
        found: list[Any] = compile_program(text).input_value(status).all()
    except ValueError:
        return []
    return found
