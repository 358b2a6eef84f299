"""Finds out which kinds the API server serves, and under which URLs."""

from __future__ import annotations

import asyncio
import difflib
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import (
    ApiError,
    ForbiddenError,
    NotFoundError,
    PerfscaleError,
    UsageError,
)
from perfscale.kube.resources import Resource
from perfscale.kube.retrying.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from perfscale.kube.client import Client

_log = logging.getLogger(__name__)

_BROKEN_S: Final = 10.0
"""How long a group is asked that does not answer properly. Of one whose own API server is
down for good nothing more is to be had; one answer of 503 or 429 is over sooner."""
_PAUSE_S: Final = 1.0
_AT_ONCE: Final = 8


class NotInstalledError(UsageError):
    """The cluster does not serve a kind."""


class _ApiResource(msgspec.Struct, frozen=True):
    name: str
    kind: str
    namespaced: bool
    verbs: list[str] | None = None


class _ApiResourceList(msgspec.Struct, frozen=True):
    resources: list[_ApiResource] | None


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    version: str
    group_version: str


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    versions: list[_Version]
    preferred_version: _Version | None = None


class _GroupList(msgspec.Struct, frozen=True):
    groups: list[_Group] | None


class _ServerVersion(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str


_RESOURCES: Final = msgspec.json.Decoder(_ApiResourceList)
_GROUPS: Final = msgspec.json.Decoder(_GroupList)
_VERSION: Final = msgspec.json.Decoder(_ServerVersion)


class Discovery:
    """What one cluster serves; every answer is asked for once.

    Attributes:
        skipped: Group versions that `all_resources` and `ask` could not ask about,
            with the reason: an aggregated API that is down takes no other with it.
    """

    def __init__(self, client: Client) -> None:
        self.skipped: dict[str, str] = {}
        self._client = client
        self._resources: dict[str, tuple[Resource, ...]] = {}
        self._subresources: set[tuple[str, str]] = set()
        self._groups: tuple[_Group, ...] | None = None

    async def resolve(self, api_version: str, kind: str) -> Resource:
        """The resource behind ``apiVersion`` and ``kind`` of an object.

        Raises:
            NotInstalledError: The cluster does not have it, and what it has instead.
            UsageError: We may not ask.
            ClusterError: The server cannot be asked.
        """
        try:
            resources = await self._serves(api_version, retry=True)
        except NotFoundError as error:
            raise await self._missing(api_version) from error
        except ForbiddenError as error:
            raise UsageError(
                f"not permitted to ask what {api_version} serves: {error}",
                status=error.status,
                reason=error.reason,
                hint="the user needs the cluster role system:discovery",
            ) from error
        for resource in resources:
            if resource.kind == kind:
                return resource
        kinds = sorted({resource.kind for resource in resources})
        near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.5)
        instead = f"did you mean {near[0]}?" if near else f"it has {', '.join(kinds) or 'nothing'}"
        raise NotInstalledError(f"{api_version} has no kind {kind} on this cluster: {instead}")

    async def find(self, api_version: str, plural: str) -> Resource | None:
        """The resource of a group version by its plural; None where it is not served.

        Raises:
            ClusterError: The server cannot be asked.
        """
        try:
            resources = await self._serves(api_version, retry=True)
        except (NotFoundError, ForbiddenError):
            return None
        return next((each for each in resources if each.plural == plural), None)

    async def serves_subresource(self, resource: Resource, subresource: str) -> bool:
        """Whether a resource has a subresource, where KubeVirt's have no resource itself.

        Raises:
            ClusterError: The server cannot be asked.
        """
        await self.find(resource.api_version, resource.plural)
        return (resource.api_version, f"{resource.plural}/{subresource}") in self._subresources

    async def all_resources(self) -> list[Resource]:
        """Every resource that can be listed and deleted, each in its preferred version.

        What cannot be read is left out, and listed in `skipped`.

        Raises:
            ClusterError: The server cannot be asked.
        """
        try:
            await self._patiently(self._check_ready)
        except ApiError as error:
            _log.info("the server is not ready: %s", error)
        try:
            await self._patiently(self._all_groups)
        except ApiError as error:
            self.skipped["the list of API groups"] = str(error)
        if self._groups == ():
            # No API server is without any; what answers so in its name hides what there is.
            self.skipped["the list of API groups"] = "it is empty"
        groups = [["v1"], *(_by_preference(group) for group in self._groups or ())]
        await self.ask(api_version for versions in groups for api_version in versions)
        if not self._resources.get("v1"):
            self.skipped.setdefault("v1", "the server names none")
        return [resource for versions in groups for resource in self._removable(versions)]

    async def ask(self, api_versions: Iterable[str]) -> None:
        """Read what these serve; what cannot be read is listed in `skipped`.

        A group version that the server does not know, and does not list either, is
        neither: `resolve` explains it.
        """
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(api_version: str) -> None:
            async with slots:
                try:
                    # The core group is the API server's own: it is there, or nothing is.
                    retry = "/" not in api_version
                    await self._patiently(partial(self._serves, api_version, retry=retry))
                except Exception as error:  # noqa: BLE001 -- one group takes no other with it
                    _log.info("cannot find out what %s serves: %s", api_version, error)
                    if self._groups is not None or not isinstance(error, NotFoundError):
                        self.skipped[api_version] = str(error)

        async with asyncio.TaskGroup() as tasks:
            for api_version in dict.fromkeys(api_versions):
                tasks.create_task(ask(api_version), name=f"perfscale-discovery-{api_version}")

    async def server_version(self) -> str:
        """``gitVersion`` of the server. Raises what a request raises."""
        return (await self._client.read(_VERSION, "/version")).git_version

    async def _check_ready(self) -> None:
        """Raise for as long as the server says that it is not ready.

        Before it has read their definitions it knows nothing of custom resources,
        and its list of groups does not say so.
        https://kubernetes.io/docs/reference/using-api/health-checks/
        """
        try:
            await self._client.request("GET", "/readyz", retry=False)
        except (ForbiddenError, NotFoundError):
            return  # not for us to ask: the groups will have to do

    def _removable(self, versions: Iterable[str]) -> list[Resource]:
        """What of a group can be listed and deleted, each in the first of its versions."""
        found: dict[str, Resource] = {}
        for api_version in versions:
            for resource in self._resources.get(api_version, ()):
                if {"list", "delete"} <= resource.verbs:
                    found.setdefault(resource.plural, resource)
        return list(found.values())

    async def _patiently(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask until there is an answer that can be used, but not for as long as in an outage."""
        timing = self._client.timing
        until_s = timing.clock() + _BROKEN_S
        backoff = Backoff(timing.random)
        while True:
            try:
                await ask()
            except PerfscaleError as error:
                retry_after_s = error.retry_after_s if isinstance(error, ApiError) else None
                delay_s = max(retry_after_s or 0.0, min(backoff.next_s(), _PAUSE_S))
                if timing.clock() + delay_s > until_s:
                    raise
                _log.info("asking again what the server serves: %s", error)
                await timing.sleep(delay_s)
            else:
                return

    async def _serves(self, api_version: str, *, retry: bool) -> tuple[Resource, ...]:
        known = self._resources.get(api_version)
        if known is None:
            group, _, version = api_version.rpartition("/")
            path = f"/apis/{api_version}" if group else f"/api/{api_version}"
            listed = (await self._client.read(_RESOURCES, path, retry=retry)).resources or []
            self._subresources.update(
                (api_version, item.name) for item in listed if "/" in item.name
            )
            known = tuple(
                Resource(
                    group=group,
                    version=version,
                    plural=item.name,
                    kind=item.kind,
                    namespaced=item.namespaced,
                    verbs=frozenset(item.verbs or ()),
                )
                for item in listed
                if "/" not in item.name  # subresources
            )
            self._resources[api_version] = known
        return known

    async def _all_groups(self) -> tuple[_Group, ...]:
        if self._groups is None:
            self._groups = tuple((await self._client.read(_GROUPS, "/apis")).groups or ())
        return self._groups

    async def _missing(self, api_version: str) -> NotInstalledError:
        group, _, version = api_version.rpartition("/")
        if not group:
            return NotInstalledError(f"this cluster has no API {version}")
        try:
            groups = await self._all_groups()
        except ApiError:
            groups = ()
        for served in groups:
            if served.name == group:
                versions = ", ".join(item.version for item in served.versions)
                return NotInstalledError(
                    f"this cluster has no {api_version}: it serves {group} in {versions}"
                )
        return NotInstalledError(f"{group} is not installed on this cluster (no API {api_version})")


def _by_preference(group: _Group) -> list[str]:
    """The group's versions, the preferred one first."""
    versions = [item.group_version for item in group.versions]
    if group.preferred_version is not None:
        preferred = group.preferred_version.group_version
        versions.sort(key=lambda name: name != preferred)
    return versions
