"""Before a search begins: values that would change nothing of what the cluster gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.errors import ConfigError, UsageError
from perfscale.search.offering.changes import changed_keys
from perfscale.search.offering.effects import idle_keys
from perfscale.search.offering.loads import loads_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.config.reading.source import KeyPath
    from perfscale.search.offering.effects import Idle
    from perfscale.search.varying import Varied


def refuse_unoffered(varied: Varied, start: float, end: float | None) -> tuple[str, ...]:
    """Refuse a range at an end of which the value has no effect, as far as the file shows.

    Returns:
        On which workloads it has none, where it has an effect on others: one sentence each.

    Raises:
        ConfigError: It has none, or the file does not take the values.
        UsageError: Nothing changes with it.
        TemplateError: A template is wrong.
    """
    keys = changed_keys(varied, start, end)
    if not keys:
        raise UsageError(
            f"--vary {varied.name}: nothing changes with it of what would be run",
            hint="vary qps, replicas, maxInFlight, or a number of the load",
        )
    notes: dict[KeyPath, str] = {}
    for value in [start] if end is None else [start, end]:
        config = varied.at(value)
        idle = idle_keys(config, loads_of(config, varied.search_id), keys)
        problems = {
            each: config.source.problem(each.place, f"at {varied.shown(value)} {each.why}")
            for each in idle
        }
        if len(idle) == len(keys):
            raise ConfigError(
                list(dict.fromkeys(problems.values())),
                hint="; or ".join(dict.fromkeys(each.way for each in idle)),
            )
        without = _without_effect(idle, keys)
        notes |= {
            each.place: str(problem)
            for each, problem in problems.items()
            if each.key[:2] in without
        }
    return tuple(notes.values())


def _without_effect(idle: Iterable[Idle], keys: Iterable[KeyPath]) -> set[KeyPath]:
    """The workloads of which no key has an effect."""
    found = {each.key for each in idle}
    effective = {key[:2] for key in keys if key not in found}
    return {key[:2] for key in found} - effective
