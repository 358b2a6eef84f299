"""One query of a profile, and what its results are called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.audit.window import Window
    from perfscale.config.sections.audit import AuditThreshold

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def placeholders(name: str) -> list[str]:
    """The labels that a result's name is made of: ``verb`` in ``{verb}-count``."""
    return _PLACEHOLDER.findall(name)


@dataclass(frozen=True)
class Query:
    """What to query, and what to make of the answer.

    Attributes:
        name: Of its results; ``{label}`` stands for that label's value.
        expression: PromQL, with variables as ``$range``.
        unit: Of its results, for people; empty if unknown.
        kind: Whether it is evaluated for one moment, or for every step of the window.
        default: The result where there is no data.
        threshold: Of each of its results.
        at_start: Evaluate it at the start of the window instead of its end.
        variables: What else stands in the expression.
    """

    name: str
    expression: str
    unit: str = ""
    kind: Literal["instant", "range"] = "instant"
    default: float | None = None
    threshold: AuditThreshold | None = None
    at_start: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def promql(self, window: Window) -> str:
        """The expression for one window."""
        values = {**self.variables, **window.variables()}
        return Template(self.expression).safe_substitute(values)

    def result_name(self, labels: Mapping[str, str], *, alone: bool) -> str | None:
        """What the series with these labels is called.

        Args:
            labels: The series' labels.
            alone: Whether it is the only one of the answer; where it is not, and the
                name has no placeholder, the labels are put behind it.

        Returns:
            None where it has no such label as is in the name.
        """
        wanted = placeholders(self.name)
        if wanted:
            if not all(labels.get(label) for label in wanted):
                return None
            return _PLACEHOLDER.sub(lambda match: labels[match[1]], self.name)
        rest = sorted((key, value) for key, value in labels.items() if key != "__name__")
        if alone or not rest:
            return self.name
        return self.name + "{" + ",".join(f"{key}={json.dumps(value)}" for key, value in rest) + "}"
