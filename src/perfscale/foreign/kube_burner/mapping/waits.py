"""Programs of jq that wait options have, as forms of ``kubectl wait --for``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.config.jq import compile_program

if TYPE_CHECKING:
    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.models.objects import WaitOptions

_CONDITION: Final = re.compile(
    r"""\(?\s*\.conditions\s*\.?\[\]\s*\|\s*
    select\(\s*\.type\s*==\s*["'](?P<type>[^"']+)["']\s*\)\s*
    (?:\)\s*\.status|\|\s*\.status\s*\)?|\.status)
    (?P<rest>(?:\s*\|\s*(?:tostring|ascii_downcase))*)\s*""",
    re.VERBOSE,
)
_FIELD: Final = re.compile(
    r"\s*(?P<path>(?:\.[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]+\])*)+)"
    r"(?P<rest>(?:\s*\|\s*(?:tostring|ascii_downcase))*)\s*"
)
_STATUSES: Final = {"true": "True", "false": "False", "unknown": "Unknown"}
_PLAIN: Final = re.compile(r"[^\s'\"=]+")


def forms_of(job: JobAt, options: WaitOptions, *keys: str | int) -> list[str] | None:
    """What ``readyWhen`` or ``doneWhen`` says; None for what the kind is known for."""
    forms = []
    for number, each in enumerate(options.custom_status_paths):
        form = form_of(each.key, each.value)
        if form is None:
            form = f"jq={{{each.key}}}={each.value}"
            try:
                compile_program(each.key)
            except ValueError as error:
                job.problem(f"{error}", *keys, "customStatusPaths", number, "key")
                continue
        forms.append(form)
    return forms or None


def form_of(program: str, value: str) -> str | None:
    """A program, and what its output has to be, as one of the forms; None for another one."""
    if match := _CONDITION.fullmatch(program):
        lowered = "ascii_downcase" in match["rest"]
        status = _STATUSES.get(value, value) if lowered else value
        return f"condition={match['type']}={status}" if _PLAIN.fullmatch(status) else None
    match = _FIELD.fullmatch(program)
    # Without `tostring` a number or boolean is no text, and so never what is waited for.
    if match and "ascii_downcase" not in match["rest"] and _PLAIN.fullmatch(value):
        return f"jsonpath={{.status{match['path']}}}={value}"
    return None
