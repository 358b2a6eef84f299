"""kubectl as tests use it: the client that most people meet a cluster with."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

_TIMEOUT_S: Final = 120.0


def find_kubectl() -> Path | None:
    """Return the kubectl beside the real control plane's programs, else the one on PATH."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    found = shutil.which("kubectl", path=assets) or shutil.which("kubectl")
    return Path(found) if found else None


class Kubectl:
    """Runs kubectl against one cluster, with a cache of its own.

    The cache in the home directory is keyed by host and port, and loopback ports come
    round again with another cluster behind them.
    """

    def __init__(self, program: Path, kubeconfig: Path, cache: Path) -> None:
        self._command: Final = [
            str(program),
            f"--kubeconfig={kubeconfig}",
            f"--cache-dir={cache}",
        ]

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line, for a test that runs it in its own way."""
        return [*self._command, *arguments]

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end, whatever that is."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl, and return what it prints; raise AssertionError if it fails."""
        result = self.run(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {result.stderr}")
        return result.stdout
