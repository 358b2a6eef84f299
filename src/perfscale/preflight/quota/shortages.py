"""Whether the quotas and limit ranges of existing namespaces allow what the run creates."""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from perfscale.errors import ApiError, Problem
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.preflight.existing import EXISTING
from perfscale.preflight.quota.quotas import LimitRange, ResourceQuota, exceeded, too_large
from perfscale.preflight.quota.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.config import Config
    from perfscale.kube.client import Client
    from perfscale.preflight.quota.usage import RunUsage
    from perfscale.templates import ObjectFactory

_log = logging.getLogger(__name__)

_QUOTAS: Final = Resource("", "v1", "resourcequotas", "ResourceQuota", namespaced=True)
_LIMITS: Final = Resource("", "v1", "limitranges", "LimitRange", namespaced=True)
_FEW: Final = 10
"""Up to so many namespaces are listed one by one; more, all of the cluster's at once."""

T = TypeVar("T", ResourceQuota, LimitRange)


async def find_shortages(
    client: Client,
    config: Config,
    factories: Sequence[Sequence[ObjectFactory]],
    resources: Mapping[tuple[str, str], Resource],
    namespaces: Sequence[str],
) -> list[Problem]:
    """What the run requests that its namespaces' quotas and limit ranges do not allow.

    Where they may not be listed, nothing is said: the server will.

    Args:
        client: The way to the cluster.
        config: The workload file.
        factories: Its compiled templates, by workload and object.
        resources: How the cluster serves each kind.
        namespaces: Every namespace that objects go to.

    Raises:
        TemplateError: An object does not render.
        ClusterError: The server cannot be reached.
    """
    quotas = await _list(client, _QUOTAS, ResourceQuota, namespaces)
    ranges = await _list(client, _LIMITS, LimitRange, namespaces)
    there = [name for name in namespaces if name in quotas or name in ranges]
    if not there:
        return []
    try:
        usage = usage_of(factories, resources, there)
        found = {
            name: [
                *_too_much(name, quotas.get(name, ()), usage),
                *_too_large(config, name, ranges.get(name, ()), usage),
            ]
            for name in there
        }
    except ValueError as error:
        _log.debug("quotas and limit ranges are not understood: %s", error)
        return []
    return [
        problem
        for name, problems in found.items()
        if problems and not await _is_terminating(client, name)
        for problem in problems
    ]


async def _list(
    client: Client, resource: Resource, kind: type[T], namespaces: Sequence[str]
) -> dict[str, list[T]]:
    """The objects of a kind, by namespace."""
    found: dict[str, list[T]] = {}
    wanted = set(namespaces)
    decoder = page_decoder(kind)
    for place in sorted(wanted) if len(wanted) <= _FEW else [None]:
        here: list[T] = []
        try:
            async for page in read_pages(client, resource, decoder, namespace=place):
                if page.first:
                    here.clear()
                here += page.items
        except ApiError as error:
            _log.debug("cannot list the %s: %s", resource.plural, error)
            continue
        for item in here:
            if (home := item.metadata.namespace) in wanted:
                found.setdefault(home, []).append(item)
    return found


def _too_much(
    namespace: str, quotas: Sequence[ResourceQuota], usage: RunUsage
) -> Iterator[Problem]:
    peaks = usage.peaks.get(namespace, {})
    for quota in quotas:
        for message in exceeded(quota, peaks):
            yield Problem(f"namespace {namespace}: {message}")


def _too_large(
    config: Config, namespace: str, ranges: Sequence[LimitRange], usage: RunUsage
) -> Iterator[Problem]:
    """One problem for each maximum and entry of the workload file, however many objects."""
    for (workload, entry), objects in usage.objects.items():
        found: dict[tuple[str, str], Problem] = {}
        for planned in objects:
            if planned.namespace != namespace or planned.needs.launcher is None:
                continue
            for message in chain(*(too_large(each, planned.needs.launcher) for each in ranges)):
                text = f"{planned.kind} {namespace}/{planned.name}: {message}"
                problem = config.problem(("workloads", workload, "objects", entry), text)
                found.setdefault((planned.kind, message), problem)
        yield from found.values()


async def _is_terminating(client: Client, namespace: str) -> bool:
    """Whether a namespace is terminating: the one that the run then makes has no quotas."""
    try:
        found = await client.read(EXISTING, NAMESPACES.path(name=namespace))
    except ApiError:
        return False
    return found.terminating
