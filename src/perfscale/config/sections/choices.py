"""Words of which only some are known, and what to say about others."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import BeforeValidator, WithJsonSchema

from perfscale.config.sections.fields import refusal, rule, show

if TYPE_CHECKING:
    from collections.abc import Collection


def pick(value: str, known: Collection[str], *, listed: bool = True) -> str:
    """Return ``value`` if it is known; raise with the nearest that is, and all if ``listed``."""
    if value in known:
        return value
    spelled = {word.lower(): word for word in known}
    near = difflib.get_close_matches(value.lower(), spelled, n=1, cutoff=0.5)
    hint = f"; did you mean {spelled[near[0]]}?" if near else ""
    if listed or not near:
        hint = f": write one of {', '.join(known)}{hint}"
    raise rule(f"{show(value)} is not known here{hint}")


def choice(*known: str, listed: bool = True) -> Any:  # noqa: ANN401 - a type is made here
    """Return the type of one word of several."""

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise refusal("text", f"one of {', '.join(known)}", value)
        return pick(value, known, listed=listed)

    return BeforeValidator(check), WithJsonSchema({"type": "string", "enum": list(known)})
