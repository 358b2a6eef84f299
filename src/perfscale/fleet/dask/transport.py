"""Carries the messages of a run's generators over Dask.

Dask would run again what it takes for failed, and would take minutes to notice a worker that
hangs. So an actor is made once, on the one worker that it is for, and without retries; what it
does is asked for by calls that are never repeated; and who is lost is the coordinator's business.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.errors import FleetError, GeneratorLostError
from perfscale.fleet.dask.actor import GeneratorActor
from perfscale.fleet.messages import ToCoordinator
from perfscale.fleet.processes.child import LEASE_S, ChildInputs
from perfscale.fleet.processes.frames import encode_messages
from perfscale.templates import TemplateDefaults, compile_workloads
from perfscale.templates.files import recorded_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.fleet.dask.workers import Workers
    from perfscale.fleet.messages import ToGenerator
    from perfscale.fleet.transport import GeneratorInputs

_START_TIMEOUT_S: Final = 60.0
_WAIT_S: Final = 1.0
"""For how long a worker waits for messages before it answers without any. Each such call also
shows the generator that somebody is there: see `LEASE_S`."""
_KILL_TIMEOUT_S: Final = 3.0
_MARGIN_S: Final = 1.0
_READ_AHEAD: Final = 4
"""Batches of about `MOST_BYTES` that wait for the coordinator, at most."""


class DaskTransport:
    """Starts a generator on each of the workers.

    Args:
        workers: Those of the run.
        kubeconfig: What is sent to them; None where they find their own.
    """

    def __init__(self, workers: Workers, *, kubeconfig: bytes | None = None) -> None:
        self._workers = workers
        self._kubeconfig = kubeconfig
        self._files: Mapping[str, bytes] | None = None

    async def start(self, inputs: GeneratorInputs) -> DaskConnection:
        """Start one generator, on the worker of its index.

        Raises:
            FleetError: It cannot be started.
        """
        defaults = inputs.options.defaults or TemplateDefaults.from_environment()
        inputs = replace(inputs, options=replace(inputs.options, defaults=defaults))
        if self._files is None:
            with recorded_files() as files:
                compile_workloads(inputs.config, run_id=inputs.run_id, defaults=defaults)
            self._files = files
        address = self._workers.addresses[inputs.shard.index]
        given = pickle.dumps(ChildInputs(inputs, self._files, self._kubeconfig))
        client = self._workers.client
        with client.as_current():
            future = client.submit(
                GeneratorActor,
                key=f"perfscale-generator-{inputs.shard.index}-{inputs.run_id}",
                workers=[address],
                allow_other_workers=False,
                retries=0,
                pure=False,
                actor=True,
            )
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    actor: Any = await future
                    pid: int = await actor.start(given)
            except TimeoutError:
                raise FleetError(
                    f"the worker {address} started no generator within {_START_TIMEOUT_S:.0f} s"
                ) from None
            except (OSError, RuntimeError) as error:
                raise FleetError(
                    f"the worker {address} cannot start a generator: {error}"
                ) from error
            worker = self._workers.pids.get(address)
            pids = () if worker is None else (pid, worker)
            return DaskConnection(actor, future, address, pids)


class DaskConnection:
    """The coordinator's end of a connection to one generator; see `Connection`.

    Args:
        actor: Dask's handle of a `GeneratorActor` that has started.
        future: What keeps it.
        address: The worker's.
        pids: Of the generator and of its worker, if the run has started both on this machine.
    """

    def __init__(self, actor: Any, future: Any, address: str, pids: tuple[int, ...]) -> None:  # noqa: ANN401 -- Dask's
        self.name = f"worker {address}"
        self._actor = actor
        self._future = future
        self._pids = pids
        self._decoder: msgspec.msgpack.Decoder[list[ToCoordinator]] = msgspec.msgpack.Decoder(
            list[ToCoordinator]
        )
        self._outgoing: list[ToGenerator] = []
        self._has_outgoing = asyncio.Event()
        self._batches: asyncio.Queue[list[bytes] | GeneratorLostError] = asyncio.Queue(_READ_AHEAD)
        self._frames: deque[bytes] = deque()
        self._pending: deque[ToCoordinator] = deque()
        self._lost: GeneratorLostError | None = None
        self._called_s = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._post(), name="perfscale-post"),
            asyncio.create_task(self._collect(), name="perfscale-collect"),
        ]

    def send(self, message: ToGenerator) -> None:
        """Send a message; never blocks, and keeps the order. To one that is lost: nothing."""
        if self._lost is None:
            self._outgoing.append(message)
            self._has_outgoing.set()

    async def receive(self) -> ToCoordinator:
        """The next message. Cancellation loses none.

        Raises:
            GeneratorLostError: It is not there any more; with the reason.
        """
        while not self._pending:
            if self._frames:
                self._pending.extend(self._decoder.decode(self._frames.popleft()))
            elif self._lost is not None:
                raise self._lost
            else:
                found = await self._batches.get()
                if isinstance(found, GeneratorLostError):
                    self._lost = found
                else:
                    self._frames.extend(found)
        return self._pending.popleft()

    async def close(self) -> None:
        """Make sure that the generator sends nothing more, and forget it.

        Its worker kills it. Where the worker does not answer either, the run kills both if it has
        started them, and else waits until the generator has ended by itself (see `LEASE_S`).
        """
        for task in self._tasks:
            task.cancel()
        called_s = self._called_s
        try:
            async with asyncio.timeout(_KILL_TIMEOUT_S):
                await self._actor.kill()
        except (OSError, RuntimeError):  # also a timeout
            if self._pids:
                self._kill()
            else:
                # What was called last may have reached the worker late, and once.
                await asyncio.sleep(called_s + 2 * LEASE_S + _MARGIN_S - time.monotonic())
        self._future.release()

    def _kill(self) -> None:
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _post(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            batch, self._outgoing = self._outgoing, []
            self._called_s = time.monotonic()
            try:
                await self._actor.post([encode_messages(batch)])
            except (OSError, RuntimeError):
                return  # `_collect` meets the same, and knows why

    async def _collect(self) -> None:
        while True:
            self._called_s = time.monotonic()
            try:
                batch = await self._actor.collect(_WAIT_S)
            except GeneratorLostError as error:
                await self._batches.put(error)
                return
            except (OSError, RuntimeError) as error:
                await self._batches.put(GeneratorLostError(f"its worker is gone: {error}"))
                return
            if batch:
                await self._batches.put(batch)
