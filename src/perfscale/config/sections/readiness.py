"""When an object is ready, or has failed, in the forms of ``kubectl wait --for``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from perfscale.config.jq import compile_program
from perfscale.config.jsonpath import JsonPath, parse_jsonpath
from perfscale.config.sections.fields import refusal, rule, show

_FORMS: Final = (
    "condition=Ready, condition=Ready=False, jsonpath={.status.phase}=Bound, "
    "jsonpath={.status.ip}, jq={.phase}=Bound or create"
)
_CREATE: Final = "create"
_DELETE: Final = "delete"
_PATTERN: Final = r"^\s*(condition=[^=\s].*|jsonpath=.+|jq=.+=.+|[cC][rR][eE][aA][tT][eE])$"


@dataclass(frozen=True, slots=True)
class WaitFor:
    """One thing that has to be so.

    Attributes:
        text: As it was written.
        condition: A condition; None where it is something else.
        status: What the condition has to be.
        path: What has to be there; None where it is something else.
        value: What it has to be; None for anything.
        program: Of jq, run on the object's status; None where it is something else.
    """

    text: str
    condition: str | None = None
    status: str = "True"
    path: JsonPath | None = None
    value: str | None = None
    program: str | None = None

    @property
    def is_create(self) -> bool:
        """Whether it is so as soon as the object is created."""
        return self.condition is None and self.path is None and self.program is None

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def _read(value: object) -> WaitFor:
    if isinstance(value, WaitFor):
        return value
    if not isinstance(value, str) or not value.strip():
        raise refusal("text", f"one of the forms of kubectl wait --for: {_FORMS}", value)
    text = value.strip()
    if text.lower() == _CREATE:
        return WaitFor(text)
    form, _, rest = text.partition("=")
    if form == "condition":
        return _condition(text, rest)
    if form == "jsonpath":
        return _jsonpath(text, rest)
    if form == "jq":
        return _jq(text, rest)
    if text.lower() == _DELETE:
        raise rule(
            "delete cannot be waited for here: the run deletes what it creates itself, with "
            "iterationCleanup and iterationDeletionWait"
        )
    raise rule(f"{show(value)} is none of the forms of kubectl wait --for: write {_FORMS}")


def _condition(text: str, rest: str) -> WaitFor:
    name, separator, status = rest.partition("=")
    if not name.strip() or (separator and not status.strip()):
        raise rule(f"{show(text)} names no condition: write it as in condition=Ready=False")
    return WaitFor(text, condition=name.strip(), status=status.strip() or "True")


def _jsonpath(text: str, rest: str) -> WaitFor:
    path, value = _split(rest)
    if value is not None:
        value = value.strip().strip("'\"").strip()
        if not value:
            raise rule(
                f"{show(text)} has no value after its equals sign: write it as in "
                "jsonpath={.status.phase}=Bound, or without the sign to wait for any value"
            )
    try:
        return WaitFor(text, path=parse_jsonpath(path.strip().strip("'\"")), value=value)
    except ValueError as error:
        raise rule(f"{show(text)} is no path into an object: {error}") from error


def _jq(text: str, rest: str) -> WaitFor:
    program, _, value = rest.rpartition("=")
    program = program.strip()
    if program.startswith("{") and program.endswith("}"):
        program = program[1:-1]
    if not program or not value.strip():
        raise rule(f"{show(text)} has no program or no value: write it as in jq={{.phase}}=Bound")
    try:
        compile_program(program)
    except ValueError as error:
        raise rule(f"{show(text)}: {error}") from error
    return WaitFor(text, value=value.strip(), program=program)


def _split(text: str) -> tuple[str, str | None]:
    """Path and value: what stands before and after the first ``=`` outside of brackets."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "{[(") - (character in "}])")
        if character == "=" and depth <= 0:
            return text[:at], text[at + 1 :]
    return text, None


def _as_list(value: object) -> object:
    if value is None or (isinstance(value, list | tuple) and not value):
        raise refusal("list", f"one of the forms of kubectl wait --for, or a list: {_FORMS}", value)
    return value if isinstance(value, list | tuple) else [value]


_ONE: Final[dict[str, Any]] = {"type": "string", "pattern": _PATTERN}

WaitForAll = Annotated[
    tuple[Annotated[WaitFor, BeforeValidator(_read), PlainSerializer(str)], ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}),
]
"""One form of ``kubectl wait --for``, or a list of them."""
