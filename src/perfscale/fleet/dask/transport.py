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
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.engine.sharding.lease import OUTLIVES_S
from perfscale.errors import FleetError, GeneratorLostError
from perfscale.fleet.dask.presence import Presence
from perfscale.fleet.dask.remote import ActorError, RemoteActor
from perfscale.fleet.messages import ToCoordinator
from perfscale.fleet.processes.child import ChildInputs
from perfscale.fleet.processes.frames import encode_messages
from perfscale.templates import TemplateDefaults, compile_workloads
from perfscale.templates.files import recorded_files

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from perfscale.errors import PerfscaleError
    from perfscale.fleet.dask.workers import Workers
    from perfscale.fleet.messages import ToGenerator
    from perfscale.fleet.transport import GeneratorInputs

_WAIT_S: Final = 1.0
"""For how long a worker waits for messages before it answers without any. Each such call also
shows the generator that somebody is there: see `LEASE_S`."""
_KILL_TIMEOUT_S: Final = 3.0
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

    def start(self, inputs: GeneratorInputs) -> DaskConnection:
        """Begin to start one generator, on the worker of its index."""
        defaults = inputs.options.defaults or TemplateDefaults.from_environment()
        inputs = replace(inputs, options=replace(inputs.options, defaults=defaults))
        if self._files is None:
            with recorded_files() as files:
                compile_workloads(inputs.config, run_id=inputs.run_id, defaults=defaults)
            self._files = files
        workers, index = self._workers, inputs.shard.index
        given = pickle.dumps(ChildInputs(inputs, self._files, self._kubeconfig))
        key = f"perfscale-generator-{index}-{inputs.run_id}"
        return DaskConnection(workers, workers.addresses[index], key, given)


class DaskConnection:
    """The coordinator's end of a connection to one generator; see `Connection`.

    Args:
        workers: Those of the run.
        address: Of the worker that the generator is started on.
        key: What Dask calls its actor.
        inputs: What it is started with.
    """

    def __init__(self, workers: Workers, address: str, key: str, inputs: bytes) -> None:
        self.name = f"worker {address}"
        self._address = address
        self._inputs = inputs
        self._actor = RemoteActor(workers.client, address, key)
        self._presence = Presence(workers.client, workers.scheduler, address)
        worker = workers.pids.get(address)
        self._pids: tuple[int, ...] = () if worker is None else (worker,)
        self._decoder: msgspec.msgpack.Decoder[list[ToCoordinator]] = msgspec.msgpack.Decoder(
            list[ToCoordinator]
        )
        self._outgoing: list[ToGenerator] = []
        self._has_outgoing = asyncio.Event()
        self._batches: asyncio.Queue[list[bytes] | PerfscaleError] = asyncio.Queue(_READ_AHEAD)
        self._frames: deque[bytes] = deque()
        self._pending: deque[ToCoordinator] = deque()
        self._lost: PerfscaleError | None = None
        self._called_s: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closed = False
        self._do(self._live(), "perfscale-connection")

    def _do(self, work: Coroutine[None, None, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def send(self, message: ToGenerator) -> None:
        """Send a message; never blocks, and keeps the order. To one that is lost: nothing."""
        if self._lost is None:
            self._outgoing.append(message)
            self._has_outgoing.set()

    async def receive(self) -> ToCoordinator:
        """The next message. Cancellation loses none.

        Raises:
            FleetError: It cannot be started.
            GeneratorLostError: It is not there any more; with the reason.
        """
        while not self._pending:
            if self._frames:
                self._pending.extend(self._decoder.decode(self._frames.popleft()))
            elif self._lost is not None:
                raise self._lost
            else:
                found = await self._batches.get()
                if isinstance(found, list):
                    self._frames.extend(found)
                else:
                    self._lost = found
        return self._pending.popleft()

    async def close(self, on_wait: Callable[[float], None]) -> None:
        """Make sure that the generator sends nothing more, and forget it.

        Its worker kills it. Where the worker does not answer either, the run kills both if it has
        started them; else a generator whose worker has ended has ended with it, and any other ends
        by itself, which is waited for (see `OUTLIVES_S`).
        """
        if self._is_closed:
            return
        for task in self._tasks:
            task.cancel()
        called_s = self._called_s
        if called_s is not None and not await self._is_killed():
            self._kill_here()
            left_s = called_s + OUTLIVES_S - time.monotonic()
            if not self._pids and not self._presence.has_ended and left_s > 0:
                on_wait(left_s)
                await asyncio.sleep(left_s)
        self._actor.release()
        self._is_closed = True

    async def _is_killed(self) -> bool:
        if self._presence.has_ended:
            return False
        try:
            async with asyncio.timeout(_KILL_TIMEOUT_S):
                await self._actor.call("kill")
        except Exception:  # noqa: BLE001 -- whatever a worker that is in trouble answers
            return False
        return True

    def _kill_here(self) -> None:
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # -- what goes on meanwhile --------------------------------------------------

    async def _live(self) -> None:
        """Start it and collect what it sends, until that ends."""
        try:
            await self._start()
            self._do(self._post(), "perfscale-post")
            while True:
                await self._collect_some()
        except (FleetError, GeneratorLostError) as error:
            await self._batches.put(error)
        except Exception as error:  # noqa: BLE001 -- whatever Dask raises, it is lost
            why = f"its worker failed: {str(error) or repr(error)}"
            await self._batches.put(await self._presence.find_loss(why))

    async def _start(self) -> None:
        """Until it is heard of for the first time; nobody else watches over it as long."""
        loop = asyncio.get_running_loop()
        starting = loop.create_task(self._start_there(), name="perfscale-start")
        watching = loop.create_task(self._presence.lost(), name="perfscale-presence")
        both = (starting, watching)
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                raise await watching
            await starting
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _start_there(self) -> None:
        """On the worker.

        Raises:
            FleetError: The worker has said why it cannot.
        """
        await self._actor.create()
        self._called_s = time.monotonic()
        try:
            pid: int = await self._actor.call("start", self._inputs)
        except ActorError as error:
            raise FleetError(
                f"the worker {self._address} cannot start a generator: {error}"
            ) from error
        if self._pids:
            self._pids = (pid, *self._pids)
        while not await self._collect_some():
            pass

    async def _post(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            batch, self._outgoing = self._outgoing, []
            self._called_s = time.monotonic()
            try:
                await self._actor.call("post", [encode_messages(batch)])
            except Exception:  # noqa: BLE001 -- `_live` meets the same, and finds out why
                return

    async def _collect_some(self) -> bool:
        """Whether there was anything."""
        self._called_s = time.monotonic()
        batch: list[bytes] = await self._actor.call("collect", _WAIT_S)
        if batch:
            await self._batches.put(batch)
        return bool(batch)
