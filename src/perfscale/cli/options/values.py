"""Values of options that typer does not know: shares, probabilities, durations, tags."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from perfscale.results import Remarks


def is_given(call: typer.Context, *names: str) -> bool:
    """Whether the command line, and not the environment, has one of these options."""
    sources = (call.get_parameter_source(name) for name in names)
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)


def remarks(tags: list[str] | None, note: str | None) -> Remarks:
    """The tags and the note that the command line gives a run.

    Raises:
        typer.BadParameter: A tag is none.
    """
    from perfscale.results.model.remarks import Remarks, parse_tags

    try:
        return Remarks(parse_tags(tags or ()), note)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tag") from error


def share(option: str, text: str) -> float:
    """A share given on the command line, as in 10%.

    Raises:
        typer.BadParameter: It is none.
    """
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        found = float(number) / 100
    except ValueError:
        found = -1.0
    if not percent or not 0 <= found < math.inf:
        raise typer.BadParameter(
            f"{text!r} is no share: write a number and %, as in 10%", param_hint=option
        )
    return found


def probability(number: float) -> float:
    """The value of ``--significance``.

    Raises:
        typer.BadParameter: It is no probability.
    """
    if not 0 < number <= 1:
        raise typer.BadParameter(
            f"{number} is no probability: above 0, and 1 at most", param_hint="--significance"
        )
    return number


def seconds(option: str, text: str) -> float:
    """A duration given on the command line.

    Raises:
        typer.BadParameter: It is not one.
    """
    from perfscale.config import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
