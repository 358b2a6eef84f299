"""The commands as people use them: processes, with what they say and how they end."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from patience import PATIENCE_S

_POLL_S: Final = 0.01
_FOREIGN: Final = ("KUBECONFIG", "NO_COLOR", "FORCE_COLOR", "DOCKER_PREFIX", "DOCKER_TAG", "TERM")


def until(reached: Callable[[], bool], what: str, *, state: Callable[[], object] = str) -> None:
    """Wait until something is so; raise AssertionError, with the state, if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S:g} s in vain for {what}: {state()}")
        time.sleep(_POLL_S)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def run_id(self) -> str:
        return run_id_in(self.err)


def run_id_in(err: str) -> str:
    """The run's id, as the header has it."""
    found = re.search(r"^run +(\S+)$", err, re.MULTILINE)
    assert found, err
    return found[1]


class Running:
    """A command that goes on; leaving the context kills what has not ended."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._out, self._err = folder / "stdout.txt", folder / "stderr.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    @property
    def run_id(self) -> str:
        return run_id_in(self.err)

    def reaches(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until something is so, while the command goes on."""

        # What was so a moment ago need not be so any more, so it is asked once.
        def reached_while_it_goes_on() -> bool:
            has_ended = self.process.poll() is not None
            if reached():
                return True
            assert not has_ended, f"ended with {self.process.returncode} before {what}:\n{self.err}"
            return False

        until(reached_while_it_goes_on, what, state=lambda: self.err)

    def says(self, text: str) -> None:
        """Wait until it has written this to standard error."""
        self.reaches(lambda: text in self.err, f"{text!r}")

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def ends(self, patience_s: float = PATIENCE_S) -> Ended:
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {patience_s:g} s:\n{self.err}") from None
        return Ended(code, self.out, self.err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


class CommandLine:
    """Runs the commands in a folder of their own, without the environment's clusters."""

    def __init__(self, folder: Path, *, name: str = "perfscale") -> None:
        self.folder = folder
        self.program = str(Path(sys.executable).with_name(name))
        kept = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        self.environment = {
            **kept, "HOME": str(folder), "TMPDIR": str(folder), "PATH": path, "COLUMNS": "100",
        }  # fmt: skip

    def __call__(self, *arguments: str | Path, **environment: str) -> Ended:
        """Run the command to its end; it has no terminal."""
        return self.execute([self.program, *map(str, arguments)], **environment)

    def python(self, program: str, *arguments: str | Path) -> Ended:
        """Run a Python program that calls the command line."""
        return self.execute([sys.executable, "-c", program, *map(str, arguments)])

    def shell(self, script: str) -> Ended:
        """Run a line as somebody types it."""
        return self.execute(["bash", "-c", script])

    def execute(self, command: Sequence[str], **environment: str) -> Ended:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    async def beside(self, *arguments: str | Path, **environment: str) -> Ended:
        """Run the command to its end beside a server in this event loop."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *map(str, arguments),
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    def start(self, *arguments: str | Path) -> Running:
        """Start the command and let it run."""
        return Running([self.program, *map(str, arguments)], self.folder, self.environment)

    def start_shell(self, script: str, *arguments: str | Path) -> Running:
        """Start a shell that becomes the command."""
        command = ["sh", "-c", script, self.program, *map(str, arguments)]
        return Running(command, self.folder, self.environment)

    @property
    def results(self) -> list[Path]:
        """The folders of the runs here, the oldest first."""
        return folders_in(self.folder / "results")


def folders_in(results: Path) -> list[Path]:
    """The folders of runs, the oldest first, without what else is beside them."""
    return sorted(
        path.parent for path in results.glob("*/run.json") if path.parent.name != "latest"
    )
