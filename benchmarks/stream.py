"""A server that streams the lives of VMIs on a watch, as fast as it is told to.

It runs in a process of its own, under `tracking.py`: stream.py COUNT RATE. It prints its port,
answers the list with nothing and, after a POST, the watch with five events for each VMI, up to
Running; after a DELETE come the other two. The events are those of a real API server in size and
shape.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE: Final = "kubevirt-density-1"
PHASES: Final = ("", "Pending", "Scheduling", "Scheduled", "Running")
_TICK_S: Final = 0.005
_AT_ONCE: Final = 1000
_TIME: Final = "2026-01-01T00:00:00Z"
_NUMBER: Final = b"000000000"
"""Where the number of a VMI goes."""


def name_of(number: int) -> str:
    """Of the VMI with this number."""
    return f"kubevirt-density-1-{number:09d}"


def uid_of(number: int) -> str:
    """Of the VMI with this number."""
    return f"6679aa2f-7769-4ccc-b1e2-abc{number:09d}"


def vmi(phase: str, labels: dict[str, str], *, leaving: bool = False) -> dict[str, Any]:
    """A VMI with the number 0, as a server tells of it."""
    condition = {"lastProbeTime": None, "lastTransitionTime": _TIME, "status": "False"}
    ready = {"type": "Ready", "reason": "GuestNotRunning", "message": "Guest VM is not reported"}
    known = PHASES[1 : PHASES.index(phase) + 1]
    metadata: dict[str, object] = {
        "annotations": {"kubevirt.io/latest-observed-api-version": "v1"},
        "creationTimestamp": _TIME,
        "finalizers": ["kubevirt.io/foregroundDeleteVirtualMachine"],
        "generation": 1,
        "labels": labels,
        "managedFields": [
            {
                "apiVersion": "kubevirt.io/v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": {f"f:{part}": {".": {}, "f:a": {}, "f:b": {}} for part in labels},
                "manager": "perfscale",
                "operation": "Update",
                "time": _TIME,
            }
        ],
        "name": name_of(0),
        "namespace": NAMESPACE,
        "uid": uid_of(0),
    }
    if leaving:
        metadata |= {"deletionTimestamp": _TIME, "deletionGracePeriodSeconds": 0}
    resources = {"cpu": "100m", "memory": "90Mi"}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": metadata,
        "spec": {
            "domain": {
                "cpu": {"cores": 1, "sockets": 1, "threads": 1},
                "devices": {"disks": [{"disk": {"bus": "virtio"}, "name": "containerdisk"}]},
                "resources": {"limits": resources, "requests": resources},
            },
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"containerDisk": {"image": "registry:5000/image"}, "name": "disk"}],
        },
        "status": {
            "conditions": [condition | ready] if phase and phase != "Running" else [],
            "nodeName": "node01",
            "phase": phase,
            "phaseTransitionTimestamps": [
                {"phase": each, "phaseTransitionTimestamp": _TIME} for each in known
            ],
        },
    }


class Server:
    """Speaks as much HTTP as a watch needs."""

    def __init__(self, count: int, rate: float, labels: dict[str, str]) -> None:
        self._count = count
        self._rate = rate
        steps = [("MODIFIED" if phase else "ADDED", vmi(phase, labels)) for phase in PHASES]
        steps += [(kind, vmi("Running", labels, leaving=True)) for kind in ("MODIFIED", "DELETED")]
        lines = [self._line(kind, each, step) for step, (kind, each) in enumerate(steps, start=1)]
        self._rise, self._fall = lines[: len(PHASES)], lines[len(PHASES) :]
        self._created = asyncio.Event()
        self._asked_to_go = asyncio.Event()

    @staticmethod
    def _line(kind: str, document: dict[str, Any], step: int) -> list[bytes]:
        # Versions only ever grow: each step of all VMIs comes after the one before.
        document["metadata"]["resourceVersion"] = f"{step}{_NUMBER.decode()}"
        text = json.dumps({"type": kind, "object": document}, separators=(",", ":"))
        return f"{text}\n".encode().split(_NUMBER)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass
            method, target, _ = request.split(b" ", 2)
            if method in {b"POST", b"DELETE"}:
                (self._created if method == b"POST" else self._asked_to_go).set()
                self._answer(writer, b"200 OK", b"{}")
            elif b"sendInitialEvents" in target:
                self._answer(writer, b"422 Unprocessable Entity", b'{"kind":"Status","code":422}')
            elif b"watch=" in target:
                await self._stream(writer)
            else:
                self._answer(writer, b"200 OK", b'{"metadata":{"resourceVersion":"1"},"items":[]}')

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, status: bytes, body: bytes) -> None:
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self._created.wait()
        await self._send(writer, self._rise)
        await self._asked_to_go.wait()
        await self._send(writer, self._fall)

    async def _send(self, writer: asyncio.StreamWriter, kinds: list[list[bytes]]) -> None:
        """One kind of event for all VMIs, then the next."""
        clock = asyncio.get_running_loop().time
        begun_s, sent = clock(), 0
        at_once = int(self._rate * _TICK_S) if self._rate else _AT_ONCE
        for events in self._batches(kinds, at_once):
            chunk = b"".join(events)
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
            sent += len(events)
            if self._rate:
                await asyncio.sleep(max(0.0, begun_s + sent / self._rate - clock()))

    def _batches(self, kinds: list[list[bytes]], at_once: int) -> Iterator[list[bytes]]:
        for parts in kinds:
            for start in range(1, self._count + 1, at_once):
                numbers = range(start, min(start + at_once, self._count + 1))
                yield [(b"%09d" % number).join(parts) for number in numbers]


async def _main(count: int, rate: float, labels: dict[str, str]) -> None:
    server = await asyncio.start_server(Server(count, rate, labels).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])))
