"""What carries a label, in numbers: of tens of thousands of objects none is kept."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.config.labels import RUN_LABEL, SHARD_LABEL, is_run_id, is_whole
from perfscale.engine.removal.deletion import CONCURRENCY
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import (
    ClusterError,
    CredentialsError,
    ForbiddenError,
    NotFoundError,
    NotServedError,
    PerfscaleError,
    UnreachableError,
)
from perfscale.kube.decoding import version_number
from perfscale.kube.listing import current_version, page_decoder, read_pages
from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import DEFINITIONS
from perfscale.kube.retrying.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from perfscale.engine.tracking.readiness import Metadata
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place, Resource

_log = logging.getLogger(__name__)

_REFUSED_S: Final = 8.0
"""How long a refusal is doubted that the server does not confirm when asked. An API server
that has just started refuses everybody but system:masters until it has read the roles."""
_PAUSE_S: Final = 1.0
_STALLED_S: Final = 20.0
"""How long places are waited for that alone do not answer, once others have."""
_LEAVING_S: Final = 10.0
"""How long a definition may take to go after its kind."""
_MOST_NAMES: Final = 5


@dataclass(slots=True)
class Share:
    """What of a place is one run's.

    Attributes:
        count: Objects.
        oldest: The server's timestamp of the first that was created; empty if
            none has one.
        newest: Of the last.
        divided: Whether some were made by one generator of several.
    """

    count: int = 0
    oldest: str = ""
    newest: str = ""
    divided: bool = False


@dataclass(slots=True)
class Finding:
    """What there is in one place.

    Attributes:
        count: Objects.
        names: Of the first few of them.
        namespaces: Where they are; None for those outside of any.
        holders: How many are being deleted and have which finalizers; of the
            others, how many there are, under none.
        runs: By run id, those that a run of this program made.
        others: The rest, by the value of the run's label: it may be anybody's.
    """

    count: int = 0
    names: list[str] = field(default_factory=list)
    namespaces: set[str | None] = field(default_factory=set)
    holders: Counter[tuple[str, ...]] = field(default_factory=Counter)
    runs: dict[str, Share] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)

    def add(self, metadata: Metadata) -> None:
        """Count one more."""
        self.count += 1
        if len(self.names) < _MOST_NAMES:
            self.names.append(metadata.name)
        self.namespaces.add(metadata.namespace)
        leaving = metadata.deletion_timestamp is not None
        self.holders[tuple(metadata.finalizers or ()) if leaving else ()] += 1
        labels = metadata.labels or {}
        run_id = labels.get(RUN_LABEL, "")
        if not (is_run_id(run_id) and is_whole(labels)):
            self.others[run_id] += 1
            return
        share = self.runs.setdefault(run_id, Share())
        share.count += 1
        share.divided = share.divided or SHARD_LABEL in labels
        if stamp := metadata.creation_timestamp:  # of one format, so they are ordered as text
            share.oldest = min(share.oldest or stamp, stamp)
            share.newest = max(share.newest, stamp)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What carries a label.

    Attributes:
        found: What there is, by place; places without anything are left out.
        versions: resourceVersion of each place's list, as a number.
        unseen: Places that could not be listed, and why.
    """

    found: dict[Place, Finding] = field(default_factory=dict)
    versions: dict[Place, int] = field(default_factory=dict)
    unseen: dict[Place, Exception] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of objects."""
        return sum(finding.count for finding in self.found.values())

    def include(self, other: Inventory) -> None:
        """Add what was seen elsewhere."""
        self.found.update(other.found)
        self.versions.update(other.versions)
        self.unseen.update(other.unseen)


async def take_inventory(
    client: Client,
    places: Iterable[Place],
    selector: str,
    *,
    doubting: bool = True,
    leaving: Collection[Place] = (),
) -> Inventory:
    """List what carries the label; a place that cannot be listed does not stop the others.

    A refusal is doubted for a while, unless the server confirms it when it is
    asked for our permissions, or ``doubting`` is False. Once some places have
    answered, the others are not waited for forever.

    Args:
        client: The way to the cluster.
        places: Where to look.
        selector: Label selector.
        doubting: Whether a refusal is doubted.
        leaving: Places whose kinds may go with their definitions, as these are being deleted.

    Raises:
        ClusterError: No place at all could be listed.
    """
    lister = _Lister(client, selector, doubting=doubting, leaving=leaving)
    # A kind may have been found in several ways: its objects are counted once.
    distinct = {(place.resource.name, place.namespace): place for place in places}
    async with asyncio.TaskGroup() as tasks:
        pending = {tasks.create_task(lister.take(place)) for place in distinct.values()}
        while pending:
            steps = lister.steps
            done, pending = await asyncio.wait(
                pending, timeout=_STALLED_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not done and lister.result.versions and steps == lister.steps:
                break
        for task in pending:
            task.cancel()
    result = lister.result
    lost = [error for error in result.unseen.values() if isinstance(error, ClusterError)]
    if lost and not result.versions:
        raise lost[0]
    return result


class _Lister:
    """Lists the places of one inventory."""

    def __init__(
        self, client: Client, selector: str, *, doubting: bool, leaving: Collection[Place]
    ) -> None:
        self.result = Inventory()
        self.steps = 0
        self._leaving = leaving
        self._client = client
        self._selector = selector
        self._doubt_s = _REFUSED_S if doubting else 0.0
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def take(self, place: Place) -> None:
        """List one place; whatever goes wrong is recorded."""
        unseen = self.result.unseen
        async with self._slots:
            try:
                if place in self._leaving and await self._has_no_definition(place.resource):
                    return
                await self._doubting_refusals(place)
            except asyncio.CancelledError:
                unseen.setdefault(
                    place, UnreachableError(f"no answer within {_STALLED_S:g} s, and others came")
                )
                raise
            except (NotFoundError, NotServedError):
                unseen.pop(place, None)  # uninstalled meanwhile, and its objects with it
            except Exception as error:  # noqa: BLE001 -- reported at the end: the others go first
                _log.info("cannot list %s: %s", place, error)
                unseen[place] = error
            else:
                unseen.pop(place, None)

    async def _has_no_definition(self, resource: Resource) -> bool:
        """Whether a custom kind is gone with its definition, and all its objects before that.

        A 404 for a kind alone may be of an API server that has only just started, and is tried
        again for a minute.
        """
        timing = self._client.timing
        until_s = timing.clock() + _LEAVING_S
        while timing.clock() < until_s:
            try:
                await current_version(self._client, resource, None, retry=False)
            except NotServedError:
                pass
            except PerfscaleError:
                return False
            else:
                return False
            path = DEFINITIONS.path(name=resource.name)
            try:
                await self._client.request("GET", path, retry=False)
            except NotFoundError:
                return True
            except PerfscaleError:
                return False
            await timing.sleep(_PAUSE_S)
        return False

    async def _doubting_refusals(self, place: Place) -> None:
        timing = self._client.timing
        until_s = timing.clock() + self._doubt_s
        backoff = Backoff(timing.random)
        while True:
            try:
                return await self._list(place)
            except (ForbiddenError, CredentialsError) as error:
                self.result.unseen[place] = error
                delay_s = min(backoff.next_s(), _PAUSE_S)
                if timing.clock() + delay_s >= until_s:
                    raise
                if await Permissions(self._client).denies("list", place):
                    raise
                await timing.sleep(delay_s)

    async def _list(self, place: Place) -> None:
        finding, version = Finding(), ""
        pages = read_pages(
            self._client,
            place.resource,
            page_decoder(AnyObject),
            namespace=place.namespace,
            label_selector=self._selector,
        )
        async for page in pages:
            self.steps += 1
            if page.first:
                finding = Finding()
            for item in page.items:
                finding.add(item.metadata)
            version = page.version
        self.result.versions[place] = version_number(version)
        if finding.count:
            self.result.found[place] = finding
