"""``readyWhen`` and ``failedWhen``: judged as ``kubectl wait --for`` judges, and explained.

https://github.com/kubernetes/kubectl/tree/master/pkg/cmd/wait: names and statuses of conditions
whatever their case, a condition of an older generation is none, a path has to lead to one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.config.jq import outputs
from perfscale.config.jsonpath import as_text
from perfscale.engine.tracking.readiness.documents import STATUS
from perfscale.engine.tracking.readiness.reading import because
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config.jsonpath import JsonPath
    from perfscale.config.sections.readiness import WaitFor
    from perfscale.engine.tracking.readiness.documents import Document
    from perfscale.engine.tracking.readiness.objects import Condition
    from perfscale.engine.tracking.readiness.reading import Reading

_SECRET: Final = frozenset({"data", "stringData"})
"""Top fields whose values are not repeated: they may be a Secret's."""
_LONGEST: Final = 80
_MOST: Final = 12


class Expectation:
    """What one entry of ``objects`` has in the place of its kinds' rules.

    Args:
        ready_when: All of it has to be so; None for the kind's rule.
        failed_when: One of it is enough; None for the kind's rule.
    """

    __slots__ = ("_failed_when", "_ready_when", "is_created_ready", "tops")

    def __init__(
        self, ready_when: Sequence[WaitFor] | None, failed_when: Sequence[WaitFor] | None
    ) -> None:
        self._ready_when = ready_when
        self._failed_when = failed_when
        self.is_created_ready = (
            None if ready_when is None else all(each.is_create for each in ready_when)
        )
        every = (*(ready_when or ()), *(failed_when or ()))
        self.tops = {each.path.top if each.path else STATUS for each in every}

    def judge(self, reading: Reading) -> Reading:
        """What is read off an object, with these rules in the place of its kind's."""
        document = reading.document
        if document is None:
            return reading
        failure = self.failure(document)
        if self._failed_when is None:
            failure = reading.failure
        if self._ready_when is None:
            return msgspec.structs.replace(reading, failure=failure)
        missing = [text for each in self._ready_when if (text := _missing(each, document))]
        if not missing and self._failed_when is None:
            failure = None  # its kind may call an end failed that is waited for here
        if missing and reading.detail and not reading.ready:
            missing.append(reading.detail)
        return msgspec.structs.replace(
            reading, ready=not missing, failure=failure, detail="; ".join(missing) or None
        )

    def failure(self, document: Document) -> str | None:
        """Why it has failed by ``failedWhen``; None if it has not."""
        for each in self._failed_when or ():
            if _missing(each, document) is None:
                found = _find(document, each.condition) if each.condition else None
                return because(f"failedWhen: {each}", found.text if found else None)
        return None


def _missing(wait: WaitFor, document: Document) -> str | None:
    """What is there instead; None if it is so."""
    if wait.condition is not None:
        return _missing_condition(wait, wait.condition, document)
    if wait.path is not None:
        return _missing_value(wait.path, wait.value, document)
    if wait.program is not None:
        return _missing_output(wait, wait.program, document)
    return None


def _missing_output(wait: WaitFor, program: str, document: Document) -> str | None:
    """One output of the program has to be the text; numbers and booleans are none."""
    status = document.get(STATUS)
    if status is None:
        return "the object has no status"
    found = outputs(program, status)
    if wait.value in found:
        return None
    shown = ", ".join(visible(str(each)[:_LONGEST]) for each in found[:_MOST]) or "nothing"
    return f'{wait} gives {shown}, not "{wait.value}"'


def _find(document: Document, name: str) -> Condition | None:
    folded = name.casefold()
    conditions = document.observed.conditions or ()
    return next((each for each in conditions if each.type.casefold() == folded), None)


def _missing_condition(wait: WaitFor, name: str, document: Document) -> str | None:
    condition = _find(document, name)
    if condition is None:
        return f"condition {name} was absent; {_seen(document)}"
    observed = condition.observed_generation or document.observed.observed_generation
    generation = document.metadata.generation
    if observed is not None and observed < generation:
        return f"condition {name} is of generation {observed}, and the object is at {generation}"
    if condition.status.casefold() == wait.status.casefold():
        return None
    return because(
        f"condition {name} is {condition.status or 'empty'}, not {wait.status}", condition.text
    )


def _seen(document: Document) -> str:
    conditions = document.observed.conditions
    if not conditions:
        return "no conditions were seen"
    listed = ", ".join(f"{each.type}={each.status}" for each in conditions[:_MOST])
    more = f" and {len(conditions) - _MOST} more" if len(conditions) > _MOST else ""
    return f"conditions seen: {listed}{more}"


def _missing_value(path: JsonPath, value: str | None, document: Document) -> str | None:
    top = document.get(path.top)
    found = [] if top is None else path.find(top)
    if not found:
        return f"jsonpath {path.text} leads to nothing; {_beside(path, top)}"
    instead = None if value is None else _compare(found, value)
    if instead is None:
        return None
    if path.top in _SECRET:
        instead = "has another value"
    return f"jsonpath {path.text} {instead}"


def _compare(found: Sequence[Any], value: str) -> str | None:
    """What is there in the place of one value; None if it is that."""
    if len(found) > 1:
        return f"leads to {len(found)} values, and one is compared"
    text = as_text(found[0])
    if text is None:
        return "leads to a mapping or a list, which has no value to compare"
    if text.strip() == value:
        return None
    shown = visible(text[:_LONGEST]) + ("..." if len(text) > _LONGEST else "")
    return f'is "{shown}", not "{value}"'


def _beside(path: JsonPath, top: Any) -> str:  # noqa: ANN401 - JSON
    """What is there on the way, as far as it goes."""
    if top is None:
        return f"the object has no {path.top}"
    at, value = f".{path.top}", top
    for step in path.steps:
        further = list(step.of(value))
        if len(further) != 1:
            break
        value, at = further[0], f"{at}{step}"
    if not isinstance(value, dict):
        return f"{at} is {'a list' if isinstance(value, list) else 'a value'}"
    names = ", ".join(map(str, list(value)[:_MOST])) or "nothing"
    return f"{at} has {names}"
