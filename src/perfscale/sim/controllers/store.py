"""What the controllers need of an API server, so that they can work against any.

In the simulated cluster they change the objects in memory; against a real API server that
has KubeVirt's kinds but no KubeVirt, the same controllers work over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.resources import Resource

JSON: TypeAlias = dict[str, Any]


class ObjectStore(Protocol):
    """Objects that can be watched and changed.

    Objects that come out of a store are shared with others: whoever wants to change one
    changes a copy. Every method raises the branch of `perfscale.errors.ApiError` that the
    API server's answer stands for, or a `ClusterError` where there was no answer.
    """

    async def serves(self, resource: Resource) -> bool:
        """Whether the API server has this kind at all."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> JSON:
        """The object as it is now."""

    async def bind(self, pod: JSON, node: str) -> None:
        """Give a pod its node, which nobody but a scheduler may."""

    async def create(self, resource: Resource, obj: JSON) -> JSON:
        """Create `obj` in the namespace that it names; return it as it was stored."""

    async def update(self, resource: Resource, obj: JSON) -> JSON:
        """Replace an object, but not its status where the kind has that apart.

        Raises:
            ConflictError: `obj` was made from an older version than the stored one.
        """

    async def update_status(self, resource: Resource, obj: JSON) -> JSON:
        """Replace the status of an object whose kind has it as a subresource.

        Raises:
            ConflictError: `obj` was made from an older version than the stored one.
        """

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period_s: int | None = None,
    ) -> None:
        """Ask for an object's deletion.

        Args:
            resource: Its kind.
            namespace: None for a kind that is cluster-scoped.
            name: Its name.
            uid: The object that is meant; another one of the same name stays.
            grace_period_s: How long a pod may take to stop, in whole seconds; 0 removes it
                at once. None leaves it to the object.

        Raises:
            ConflictError: The object of that name is not the one with `uid`.
        """

    async def watch(
        self,
        resource: Resource,
        on_event: Callable[[str, JSON], None],
        on_synced: Callable[[], None],
    ) -> NoReturn:
        """Call `on_event` with ``ADDED``, ``MODIFIED`` or ``DELETED`` and the object.

        What exists already arrives as ``ADDED``, and then `on_synced` is called. An object
        may be reported as ``ADDED`` again when the watch had to start afresh, and what had
        gone by then as ``DELETED``. Runs until it is cancelled, through outages too.

        Raises:
            CredentialsError: The API server does not accept the credentials any more.
        """
