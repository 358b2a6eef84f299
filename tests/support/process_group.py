"""Servers that a test run starts, and that cannot outlive it.

A fixture's teardown does not run when pytest itself is killed, and an etcd left behind by
every killed run fills a machine. So the servers share a process group with a watcher that
waits for the end of a pipe which only this process holds: whatever ends this process, the
pipe closes, and the watcher kills the whole group, itself included.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class ProcessGroup:
    """Processes that end together, at the latest when this process does.

    The kernel's parent-death signal would follow the *thread* that started a server, which
    may be a worker that ends long before the run does; a pipe follows the process.
    """

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", "cat; kill -KILL 0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )

    def start(self, command: Sequence[str | Path], *, log: Path) -> subprocess.Popen[bytes]:
        """Start `command` in the group, its output appended to the file `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=self._watcher.pid,
            )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """Kill every process of the group and wait until all are gone."""
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
        self._watcher.wait()
        for process in self._processes:
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
