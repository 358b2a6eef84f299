"""Where metrics come from and documents go to: one Prometheus, the run's folder, one index."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from perfscale.config import format_duration
from perfscale.config.address import parse_address
from perfscale.config.reading.source import SignIn
from perfscale.foreign.kube_burner.mapping.context import is_url
from perfscale.foreign.kube_burner.mapping.manifests import found_file
from perfscale.foreign.kube_burner.mapping.placed import At
from perfscale.foreign.kube_burner.models.measurements import LOCAL, SEARCH_ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.config.reading.source import KeyPath
    from perfscale.foreign.kube_burner.mapping.context import Reading
    from perfscale.foreign.kube_burner.models.measurements import Indexer, MetricsEndpoint

_TOP: Final = "metricsEndpoints"


def endpoints_of(reading: Reading) -> dict[str, Any]:
    """Return keys of ``globalConfig`` that do what the endpoints of a configuration do together.

    What one of them says otherwise than the first is refused, and is none of this.
    """
    own = reading.configuration
    measured = [own.global_.measurements, *(job.measurements for job in own.jobs)]
    if any(each.timeseries_indexer or each.quantiles_indexer for some in measured for each in some):
        reading.note("timeseriesIndexer and quantilesIndexer mean nothing: all documents go along")
    tree = {"audit": _audit(reading), "export": _export(reading), "index": _index(reading)}
    return {key: value for key, value in tree.items() if value is not None}


# -- what is asked ----------------------------------------------------------------------


def _audit(reading: Reading) -> At | None:
    """One audit with all profiles; None where there are none."""
    endpoints = list(enumerate(reading.configuration.metrics_endpoints))
    named = [(number, each) for number, each in endpoints if each.endpoint]
    # There, profiles of an entry without an endpoint are left out.
    profiles = dict(_profiles(reading, named or endpoints, is_asked=bool(named)))
    if not profiles:
        return None
    audit: dict[str, Any] = {"profile": [At(name, path) for name, path in profiles.items()]}
    if not named:
        reading.note(
            "metricsEndpoints: no endpoint says which Prometheus to ask (--prometheus URL)"
        )
        return At(audit, (_TOP,))
    number, first = named[0]
    path = (_TOP, number)
    audit |= {
        "prometheusURL": At(_address(reading, first.endpoint, first), (*path, "endpoint")),
        "scrapeInterval": At(format_duration(first.step), (*path, "step")),
        "verifyTLS": At(not first.skip_tls_verify, (*path, "skipTLSVerify")),
    }
    if first.token_file:
        token = found_file(reading.document.directory, first.token_file) or first.token_file
        audit["tokenFile"] = At(token, (*path, "tokenFile"))
    return At(audit, path)


def _address(reading: Reading, url: str, endpoint: MetricsEndpoint | None = None) -> str:
    """The address of a server, without the credentials that are in it or beside it.

    Where it is none, it is refused with all other values.
    """
    try:
        address = parse_address(url)
    except ValueError:
        return url
    given = SignIn(address.username, address.password)
    if endpoint is not None and (endpoint.token or endpoint.username):
        given = SignIn(endpoint.username, endpoint.password, endpoint.token)
    if given != SignIn():
        reading.sign_ins[address.url] = given
    return address.url


def _profiles(
    reading: Reading, endpoints: list[tuple[int, MetricsEndpoint]], *, is_asked: bool
) -> Iterator[tuple[str, KeyPath]]:
    """The files of metrics and alerts, and where each is named.

    Where nothing is asked, as in files that a wrapper gives its own endpoint, they may be missing.
    """
    for number, each in endpoints:
        for key, names in (("metrics", each.metrics), ("alerts", each.alerts)):
            for place, name in enumerate(names):
                path: KeyPath = (_TOP, number, key, place)
                if is_url(name):
                    message = "profiles are not fetched from elsewhere: save it beside this file"
                    reading.problem(path, message)
                    continue
                found = found_file(reading.document.directory, name)
                if found is None and is_asked:
                    message = f"there is no file {name}: looked beside this file and in the "
                    reading.problem(path, f"{message}current folder")
                found = found or name
                # A name alone would be that of a packaged profile.
                yield (found if re.search(r"\W", found) else f"./{found}"), path


# -- where it goes ----------------------------------------------------------------------


def _indexers(reading: Reading, *types: str) -> Iterator[tuple[KeyPath, Indexer]]:
    for number, each in enumerate(reading.configuration.metrics_endpoints):
        if each.indexer is not None and each.indexer.type in types:
            yield (_TOP, number, "indexer"), each.indexer


def _export(reading: Reading) -> At | None:
    local = list(_indexers(reading, LOCAL))
    if any(each.metrics_directory or each.tarball_name for _, each in local):
        reading.note(
            "metricsDirectory and tarballName mean nothing: documents are in the folder of the run"
        )
    return At("kube-burner", (*local[0][0], "type")) if local else None


def _index(reading: Reading) -> At | None:
    engines = list(_indexers(reading, *SEARCH_ENGINES))
    if not engines:
        return None
    if len(reading.configuration.metrics_endpoints) > 1:
        reading.note("metricsEndpoints: every indexer gets all documents of the run")
    path, first = engines[0]
    if not first.es_servers:
        reading.problem(path, f"an indexer of type {first.type} needs its esServers")
        return None
    if len(first.es_servers) > 1:
        reading.note("esServers: documents go to the first")
    index = {
        "url": At(_address(reading, first.es_servers[0]), (*path, "esServers", 0)),
        "verifyTLS": At(not first.insecure_skip_verify, (*path, "insecureSkipVerify")),
    }
    if first.default_index:
        index["name"] = At(first.default_index, (*path, "defaultIndex"))
    return At(index, path)
