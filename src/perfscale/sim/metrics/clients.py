"""The metrics of KubeVirt's components about the requests that they send."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from prometheus_client.core import CounterMetricFamily

from perfscale.errors import ApiError
from perfscale.sim.controllers.kinds import KUBEVIRT_GROUP, VM, VMI, VMIM, VMIRS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from prometheus_client.core import Metric

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON, ObjectStore

T = TypeVar("T")

POD: Final = "virt-controller-0"
_SUCCESS: Final = {"CREATE": 201}


class CountedStore:
    """A store of objects that counts what KubeVirt's controllers do with it.

    Each call is what would be one request to an API server. Those for pods are
    not counted: they are a kubelet's.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._counts: Counter[tuple[str, str, int]] = Counter()
        for resource in (VMI, VM, VMIRS, VMIM):
            for verb in ("CREATE", "UPDATE", "DELETE", "LIST", "WATCH"):
                self._counts[resource.plural, verb, _SUCCESS.get(verb, 200)] = 0

    async def serves(self, resource: Resource) -> bool:
        """Whether the store has the kind."""
        return await self._store.serves(resource)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> JSON:
        """Read an object."""
        return await self._counted("GET", resource, self._store.get(resource, namespace, name))

    async def bind(self, pod: JSON, node: str) -> None:
        """Give a pod its node."""
        await self._store.bind(pod, node)

    async def create(self, resource: Resource, obj: JSON) -> JSON:
        """Create an object."""
        return await self._counted("CREATE", resource, self._store.create(resource, obj))

    async def update(self, resource: Resource, obj: JSON) -> JSON:
        """Replace an object."""
        return await self._counted("UPDATE", resource, self._store.update(resource, obj))

    async def update_status(self, resource: Resource, obj: JSON) -> JSON:
        """Replace an object's status."""
        return await self._counted("UPDATE", resource, self._store.update_status(resource, obj))

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period_s: int | None = None,
    ) -> None:
        """Ask for an object's deletion."""
        deleting = self._store.delete(
            resource, namespace, name, uid=uid, grace_period_s=grace_period_s
        )
        await self._counted("DELETE", resource, deleting)

    async def watch(
        self,
        resource: Resource,
        on_event: Callable[[str, JSON], None],
        on_synced: Callable[[], None],
    ) -> NoReturn:
        """Follow the objects of a kind."""
        self._count("LIST", resource, 200)
        self._count("WATCH", resource, 200)
        await self._store.watch(resource, on_event, on_synced)

    async def _counted(self, verb: str, resource: Resource, work: Awaitable[T]) -> T:
        try:
            done = await work
        except ApiError as error:
            self._count(verb, resource, error.status or 500)
            raise
        self._count(verb, resource, _SUCCESS.get(verb, 200))
        return done

    def _count(self, verb: str, resource: Resource, code: int) -> None:
        if resource.group == KUBEVIRT_GROUP:
            self._counts[resource.plural, verb, code] += 1

    def families(self) -> Iterator[Metric]:
        """The series, under the name that KubeVirt gives it."""
        family = CounterMetricFamily(
            "kubevirt_rest_client_requests",
            "Requests that KubeVirt's controllers have sent.",
            labels=["pod", "resource", "verb", "code"],
        )
        for (resource, verb, code), count in self._counts.items():
            family.add_metric([POD, resource, verb, str(code)], count)
        yield family
