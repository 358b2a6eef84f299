"""sprig's random functions, which draw from the rendering's generator."""

from __future__ import annotations

import string
import uuid
from typing import TYPE_CHECKING, Final

from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError

if TYPE_CHECKING:
    from perfscale.templates.gotemplate.running import Run

_ASCII: Final = "".join(map(chr, range(32, 127)))


def _drawn(characters: str) -> Function:
    def draw(run: Run, count: int) -> str:
        return "".join(run.random.choices(characters, k=max(count, 0)))

    return takes("int", draw, cost=lambda count: 4 * max(count, 0), run=True, varies=True)


def _integer(run: Run, least: int, above: int) -> int:
    if above <= least:
        raise GoError(f"there is no integer from {least} to below {above}")
    return run.random.randrange(least, above)


def _shuffled(run: Run, text: str) -> str:
    return "".join(run.random.sample(text, len(text)))


def _uuid(run: Run) -> str:
    return str(uuid.UUID(int=run.random.getrandbits(128), version=4))


CHANCE: Final[dict[str, Function]] = {
    "randAlpha": _drawn(string.ascii_letters),
    "randAlphaNum": _drawn(string.ascii_letters + string.digits),
    "randAscii": _drawn(_ASCII),
    "randInt": takes("int int", _integer, run=True, varies=True),
    "randNumeric": _drawn(string.digits),
    "shuffle": takes("string", _shuffled, cost=lambda text: 16 * len(text), run=True, varies=True),
    "uuidv4": takes("", _uuid, run=True, varies=True),
}
