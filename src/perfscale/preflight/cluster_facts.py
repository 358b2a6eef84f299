"""Facts about the cluster that the results state: its nodes, and what KubeVirt says of itself.

Nothing depends on them: what may not be read, or is not there, is not known.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from perfscale.errors import ApiError, UsageError
from perfscale.results import ClientLimit, KubeVirtConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.kube.client import Client
    from perfscale.kube.discovery import Discovery
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_NODES: Final = "/api/v1/nodes"
_KUBEVIRT: Final = "kubevirt.io"
_COMPONENTS: Final = ("api", "webhook", "controller", "handler")
"""Those whose clients can be limited, each under ``<name>Configuration``:
https://kubevirt.io/api-reference/main/definitions.html#_v1_kubevirtconfiguration"""


class _ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    continue_: str | None = msgspec.field(default=None, name="continue")
    remaining_item_count: int | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    observed_kube_virt_version: str | None = None


class _Installed(msgspec.Struct, frozen=True):
    spec: dict[str, Any] | None = None
    status: _Status = _Status()


class _Listed(msgspec.Struct, frozen=True):
    metadata: _ListMeta = _ListMeta()
    items: list[_Installed] | msgspec.UnsetType | None = msgspec.UNSET


_LISTED: Final = msgspec.json.Decoder(_Listed)


async def count_nodes(client: Client) -> int | None:
    """How many nodes the cluster has; None if that is not known.

    One of them is listed, and the server says how many more there are
    (``remainingItemCount`` of
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/).
    """
    listed = await _first(client, _NODES)
    if listed is None or listed.items is msgspec.UNSET:
        return None
    more = listed.metadata.remaining_item_count
    if more is None and listed.metadata.continue_:
        return None
    return len(listed.items or ()) + (more or 0)


class KubeVirtFacts(NamedTuple):
    """What KubeVirt says of itself; None where that is not known."""

    version: str | None = None
    config: KubeVirtConfig | None = None


async def kubevirt_facts(
    client: Client, discovery: Discovery, used: Iterable[Resource]
) -> KubeVirtFacts:
    """Read the KubeVirt object, if the run uses something of it and may."""
    versions = {each.api_version for each in used if each.group == _KUBEVIRT}
    for api_version in sorted(versions):
        try:
            resource = await discovery.resolve(api_version, "KubeVirt")
        except UsageError as error:
            _log.debug("nothing is known of KubeVirt: %s", error)
            continue
        listed = await _first(client, resource.path())
        for installed in (listed and listed.items) or ():
            version = installed.status.observed_kube_virt_version
            return KubeVirtFacts(version, _config_of(installed.spec or {}))
    return KubeVirtFacts()


def _config_of(spec: Mapping[str, Any]) -> KubeVirtConfig:
    """What a KubeVirt's spec sets; whatever is not as its schema has it is left out."""
    config = _mapping(spec, "configuration")
    gates = _mapping(config, "developerConfiguration")
    limits = {name: _limit(_mapping(config, f"{name}Configuration")) for name in _COMPONENTS}
    return KubeVirtConfig(
        feature_gates=_texts(gates.get("featureGates")),
        disabled_feature_gates=_texts(gates.get("disabledFeatureGates")),
        migrations={
            str(key): value
            for key, value in _mapping(config, "migrations").items()
            if isinstance(value, str | int | float)
        },
        client_limits={name: limit for name, limit in limits.items() if limit is not None},
    )


def _limit(component: Mapping[str, Any]) -> ClientLimit | None:
    rest = _mapping(component, "restClient")
    bucket = _mapping(_mapping(rest, "rateLimiter"), "tokenBucketRateLimiter")
    try:
        return msgspec.convert(bucket, ClientLimit) if bucket else None
    except msgspec.ValidationError:
        return None


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(sorted(map(str, value))) if isinstance(value, list) else ()


async def _first(client: Client, path: str) -> _Listed | None:
    """The first object of a list; nothing where it cannot be had."""
    try:
        return await client.read(_LISTED, path, {"limit": 1})
    except ApiError as error:
        _log.debug("%s is not known: %s", path, error)
        return None
