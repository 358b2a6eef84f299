"""`perfscale audit`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more, say
from perfscale.cli.signals import run_until_signalled

if TYPE_CHECKING:
    from perfscale.audit import AuditInput, Profile
    from perfscale.servers import Endpoint

_SHARED = 0o644
"""The results are numbers and no more: everybody may read them."""


def audit(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    config_file: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Which time to look at, where, and the thresholds."),
    ] = Path("perf-audit-input.json"),
    results_file: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the results go, as JSON.")
    ] = Path("perf-audit-results.json"),
    prometheus: Annotated[
        str | None,
        options.optional(
            "URL",
            "The Prometheus that scrapes the cluster, as in http://localhost:9090.",
            envvar="PERFSCALE_PROMETHEUS",
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", help="What to ask: kubevirt, kubernetes, or a file of queries."
        ),
    ] = "kubevirt",
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait until Prometheus has scraped past the test's end."),
    ] = False,
    wait_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="With --wait: how long at most.")
    ] = "5m",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail if there is no result for a threshold."),
    ] = False,
    token_file: Annotated[
        Path | None,
        options.optional("FILE", "The bearer token; without it $PERFSCALE_PROMETHEUS_TOKEN."),
    ] = None,
    password_file: Annotated[
        Path | None,
        options.optional(
            "FILE",
            "The password of $PERFSCALE_PROMETHEUS_USERNAME; without it "
            "$PERFSCALE_PROMETHEUS_PASSWORD.",
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        options.optional("FILE", "The authorities that may have signed Prometheus' certificate."),
    ] = None,
    query_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Bound on one query.")
    ] = "30s",
    verbose: options.Verbose = 0,
) -> None:
    """Ask a Prometheus what the control plane did during a test.

    Reads the input file of the Go perfscale-audit, writes the results as it
    did, and prints them. A run leaves an input file of its own time in its
    folder.

    For example:

        perfscale audit --wait

        perfscale audit --config-file first.json --profile my-queries.yaml

        perfscale audit --prometheus http://localhost:9090 --strict
    """
    from perfscale.audit import PROMETHEUS, VARIABLES, load_input, load_profile
    from perfscale.servers import Credentials, Endpoint

    log_more(verbose)
    given = load_input(config_file)
    _check_place(results_file)
    outside = VARIABLES.credentials(os.environ, token_file=token_file, password_file=password_file)
    address, is_files = _address(given, config_file, prometheus)
    # The credentials and TLS of one server do not hold for another.
    endpoint = Endpoint.at(
        PROMETHEUS,
        address,
        outside,
        given.credentials if is_files else Credentials(),
        verify_tls=given.verify_tls or not is_files,
        ca_file=ca_file,
        timeout_s=options.seconds("--query-timeout", query_timeout),
    )
    wait_s = options.seconds("--wait-timeout", wait_timeout) if wait else 0.0
    auditing = _audit(given, endpoint, load_profile(profile), results_file, wait_s, strict=strict)
    raise typer.Exit(run_until_signalled(auditing))


def _address(given: AuditInput, config_file: Path, url: str | None) -> tuple[str, bool]:
    """The Prometheus of the command line, else the file's; and whether it is the file's."""
    from perfscale.audit import PROMETHEUS
    from perfscale.errors import ConfigError, Problem
    from perfscale.servers import split_url

    address = url or given.url
    if address is None:
        message = "there is no prometheusURL: put it into the file, or use --prometheus URL"
        raise ConfigError([Problem(message, str(config_file))])
    return address, split_url(PROMETHEUS, address)[0] == given.url


def _check_place(results_file: Path) -> None:
    """Check before the first query that the results can be written."""
    from perfscale.errors import ResultsError

    if not os.access(results_file.absolute().parent, os.W_OK):
        raise ResultsError(
            f"{results_file}: the results cannot be written there",
            hint="choose another place with --results-file",
        )


async def _audit(
    given: AuditInput,
    endpoint: Endpoint,
    profile: Profile,
    results_file: Path,
    wait_s: float,
    *,
    strict: bool,
) -> int:
    from perfscale.audit import (
        evaluate,
        reach_warnings,
        results_document,
        wait_until_scraped,
    )
    from perfscale.audit.prometheus import Prometheus

    if not endpoint.verify_tls:
        say("warning: the certificate of Prometheus is not verified (prometheusVerifyTLS)")
    async with Prometheus(endpoint) as prometheus:
        reached = await wait_until_scraped(prometheus, given.window.end, wait_s, say)
        found = await evaluate(prometheus, profile, given.window, given.thresholds)
    text = json.dumps(results_document(found), indent=2)
    _write(results_file, text)
    typer.echo(text)
    hint = "" if wait_s else "; --wait waits for it"
    for line in (*reach_warnings(found.window, reached, hint), *found.notes()):
        say(line)
    for failure in found.failures:
        say(f"error: {failure}")
    for kept, sentence in found.describe_thresholds():
        say(f"  {'✓' if kept else '✗'} {sentence}")
    for fired in found.fired:
        if fired.alert.fails:
            say(f"  ✗ {fired}")
    return found.exit_code(strict=strict)


def _write(path: Path, text: str) -> None:
    from perfscale.errors import ResultsError
    from perfscale.results import write_file

    try:
        write_file(path, text + "\n", mode=_SHARED)
    except OSError as error:
        raise ResultsError(
            f"{path}: the results cannot be written: {error.strerror or error}",
            hint="choose another place with --results-file",
        ) from error
