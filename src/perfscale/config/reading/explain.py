"""What is wrong with a document, in terms of what its author wrote.

The validator sees values (1.2); this module knows what stands in the file (1.20,
without quotes, in line 7) and what to write instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from perfscale.config.durations import EXAMPLES
from perfscale.config.model import Config
from perfscale.config.reading.keys import section_at, unknown_key
from perfscale.config.reading.scalars import change, is_odd_number, looks_commented, read_plain
from perfscale.config.reading.source import KeyPath, Mark, Position, Source, clip, dotted
from perfscale.config.reading.syntax import COMMENT
from perfscale.config.sections.fields import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from perfscale.config.sections.section import Section
    from perfscale.errors import Problem

_BY_OPTION: Final = "this is a list: set what is in its items, one by one"
_SHAPES: Final = {
    "list": ": begin each of its items with a dash",
    "mapping": ": write its keys without a dash or brackets",
}


def mistaken_file(tree: object, source: Source) -> Problem | None:
    """Return the one problem of a file that is something else altogether."""
    if not isinstance(tree, dict) or "workloads" in tree:
        return None
    if "apiVersion" in tree and "kind" in tree:
        return source.problem(
            (),
            f"this is a manifest ({show(tree['kind'])}), not a workload file: name it as the "
            "templateFile of an object in workloads[].objects",
        )
    return None


def scalar_problems(source: Source) -> Iterator[tuple[KeyPath, Problem]]:
    """Yield the plain scalars that YAML changes, or that hold another language's comment."""
    for path, mark in source.values.items():
        text = mark.written
        if text is None or not mark.plain:
            continue
        if looks_commented(text) and not mark.position.is_option:
            message = f"{COMMENT}; a text with // in it needs quotes: {_quoted(text)}"
            yield path, source.problem(path, message)
        elif _in_variables(path) and (changed := change(text)):
            quoted = _quoted(text, path, mark)
            message = f"{text} is {changed} to YAML: write it in quotes, {quoted}"
            yield path, source.problem(path, message)


def number_problems(source: Source) -> Iterator[tuple[KeyPath, Problem]]:
    """Yield the numbers outside ``inputVars`` that only YAML reads as such (``010`` is 8)."""
    for path, mark in source.values.items():
        if mark.written and mark.plain and not _in_variables(path) and is_odd_number(mark.written):
            number = read_plain(mark.written).printed
            message = f"{mark.written} is {number} to YAML: write the number in decimal digits"
            yield path, source.problem(path, message)


def validation_problems(
    error: ValidationError, source: Source, top: type[Section]
) -> Iterator[tuple[KeyPath, Problem]]:
    """Yield the problems that the models, of which ``top`` is the file's, found."""
    for line in error.errors(include_url=False):
        path = tuple(line["loc"])
        message, place = _message(line, path, source, top), _place(line, path, source)
        yield path, source.problem(path, message, at=place)


def _message(line: ErrorDetails, path: KeyPath, source: Source, top: type[Section]) -> str:
    mark = source.values.get(path)
    match line["type"]:
        case "missing":
            return f"this key is missing{_example(str(path[-1])) if top is Config else ''}"
        case "extra_forbidden":
            section = section_at(path[:-1], top)
            return unknown_key(section, str(path[-1]), top) if section else line["msg"]
        case "tuple_type":
            by_option = mark is not None and mark.position.is_option
            return (
                _BY_OPTION if by_option else "this is no list: begin each of its items with a dash"
            )
        case "not_accepted":
            return _not_accepted(line["ctx"], line["input"], path, mark)
        case "rule" if mark and mark.plain and is_odd_number(mark.written or ""):
            # The message has YAML's reading of the number in it, 90 for 1:30.
            return f"{mark.written} is not a duration, {EXAMPLES}"
        case _:
            return clip(line["msg"], 500)


def _place(line: ErrorDetails, path: KeyPath, source: Source) -> Position | None:
    """Return where to report an error, if not at the value that has it."""
    context = line.get("ctx", {})
    if line["type"] == "extra_forbidden" or context.get("at_key"):
        return source.keys.get(path)
    for other in context.get("against", ()):
        # A rule that an override broke is the override's problem, not the file's.
        absolute = other if other[0] == "workloads" else (*path[:2], *other)
        mark = source.values.get(absolute)
        if mark and mark.position.is_option:
            return mark.position
    return None


def _not_accepted(
    context: Mapping[str, Any], value: object, path: KeyPath, mark: Mark | None
) -> str:
    accepted, expected = context["accepted"], context["expected"]
    if value is None:
        return f"the key has no value: write {accepted}"
    text = mark.written if mark else None
    if text is None or mark is None:
        hint = _SHAPES.get(expected, "") if value and isinstance(value, list | dict) else ""
        return f"{context['shown']} is not {accepted}{hint}"
    shown = clip(text) if mark.plain else f'"{clip(text)}"'
    if expected == "text" and mark.plain:
        fix = f"write it in quotes, {_quoted(text, path, mark)}"
        return f"{shown} is {read_plain(text).name} to YAML, not a text: {fix}"
    return f"{shown} is not {accepted}{_hint(expected, text, mark)}"


def _hint(expected: str, text: str, mark: Mark) -> str:
    """Return the way from ``text`` to what is expected, where it is plain to see."""
    kind = read_plain(text).kind
    if kind == expected and not mark.plain:
        return ": remove the quotes"
    if expected == "number" and re.fullmatch(r"[0-9]{1,3}([,' ][0-9]{3})+", text):
        return f": write {re.sub('[^0-9]', '', text)}"
    if expected == "number" and (match := re.match(r"([0-9]+)\s*[A-Za-z/%]", text)):
        return f": write the number alone, {match[1]}"
    return ""


def _example(key: str) -> str:
    return {
        "workloads": ": a list of what to run, each with a name and objects",
        "name": ": give each workload a name of its own",
        "objects": ": a list of what to create, each with a templateFile",
        "templateFile": ", as in templateFile: templates/vmi-ephemeral.yaml",
    }.get(key, "")


def _in_variables(path: KeyPath) -> bool:
    return "inputVars" in path[:-1]


def _quoted(text: str, path: KeyPath = (), mark: Mark | None = None) -> str:
    quoted = f'"{clip(text)}"'
    return f"--set '{dotted(path)}={quoted}'" if mark and mark.position.is_option else quoted
