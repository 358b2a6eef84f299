"""`perfscale index`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import completion, indexing, options
from perfscale.cli.output.streams import log_more
from perfscale.cli.signals import run_until_signalled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.indexing import IndexPlan


def index(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="The runs: the path of a folder, latest, latest~1, the beginning of an id, or a "
            "tag (build=123). Or what kube-burner's local indexer has left: a folder or a tarball.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The OpenSearch or Elasticsearch, as in https://search.example:9200.",
            envvar="PERFSCALE_INDEX",
            show_default=False,
        ),
    ],
    results_dir: options.RunsDir = options.DEFAULT_RESULTS,
    index_name: indexing.IndexName = indexing.DEFAULT_NAME,
    token_file: Annotated[
        Path | None,
        options.optional("FILE", "The bearer token; without it $PERFSCALE_INDEX_TOKEN."),
    ] = None,
    password_file: Annotated[
        Path | None,
        options.optional(
            "FILE",
            "The password of $PERFSCALE_INDEX_USERNAME; without it $PERFSCALE_INDEX_PASSWORD.",
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        options.optional(
            "FILE",
            "The authorities that may have signed the server's certificate.",
            envvar=indexing.CA_FILE,
        ),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Do not check the server's certificate.",
            envvar=indexing.INSECURE,
        ),
    ] = False,
    gzip: Annotated[
        bool, typer.Option("--gzip", help="Compress the requests.", envvar=indexing.GZIP)
    ] = False,
    verbose: options.Verbose = 0,
) -> None:
    """Send results to OpenSearch or Elasticsearch.

    They go as documents in kube-burner's form. The id of a document is a hash of
    it: sent again, it is not there twice. What the server is too busy for is sent
    again for up to two minutes. Credentials are those in the URL, or in the
    environment: $PERFSCALE_INDEX_TOKEN, or $PERFSCALE_INDEX_USERNAME and
    $PERFSCALE_INDEX_PASSWORD. The exit code is 1 if some documents were refused,
    and 4 if the server could not be reached.

    For example:

        perfscale index latest --url http://localhost:9200

        perfscale index results/* --url https://search.example:9200

        perfscale index collected-metrics-2fc79c1a --url http://localhost:9200 --index-name perf

        perfscale index kube-burner-metrics.tgz --url http://localhost:9200 --gzip
    """
    log_more(verbose)
    plan = indexing.plan_index(
        url,
        index_name,
        token_file=token_file,
        password_file=password_file,
        ca_file=ca_file,
        insecure=insecure,
        compress=gzip,
    )
    indexing.warn_of(plan)
    named = [_path_of(run, results_dir) for run in runs]
    paths = {path.resolve(): path for path in named}  # results/* has the latest twice
    raise typer.Exit(run_until_signalled(_index(plan, [*paths.values()])))


def _path_of(name: str, results_dir: Path) -> Path:
    """What a person names: what is there by that path, else the folder of the run.

    Raises:
        ResultsError: There is no such run, or more than one.
    """
    from perfscale.results.folder.latest import follow_latest
    from perfscale.results.history import find_run

    path = follow_latest(Path(name))
    return path if path.exists() else find_run(name, results_dir)


async def _index(plan: IndexPlan, paths: Sequence[Path]) -> int:
    codes = [await indexing.index_documents(plan, path, typer.echo) for path in paths]
    return max(codes)
