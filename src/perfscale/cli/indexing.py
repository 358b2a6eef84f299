"""Documents of runs go to a search engine: what `run --index` and `perfscale index` share."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config.reading.source import Source
    from perfscale.config.sections.kube_burner import IndexConfig
    from perfscale.indexing import IndexPlan
    from perfscale.servers import Credentials

DEFAULT_NAME = "kube-burner"
CA_FILE = "PERFSCALE_INDEX_CA_FILE"
INSECURE = "PERFSCALE_INDEX_INSECURE"
GZIP = "PERFSCALE_INDEX_GZIP"

IndexName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The index that documents go to.",
        envvar="PERFSCALE_INDEX_NAME",
        rich_help_panel=options.Panel.RESULTS,
    ),
]
IndexUrl = Annotated[
    str | None,
    options.optional(
        "URL",
        "Send the results to this OpenSearch or Elasticsearch, as documents of kube-burner, "
        "as in https://search.example:9200.",
        envvar="PERFSCALE_INDEX",
        panel=options.Panel.RESULTS,
    ),
]


def plan_index(
    url: str,
    name: str,
    *,
    of_file: Credentials | None = None,
    token_file: Path | None = None,
    password_file: Path | None = None,
    ca_file: Path | None = None,
    insecure: bool = False,
    compress: bool = False,
) -> IndexPlan:
    """Where documents go; credentials are those in the URL, else those of files and environment.

    Without any, those that the workload file has are taken (``of_file``).

    Raises:
        ConfigError: A file of credentials cannot be read.
        UsageError: The URL is wrong, or its proxy cannot be used.
        typer.BadParameter: No index can have that name.
    """
    from perfscale.indexing import VARIABLES, IndexPlan, check_name
    from perfscale.servers import Endpoint

    if wrong := check_name(name):
        raise typer.BadParameter(wrong, param_hint="--index-name")
    given = VARIABLES.credentials(os.environ, token_file=token_file, password_file=password_file)
    ways = (given,) if of_file is None else (given, of_file)
    endpoint = Endpoint.at(
        VARIABLES.what, url, *ways, verify_tls=not insecure, ca_file=ca_file, timeout_s=60.0
    )
    return IndexPlan(endpoint=endpoint, name=name, compress=compress)


def plan_from_environment(
    url: str, name: str, *, insecure: bool = False, of_file: Credentials | None = None
) -> IndexPlan:
    """As `plan_index`, for a run: what is no option of it comes from the environment.

    Raises:
        As `plan_index`.
    """
    ca_file = os.environ.get(CA_FILE)
    return plan_index(
        url,
        name,
        of_file=of_file,
        ca_file=Path(ca_file) if ca_file else None,
        insecure=insecure or _is_set(INSECURE),
        compress=_is_set(GZIP),
    )


def plan_of_file(index: IndexConfig, source: Source, name: str | None) -> IndexPlan:
    """As `plan_from_environment`, for the index of a workload file; a name goes before its own.

    Raises:
        ConfigError: No index can have the name that it has.
        UsageError: As `plan_index`.
    """
    from perfscale.errors import ConfigError
    from perfscale.indexing import check_name
    from perfscale.servers import credentials_of

    if name is None and (wrong := check_name(index.name)):
        raise ConfigError([source.problem(("globalConfig", "index", "name"), wrong)])
    return plan_from_environment(
        index.url,
        name or index.name,
        insecure=not index.verify_tls,
        of_file=credentials_of(source.sign_ins.get(index.url)),
    )


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")


async def check_index(plan: IndexPlan) -> None:
    """Find out before a run whether its documents can be sent.

    Raises:
        IndexingError: They cannot.
    """
    from perfscale.indexing import Indexer

    warn_of(plan)
    async with Indexer(plan) as indexer:
        await indexer.check()


def warn_of(plan: IndexPlan) -> None:
    """Say so where the server's certificate is not checked."""
    if not plan.endpoint.verify_tls:
        say("warning: the certificate of the index is not verified")


async def index_documents(plan: IndexPlan, path: Path, show: Callable[[str], None]) -> int:
    """Send the documents of a run, or of kube-burner's files, and show what became of them.

    Returns:
        The exit code: 1 if some were refused.

    Raises:
        IndexingError: The server cannot be reached, or refuses all of them.
        ResultsError: The documents cannot be read.
    """
    from perfscale.config import format_duration
    from perfscale.errors import RunFailedError
    from perfscale.indexing import Indexer
    from perfscale.results.documents import read_documents

    def say_retrying(reason: str) -> None:
        say(f"{reason}; trying again for up to {format_duration(plan.retry_s)}")

    async with Indexer(plan, retrying=say_retrying) as indexer:
        try:
            await indexer.send(read_documents(path))
        finally:
            show(f"{path}: {indexer.tally} in {plan.name} at {plan.endpoint.url}")
            for sentence in indexer.tally.describe_failures():
                say(f"error: {sentence}")
    return RunFailedError.exit_code if indexer.tally.failed else 0


async def index_run(plan: IndexPlan, folder: Path) -> int:
    """Send the documents of a run that has ended; an error is told, for the results are there.

    Returns:
        An exit code.
    """
    from perfscale.cli.output.failure import print_failure
    from perfscale.errors import IndexingError, ResultsError, RunFailedError

    try:
        return await index_documents(plan, folder, say)
    except IndexingError as error:
        print_failure(error)
        command = shlex.join(["perfscale", "index", str(folder), "--url", plan.endpoint.url])
        say(f"hint: the results are there; send them later: {command}")
        return error.exit_code
    except ResultsError as error:
        print_failure(error)
        return RunFailedError.exit_code
