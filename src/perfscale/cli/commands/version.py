"""`perfscale version`."""

from __future__ import annotations

import platform
from importlib import metadata

import typer

import perfscale


def version() -> None:
    """Print the versions of perfscale and of what it runs on.

    For example, for a report of a bug:

        perfscale version
    """
    typer.echo(f"perfscale {perfscale.__version__}")
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}")
    for name in ("httptools", "aiohttp", "kubernetes_asyncio", "pydantic"):
        typer.echo(f"{name} {metadata.version(name)}")
