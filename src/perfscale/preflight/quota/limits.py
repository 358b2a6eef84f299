"""Limit ranges: the defaults that they set, and the bounds that they enforce.

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.preflight.quota.needs import Container, Needs, totals
from perfscale.preflight.quota.quantity import format_quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

_NOT_BINARY: Final = frozenset({"cpu"})


class _Item(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    min: dict[str, str] | None = None
    max: dict[str, str] | None = None
    default: dict[str, str] | None = None
    default_request: dict[str, str] | None = None


class _Spec(msgspec.Struct, frozen=True):
    limits: list[_Item] | None = None


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str = ""


class LimitRange(msgspec.Struct, frozen=True):
    """A limit range, as the server sends it."""

    metadata: _Metadata
    spec: _Spec = _Spec()


@dataclass(frozen=True, slots=True)
class Limit:
    """One entry of a limit range, with the defaults that follow from its bounds."""

    name: str
    type: str
    minimum: Mapping[str, Decimal]
    maximum: Mapping[str, Decimal]
    default: Mapping[str, Decimal]
    default_request: Mapping[str, Decimal]


class Violation(NamedTuple):
    """A bound that a pod does not keep.

    Attributes:
        name: Name of the limit range.
        resource: What is bounded.
        message: What is requested, and what is allowed.
    """

    name: str
    resource: str
    message: str


def limits_of(ranges: Iterable[LimitRange]) -> list[Limit]:
    """The entries of a namespace's limit ranges."""
    return [_limit(each.metadata.name, item) for each in ranges for item in each.spec.limits or ()]


def _limit(name: str, item: _Item) -> Limit:
    minimum, maximum = _amounts(item.min), _amounts(item.max)
    default, request = _amounts(item.default), _amounts(item.default_request)
    if item.type == "Container":
        # As the API server fills them in when the limit range is created.
        default = {**maximum, **default}
        request = {**minimum, **default, **request}
    return Limit(name, item.type, minimum, maximum, default, request)


def _amounts(given: Mapping[str, str] | None) -> dict[str, Decimal]:
    return {resource: parse_quantity(value) for resource, value in (given or {}).items()}


def with_defaults(needs: Needs, limits: Sequence[Limit]) -> Needs:
    """A pod as it is once the limit ranges have filled it in; other objects stay as they are."""
    if not needs.exact:
        return needs
    defaults = [limit for limit in limits if limit.type == "Container"]

    def filled(container: Container) -> Container:
        requests, most = dict(container.requests), dict(container.limits)
        for limit in defaults:
            requests = {**limit.default_request, **requests}
            most = {**limit.default, **most}
        return Container(requests, most)

    return replace(
        needs,
        containers=tuple(filled(each) for each in needs.containers),
        init_containers=tuple(filled(each) for each in needs.init_containers),
    )


def violations(needs: Needs, limits: Sequence[Limit]) -> Iterator[Violation]:
    """The bounds that an object's pods do not keep.

    Args:
        needs: What it requests, with the defaults filled in.
        limits: The entries of its namespace's limit ranges.
    """
    for limit in limits:
        if limit.type == "Container":
            for container in (*needs.containers, *needs.init_containers):
                yield from _broken(limit, container, exact=needs.exact)
        elif limit.type == "Pod" and needs.containers:
            yield from _broken(limit, Container(*totals(needs)), exact=needs.exact)


def _broken(limit: Limit, container: Container, *, exact: bool) -> Iterator[Violation]:
    """Where a container, or a pod as a whole, does not keep one entry's bounds."""
    for bounds, at_most in ((limit.maximum, True), (limit.minimum, False)):
        if not at_most and not exact:
            continue  # of what only a lower bound is known
        for resource, bound in bounds.items():
            message = _judge(container, resource, bound, at_most=at_most, exact=exact)
            if message is not None:
                scope = limit.type.lower()
                yield Violation(limit.name, resource, f"{message} for a {scope}")


def _judge(
    container: Container, resource: str, bound: Decimal, *, at_most: bool, exact: bool
) -> str | None:
    binary = resource not in _NOT_BINARY
    allowed = f"{'at most' if at_most else 'at least'} {format_quantity(bound, binary=binary)}"
    found = {
        "limit": container.limits.get(resource),
        "request": container.requests.get(resource),
    }
    required = "limit" if at_most else "request"
    if exact and found[required] is None:
        return f"there is no {resource} {required}, and {allowed} has to be set"
    for what, amount in found.items():
        if amount is not None and (amount > bound if at_most else amount < bound):
            given = format_quantity(amount, binary=binary)
            return f"the {resource} {what} is {given}, and {allowed} is allowed"
    return None
