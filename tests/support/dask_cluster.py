"""A Dask scheduler and its workers, in processes as somebody starts them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from command_line import until
from process_group import ProcessGroup

TLS = "DASK_DISTRIBUTED__COMM__TLS__"
ROLES = ("SCHEDULER", "WORKER", "CLIENT")


@dataclass(frozen=True)
class DaskCluster:
    """A scheduler with workers.

    Attributes:
        address: The scheduler's.
        environment: What leads to it: the certificates, as Dask's configuration.
        scheduler: The process id, and likewise below.
        workers: In no order.
    """

    address: str
    environment: dict[str, str]
    scheduler: int
    workers: tuple[int, ...]


@contextmanager
def dask_cluster(
    folder: Path, *, workers: int, tls: bool, **environment: str
) -> Iterator[DaskCluster]:
    """Start a scheduler and so many workers, which have this environment besides."""
    folder.mkdir()
    certificates = write_certificates(folder) if tls else {}
    file = folder / "scheduler.json"
    scheme = "tls" if tls else "tcp"
    with ProcessGroup() as group:

        def start(module: str, *arguments: str) -> int:
            given = json.dumps({**certificates, **environment})
            program = (
                "import json, os, runpy, sys; os.environ.update(json.loads(sys.argv.pop(1))); "
                f"runpy.run_module('{module}', None, '__main__')"
            )
            command = [sys.executable, "-c", program, given, *arguments, "--no-dashboard"]
            return group.start(command, log=folder / "log").pid

        where = ("--host", "127.0.0.1", "--protocol", scheme)
        scheduler = start(
            "distributed.cli.dask_scheduler", *where, "--port", "0", "--dashboard-address",
            "127.0.0.1:0", "--scheduler-file", str(file),
        )  # fmt: skip
        started = tuple(
            start(
                "distributed.cli.dask_worker", *where, "--nthreads", "1", "--no-nanny",
                "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file),
                "--local-directory", str(folder),
            )
            for _ in range(workers)
        )  # fmt: skip
        log = folder / "log"
        until(
            lambda: log.read_text().count("Register worker") == workers,
            "the workers",
            state=log.read_text,
        )
        address = json.loads(file.read_text())["address"]
        yield DaskCluster(address, certificates, scheduler, started)


def write_certificates(folder: Path) -> dict[str, str]:
    """A certificate for all of them; gives Dask's configuration."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1", "localhost")
    both = folder / "both.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(both))
    both.chmod(0o600)
    own = {f"{TLS}{role}__{what}": str(both) for role in ROLES for what in ("CERT", "KEY")}
    return {f"{TLS}CA_FILE": str(folder / "ca.pem"), **own}
