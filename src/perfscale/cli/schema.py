"""`perfscale schema`."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of the workload file.

    Editors complete and check workload files with it. For the YAML language
    server, save it and begin the file with its address:

        perfscale schema > perfscale.schema.json

        # yaml-language-server: $schema=perfscale.schema.json
    """
    from perfscale.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
