"""Which of the keys that a search changes have no effect at a value, and why: from the file alone.

A rate that is never offered, a bound that is never reached, a variable that no template reads: with
any of these, thresholds hold or are lost whatever the value is, and an answer would be wrong.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.sections.shape import is_steady, most_due
from perfscale.results import HELD_SHARE
from perfscale.search.offering.changes import value_at
from perfscale.search.offering.loads import together
from perfscale.templates import resolve_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.config import Config
    from perfscale.config.reading.source import KeyPath
    from perfscale.search.offering.loads import Load

FEWEST: Final = 10
"""Fewer requests show how long a request takes, and nothing of a rate."""
_NO_LOAD: Final = frozenset(
    {"thresholds", "seed", "maxWaitTimeout", "preloadTimeout", "attribution", "audit", "export",
     "index", "hooks"}
)  # fmt: skip
_INCLUDES: Final = re.compile(r"\{%-?\s*(include|import|from|extends)\b|\{\{-?\s*template\b")
_ACTION: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
"""What of a template is no plain text, in both of its languages."""
_WAY_OF_BURST: Final = (
    "set burst: 1 (left out, it is a second's worth of the rate), or let more replicas than the "
    "burst last a duration"
)


class Idle(NamedTuple):
    """A key that has no effect at a value.

    Attributes:
        key: The key.
        place: What in the file keeps it from having one.
        why: In words, after the value.
        way: What to do about it.
    """

    key: KeyPath
    place: KeyPath
    why: str
    way: str


def idle_keys(config: Config, loads: Sequence[Load], keys: Iterable[KeyPath]) -> list[Idle]:
    """The keys, of those that a search changes, that have no effect at their values.

    Args:
        config: The configuration at a value.
        loads: Its loads.
        keys: What a search changes.
    """
    effects = _Effects(config, loads)
    found = (effects.of(key) for key in keys)
    return [each for each in found if each is not None]


def rates_among(keys: Iterable[KeyPath]) -> list[int]:
    """The workloads whose own rate is among the keys that a search changes."""
    found = [key[1] for key in keys if key[:1] == ("workloads",) and key[-1] == "qps"]
    return [each for each in dict.fromkeys(found) if isinstance(each, int)]


class _Effects:
    def __init__(self, config: Config, loads: Sequence[Load]) -> None:
        self._config = config
        self._limits = config.global_config
        self._loads = loads

    def of(self, key: KeyPath) -> Idle | None:  # noqa: PLR0911 -- a line for each key
        match key:
            case ("workloads", int(at), "qps") | ("workloads", int(at), "stages", int(), "qps"):
                return self._rate(key, at)
            case ("workloads", int(at), "objects", int(), "replicas"):
                return self._replicas(key, at)
            case ("workloads", int(at), "burst"):
                return self._burst(key, at)
            case ("workloads", int(at), "maxInFlight"):
                return self._bound_of_workload(key, at)
            case ("workloads", int(at), "objects", int(entry), "inputVars", str(name), *_):
                return self._variable(key, at, entry, name)
            case ("globalConfig", "qps"):
                return self._limit(key)
            case ("globalConfig", "burst") if not self._limits.qps:
                why = "the burst limits nothing without globalConfig.qps"
                return Idle(key, key, why, "write globalConfig.qps as well")
            case ("globalConfig", "maxInFlight"):
                return self._bound(key)
        if _NO_LOAD.intersection(key[:3]):
            why = "the load is the same, as it is at any other value"
            return Idle(key, key, why, "vary qps, replicas, maxInFlight, or a number of the load")
        return None

    # -- rates --------------------------------------------------------------------------

    def _rate(self, key: KeyPath, at: int) -> Idle | None:
        load, rate = self._loads[at], float(value_at(self._config, key))
        workload, limit = load.workload, self._limits.qps
        count = load.requests_at(rate)
        # What its own burst lets pass, a lower limit does not hold back.
        spare = self._limits.bucket_depth if limit else math.inf
        if limit and limit < HELD_SHARE * rate and count * (1 - limit / rate) > spare:
            why = f"globalConfig.qps lets the run send no more than {limit:g} requests a second"
            way = "raise globalConfig.qps above the rates that are searched, or leave it out"
            return Idle(key, ("globalConfig", "qps"), _never(why), way)
        if workload.stages and "stages" not in key:
            why = "the stages say the rate, and qps is where the first of them begins"
            way = f"vary workloads[{at}].stages[*].qps"
            return Idle(key, ("workloads", at, "stages"), _never(why), way)
        if count >= FEWEST:
            return None
        if workload.stages:
            return self._stage(key, at, count)
        place = ("burst",) if workload.burst else self._how_many(at)
        return Idle(key, ("workloads", at, *place), _of_burst(load), _WAY_OF_BURST)

    def _stage(self, key: KeyPath, at: int, count: float) -> Idle:
        load = self._loads[at]
        if load.requests < most_due(load.workload):
            why = f"{count:.0f} of its {load.requests:g} requests are due near it"
            return Idle(key, ("workloads", at, *self._how_many(at)), _hardly(why), "raise replicas")
        why = f"{count:.0f} requests of the stage are due near it"
        way = "let a stage stay at the rate for longer, with step: true"
        return Idle(key, (*key[:-1], "duration"), _hardly(why), way)

    def _how_many(self, at: int) -> KeyPath:
        """Where a workload says how many requests it has."""
        workload = self._config.workloads[at]
        return ("objects", 0, "replicas") if workload.objects else ("targets",)

    def _limit(self, key: KeyPath) -> Idle | None:
        depth, limit = self._limits.bucket_depth, self._limits.qps
        total = sum(each.in_a_row for each in self._loads)
        if total - depth < FEWEST:
            place = key if not self._limits.burst else ("globalConfig", "burst")
            why = (
                f"the limit holds nothing back: {total:g} requests, of which {depth} may go at once"
            )
            return Idle(key, place, why, _WAY_OF_BURST.replace("burst:", "globalConfig.burst:"))

        def wanted(load: Load) -> float:
            return math.inf if load.burst - depth >= FEWEST else load.peak

        most = together(self._loads, wanted)
        if limit <= most:
            return None
        fastest = max(range(len(self._loads)), key=lambda at: self._loads[at].peak)
        workload = self._config.workloads[fastest]
        name = "stages" if workload.stages else "spread" if workload.spread else "qps"
        return Idle(
            key,
            ("workloads", fastest, name),
            f"the limit holds nothing back: no more than {most:g} requests a second are due",
            "vary qps, which is the rate of the workloads; or raise it in them above the values "
            "that are searched",
        )

    def _burst(self, key: KeyPath, at: int) -> Idle | None:
        load = self._loads[at]
        if not load.workload.qps:
            return Idle(key, key, "the burst limits nothing without qps", "write qps as well")
        if load.in_a_row >= load.burst:
            return None
        why = f"no more than {load.in_a_row:g} requests come at once, as there are no others"
        return Idle(key, ("workloads", at, *self._how_many(at)), why, "raise replicas")

    # -- how many ------------------------------------------------------------------------

    def _replicas(self, key: KeyPath, at: int) -> Idle | None:
        load = self._loads[at]
        due = most_due(load.workload)
        if math.isinf(load.requests) or load.requests <= due:
            return None
        name = "stages" if load.workload.stages else "duration"
        why = f"the load is over after {due:g} of the {load.requests:g} objects of an iteration"
        return Idle(key, ("workloads", at, name), why, "let it last longer, or raise qps")

    def _bound_of_workload(self, key: KeyPath, at: int) -> Idle | None:
        bound = self._loads[at].workload.max_in_flight or 0
        if self._limits.max_in_flight < bound:
            why = f"globalConfig.maxInFlight lets {self._limits.max_in_flight} be in flight at most"
            return Idle(key, ("globalConfig", "maxInFlight"), why, "raise it as well")
        most = self._loads[at].requests
        if most >= bound:
            return None
        why = f"no more than {most:g} requests can be in flight: an iteration has as many"
        return Idle(key, ("workloads", at, *self._how_many(at)), why, "raise replicas")

    def _bound(self, key: KeyPath) -> Idle | None:
        def most_of(load: Load) -> float:
            return min(load.workload.max_in_flight or math.inf, load.requests)

        most = together(self._loads, most_of)
        if most >= self._limits.max_in_flight:
            return None
        largest = max(range(len(self._loads)), key=lambda at: most_of(self._loads[at]))
        load = self._loads[largest]
        is_bound = (load.workload.max_in_flight or math.inf) <= load.requests
        place = ("maxInFlight",) if is_bound else self._how_many(largest)
        why = f"no more than {most:g} requests can be in flight at a time"
        way = (
            "raise maxInFlight of the workloads, or leave it out" if is_bound else "raise replicas"
        )
        return Idle(key, ("workloads", largest, *place), why, way)

    # -- templates ------------------------------------------------------------------------

    def _variable(self, key: KeyPath, at: int, entry: int, name: str) -> Idle | None:
        file = self._config.workloads[at].objects[entry].template_file
        path = resolve_template(self._config, file)
        if path is None or name == "namespace":
            return None
        text = path.read_text(encoding="utf-8", errors="replace")
        inside = " ".join(_ACTION.findall(text))
        if _INCLUDES.search(text) or re.search(rf"\b{re.escape(name)}\b", inside):
            return None
        why = f"the objects are as they are at any other value: the template has no {name} in it"
        place = ("workloads", at, "objects", entry, "templateFile")
        return Idle(key, place, why, "vary a variable that the template uses")


def _of_burst(load: Load) -> str:
    burst, count = load.burst, load.in_a_row - load.burst
    if load.in_a_row <= burst:
        return _never(f"no more objects than its burst, {burst} at once")
    due = most_due(load.workload)
    if is_steady(load.workload) and due - burst < count:
        count = due - burst
    return _hardly(f"{count:g} of its requests come after its burst, {burst} at once")


def _never(why: str) -> str:
    return f"the rate is never offered: {why}"


def _hardly(why: str) -> str:
    return f"the rate is hardly offered, and {FEWEST} requests at least show one: {why}"
