"""kubectl, while the test's own event loop serves what it asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubectl import Kubectl


class AsyncKubectl:
    """kubectl beside the server's own event loop."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    @asynccontextmanager
    async def started(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._kubectl.command(*arguments), stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        async with self.started(*arguments) as process:
            out, err = await process.communicate(stdin.encode())
            return process.returncode or 0, out.decode(), err.decode()

    async def __call__(self, *arguments: str, stdin: str = "") -> str:
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {err}"
        return out
