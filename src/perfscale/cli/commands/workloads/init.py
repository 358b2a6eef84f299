"""`perfscale init`."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from perfscale.cli import options
from perfscale.cli.output.confirm import on_terminal
from perfscale.cli.output.streams import say
from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.templates.first_workload import FirstWorkload

T = TypeVar("T", int, float, str)
_MOST_QPS = 1_000_000
"""The highest rate of a workload file."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")


class Kind(StrEnum):
    """What a first workload creates."""

    VMI = "vmi"
    VM = "vm"
    VMIRS = "vmirs"
    POD = "pod"
    CONFIGMAP = "configmap"


def init(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = Path(
        "workload.yaml"
    ),
    kind: Annotated[
        Kind | None, options.optional("vmi|vm|vmirs|pod|configmap", "What to create.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many.", show_default=False)
    ] = None,
    qps: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=_MOST_QPS, metavar="N", help="How many a second.", show_default=False
        ),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How often.", show_default=False)
    ] = None,
    ready_within: Annotated[
        str | None,
        options.optional(
            "DURATION", "A threshold: 99 of 100 objects have to be ready within this time."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; take what is usual.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over the file.")] = False,
) -> None:
    """Write a first workload file, with a comment for each key.

    On a terminal it asks for what the command line does not say; elsewhere it takes what is
    usual: 20 instances, 5 a second. What it writes is valid, and no cluster is asked.

    For example:

        perfscale init

        perfscale init density.yaml --kind vm --replicas 100 --ready-within 1m
    """
    from perfscale.templates.first_workload import CHOICES, FirstWorkload

    if file.exists() and not force:
        raise typer.BadParameter(f"{file} is there already; --force writes over it")
    known: dict[str, Any] = {
        name: value
        for name, value in (
            ("kind", None if kind is None else kind.value),
            ("replicas", replicas),
            ("qps", qps),
            ("iterations", iterations),
            ("ready_within", ready_within),
        )
        if value is not None
    }
    if ready_within is not None:
        options.seconds("--ready-within", ready_within)
    stem = file.stem.lower()
    first = FirstWorkload(name=stem if _NAME.fullmatch(stem) else "first", **known)
    if not yes and on_terminal():
        first = _asked(first, known)
    if first.ready_within is not None and not CHOICES[first.kind].metric:
        raise typer.BadParameter(
            f"{first.kind}: it is ready as soon as it is there; leave the bound out"
        )
    _write(file, first.text())
    say(f"wrote {file}; look at it, and try it:")
    for command in ("validate", "run --simulate", "run"):
        verb, *rest = command.split()
        say("  " + " ".join(["perfscale", verb, str(file), *rest]))


def _asked(first: FirstWorkload, known: dict[str, Any]) -> FirstWorkload:
    """Ask for what is not known; Enter takes what is usual."""
    from perfscale.templates.first_workload import CHOICES

    if "kind" not in known:
        for short, choice in CHOICES.items():
            say(f"  {short:<10} {choice.kind}")
        first = replace(first, kind=_ask("What to create?", first.kind, _kind))
    if "replicas" not in known:
        first = replace(first, replicas=_ask("How many?", first.replicas, _count))
    if "qps" not in known:
        first = replace(first, qps=_ask("How many a second?", first.qps, _rate))
    if "iterations" not in known:
        first = replace(first, iterations=_ask("How often?", first.iterations, _count))
    if "ready_within" not in known and CHOICES[first.kind].metric:
        question = "99 of 100 ready within, as in 1m (Enter alone: no bound)"
        first = replace(first, ready_within=_ask(question, "", _duration) or None)
    return first


def _ask(question: str, default: T, read: Callable[[str], T]) -> T:
    """Ask until the answer can be read."""
    # What is usual is read as well, when a person presses Enter alone.
    answer: T = typer.prompt(
        question,
        default=default,
        value_proc=lambda given: read(str(given)),
        show_default=default != "",
        err=True,
    )
    return answer


def _kind(text: str) -> str:
    try:
        return Kind(text.strip().lower()).value
    except ValueError as error:
        raise typer.BadParameter(f"one of {', '.join(Kind)}") from error


def _count(text: str) -> int:
    if not text.strip().isdecimal() or not int(text):
        raise typer.BadParameter("a whole number, 1 or more")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= _MOST_QPS:
        raise typer.BadParameter(f"a number above 0, up to {_MOST_QPS:,}")
    return rate


def _duration(text: str) -> str:
    if text.strip():
        options.seconds("the bound", text.strip())
    return text.strip()


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: it cannot be written: {error.strerror or error}") from error
