"""Calls of a generator's actor on its worker, each made once.

Dask's own handle of an actor is not used for that: it repeats a call whose connection broke, or
waits for the actor to be made again elsewhere, which it never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfscale.errors import GeneratorLostError
from perfscale.fleet.dask.actor import GeneratorActor

if TYPE_CHECKING:
    from distributed import Client


class ActorError(Exception):
    """What a method of an actor has raised, in words."""


class RemoteActor:
    """A `GeneratorActor` on one worker.

    Args:
        client: Dask's.
        address: The worker's.
        key: What Dask calls the actor.
    """

    def __init__(self, client: Client, address: str, key: str) -> None:
        self._client = client
        self._address = address
        self._key = key
        self._future: Any = None

    async def create(self) -> None:
        """Have it made, on its worker and without retries; raises what Dask does."""
        with self._client.as_current():
            self._future = self._client.submit(
                GeneratorActor,
                key=self._key,
                workers=[self._address],
                allow_other_workers=False,
                retries=0,
                pure=False,
                actor=True,
            )
            await self._future

    async def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 -- of any method
        """Call a method.

        Raises:
            GeneratorLostError: The method has raised it.
            ActorError: It has raised anything else.
            OSError: The worker cannot be reached; what became of the call nobody knows.
        """
        worker: Any = self._client.rpc(self._address)
        answer = await worker.actor_execute(
            function=method, actor=self._key, args=list(arguments), kwargs={}
        )
        if answer["status"] == "OK":
            return answer["result"]
        error = answer["exception"]
        if isinstance(error, GeneratorLostError):
            raise error
        raise ActorError(str(error) or repr(error)) from error

    def release(self) -> None:
        """Nobody needs it any more."""
        if self._future is not None:
            self._future.release()
