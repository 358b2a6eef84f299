"""Random numbers that begin anew for each thing that is rendered.

Numbers that went on from object to object would give each what its turn gives it: something else
where several generators of a run share the objects, or two workloads go on side by side.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfscale.templates.dialects.dialect import Source


class Draws:
    """What one use of a template draws from.

    Args:
        random: The template's; others may use it in between.
        seed: Of the run.
        place: What tells this use of the template apart from others of the run.
    """

    def __init__(self, random: Random, seed: int, *place: object) -> None:
        self._random = random
        self._place = "/".join(map(str, (seed, *place)))

    def begin(self, *what: object) -> None:
        """Draw next what is drawn first for that, whatever was drawn before."""
        self._random.seed("/".join((self._place, *map(str, what))))


class Chance:
    """What templates of a run draw from.

    Args:
        seed: Of the run; None where nothing is to be repeated.

    Attributes:
        random: Their random numbers; None without a seed, where each has its own.
    """

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self.random = None if seed is None else Random()  # noqa: S311 -- no secrets

    def draws(self, source: Source, *place: object) -> Draws | None:
        """For one use of a template; None where it draws nothing, or nothing repeatable."""
        if self._seed is None or self.random is None or not source.varies:
            return None
        return Draws(self.random, self._seed, *place)
