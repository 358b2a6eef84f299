"""Reads single objects by name, of which watches and lists by label do not show enough.

An object may lose the run's labels: an admission takes them at its creation, or a controller
does later. To a watch by label that is the same as its deletion. So what nobody has deleted is
read by name, and its UID compared, before it counts as gone. One that lives on without the labels
is deleted by name and UID, and read until it is gone. So is what has no owner, as a claim of a
StatefulSet, and comes when the requests by label are through.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from perfscale.config.labels import (
    ITERATION_LABEL,
    RUN_LABEL,
    WORKLOAD_LABEL,
    carries,
)
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.removal.deletion import delete_object
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.readiness import AnyObject, Identity
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.errors import ApiError
from perfscale.kube.listing import page_decoder, read_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place

_log = logging.getLogger(__name__)

_CONCURRENCY: Final = 16
"""Requests in flight; the run-wide rate limit applies as well."""
_POLL_S: Final = 0.5
"""How often an object without labels that is being deleted is read until it is gone."""


class ObjectVerifier:
    """Verifies what a watch by label cannot show."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._doubted: list[TrackedObject] = []
        self._strays: list[TrackedObject] = []
        self._leaving: dict[str, TrackedObject] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._warned: set[tuple[str, str]] = set()
        context.verify = self.verify

    def verify(self, row: TrackedObject, change: TransitionKind) -> None:
        """Read soon an object that a watch shows as gone; delete a stray one."""
        if change is TransitionKind.STRAY:
            self._strays.append(row)
            self._start(self._delete_strays, "perfscale-strays")
        else:
            self._doubted.append(row)
            self._start(self._verify_doubted, "perfscale-verify")

    def stop(self) -> None:
        """Read nothing more."""
        for task in self._tasks.values():
            task.cancel()

    async def wait_until_known(self, scope: IterationScope) -> None:
        """Wait until it is known of every object of an iteration whether it is gone."""
        await self._context.changed.wait_until(lambda: not scope.doubted)

    async def delete_unlabelled(self, scopes: Iterable[IterationScope]) -> None:
        """Delete what is there without the run's labels; no request by label does."""
        rows = [row for scope in scopes for row in scope.objects if row.unlabelled and row.present]
        await run_bounded((partial(self.delete, row) for row in rows), limit=_CONCURRENCY)

    async def delete_relabelled(self, scope: IterationScope) -> None:
        """Delete those of an iteration that are another's by their labels, or nobody's.

        The watches show them, as they carry the run's label; the requests for all that carries
        the iteration's do not delete them.
        """
        untouched = {
            row.uid: row for row in scope.objects if row.present and row.deletion_timestamp is None
        }
        kinds = {row.resource.name for row in untouched.values()}
        run = f"{RUN_LABEL}={self._context.run_id}"
        others = f"{WORKLOAD_LABEL}!={scope.workload}", f"{ITERATION_LABEL}!={scope.iteration}"
        lists = [
            (place, f"{run},{other}")
            for place in self._context.places
            for other in others
            if place.resource.name in kinds
        ]
        uids: set[str] = set()
        client = self._context.client_of(scope)
        for place, selector in lists:
            uids |= await self._uids(client, place, selector)
        rows = [row for uid, row in untouched.items() if uid in uids]
        await run_bounded((partial(self.delete, row) for row in rows), limit=_CONCURRENCY)

    async def _uids(self, client: Client, place: Place, selector: str) -> set[str]:
        """UIDs of what matches; none where that cannot be found out."""
        pages = read_pages(
            client,
            place.resource,
            page_decoder(AnyObject),
            namespace=place.namespace,
            label_selector=selector,
        )
        try:
            return {item.metadata.uid async for page in pages for item in page.items}
        except ApiError as error:
            _log.info("listing %s: %s", place, error)
            return set()

    async def delete(self, row: TrackedObject) -> None:
        """Delete a single object by its UID, and read it until it is gone.

        If the server refuses that, the object is left over, and there is a warning.
        """
        self._context.request_deletion_of(row)
        try:
            await delete_object(self._context.client_of(row.scope), row.resource, _identity(row))
        except ApiError as error:
            self._context.warn(f"deleting {row.resource.kind_name} {row.name}: {error}")
            return
        self._leaving[row.uid or ""] = row
        self._start(self._follow_leaving, "perfscale-follow")

    def _start(self, work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = self._context.tasks.create_task(self._guard(work), name=name)

    async def _guard(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- reported at the end of the run
            self._context.abort(error)

    async def _verify_doubted(self) -> None:
        while self._doubted:
            rows, self._doubted = self._doubted, []
            await self._verify_all(row for row in rows if row.doubted_s is not None)

    async def _delete_strays(self) -> None:
        while self._strays:
            rows, self._strays = self._strays, []
            client_of = self._context.client_of
            calls = (
                partial(delete_object, client_of(row.scope), row.resource, _identity(row))
                for row in rows
            )
            await run_bounded(calls, limit=_CONCURRENCY)

    async def _follow_leaving(self) -> None:
        while True:
            await self._verify_all(list(self._leaving.values()))
            self._leaving = {uid: row for uid, row in self._leaving.items() if row.present}
            if not self._leaving:
                return
            await asyncio.sleep(_POLL_S)

    async def _verify_all(self, rows: Iterable[TrackedObject]) -> None:
        await run_bounded((partial(self._verify, row) for row in rows), limit=_CONCURRENCY)

    async def _verify(self, row: TrackedObject) -> None:
        """Find out whether an object is there, and still with its labels."""
        context, uid = self._context, row.uid
        try:
            client = context.client_of(row.scope)
            metadata = await find_by_name(client, row.resource, row.namespace, row.name)
        except ApiError as error:
            _log.info("looking at %s %s: %s", row.resource.kind, row.name, error)
            if row.doubted_s is None:
                return
            metadata = None  # the watch is all that there is to go by
        if row.uid != uid:
            return
        if metadata is None or metadata.uid != uid:
            context.publish(context.tracker.confirm_gone(row, context.stopwatch.now()))
            return
        scope = row.scope
        ours = context.labels_of(scope.workload, scope.iteration)
        is_labelled = carries(metadata.labels, ours)
        if not is_labelled and not row.unlabelled:
            self._warn(row)
        context.publish(context.tracker.find(row, metadata, is_labelled=is_labelled))

    def _warn(self, row: TrackedObject) -> None:
        """Warn once for each workload and kind: there may be thousands."""
        key = (row.scope.workload, row.resource.name)
        if key in self._warned:
            return
        self._warned.add(key)
        place = f"{row.namespace}/{row.name}" if row.namespace else row.name
        cleans_up = any(
            workload.iteration_cleanup
            for workload in self._context.config.workloads
            if workload.name == row.scope.workload
        )
        self._context.warn(
            f"{row.resource.kind_name} {place} lives on without the run's labels, which somebody "
            "took from it, and there may be others: "
            + (
                "the run deletes them by their names"
                if cleans_up
                else "delete them by hand, as perfscale cleanup finds objects by their labels"
            )
        )


def _identity(row: TrackedObject) -> Identity:
    return Identity(row.name, row.uid or "", row.namespace)
