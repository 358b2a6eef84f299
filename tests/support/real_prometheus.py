"""A real Prometheus on loopback that scrapes what a test tells it to."""

from __future__ import annotations

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import yaml
from command_line import until
from ports import free_ports

PROGRAM: Final = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROGRAM is None, reason="prometheus is not installed")


@contextmanager
def real_prometheus(folder: Path, *targets: str, scrape_interval: str = "1s") -> Iterator[str]:
    """Run a Prometheus; gives its address once it is ready.

    Args:
        folder: Where its files are.
        targets: What it scrapes, as in ``127.0.0.1:8080``.
        scrape_interval: How often.
    """
    assert PROGRAM is not None
    config = folder / "prometheus.yml"
    job = {"job_name": "cluster", "static_configs": [{"targets": list(targets)}]}
    document = {
        "global": {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval},
        "scrape_configs": [job],
    }
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    command = [
        PROGRAM,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until(lambda: _is_ready(address) or process.poll() is not None, "Prometheus")
        assert process.poll() is None, (folder / "prometheus.log").read_text(encoding="utf-8")
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
