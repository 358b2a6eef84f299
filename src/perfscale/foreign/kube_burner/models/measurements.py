"""Measurements, and where what is measured goes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from perfscale.config.sections.fields import Flag, choice
from perfscale.config.sections.section import Section
from perfscale.foreign.kube_burner.models.fields import (
    AnyText,
    GoDuration,
    Number,
    Secret,
    TextList,
    Texts,
)

LOCAL, TSDB = "local", "tsdb"
SEARCH_ENGINES: Final = ("elastic", "opensearch")


class ThresholdEntry(Section):
    """A bound on a latency."""

    called: ClassVar[str] = "a mapping (conditionType, metric, threshold)"

    condition_type: AnyText = ""
    metric: Annotated[str, *choice("P99", "P95", "P50", "Avg", "Max")]
    threshold: GoDuration


class PprofTarget(Section):
    """A process of which profiles are taken."""

    called: ClassVar[str] = "a mapping (name, url, ...)"

    name: AnyText = ""
    namespace: AnyText = ""
    label_selector: Texts = Field(default_factory=dict)
    bearer_token: AnyText = ""
    url: AnyText = ""
    cert_file: AnyText = ""
    key_file: AnyText = ""
    cert: AnyText = ""
    key: AnyText = ""
    unix_socket_path: AnyText = ""
    replicas: Number = 0


class Measurement(Section):
    """Something that is measured beside what always is."""

    called: ClassVar[str] = "a mapping (name, thresholds, ...)"

    name: AnyText = ""
    thresholds: tuple[ThresholdEntry, ...] = ()
    timeseries_indexer: AnyText = ""
    quantiles_indexer: AnyText = ""
    svc_timeout: GoDuration = 0.0
    pprof_targets: tuple[PprofTarget, ...] = ()
    pprof_interval: AnyText = ""
    pprof_directory: AnyText = ""
    node_affinity: Texts = Field(default_factory=dict)


class Indexer(Section):
    """Where documents go."""

    called: ClassVar[str] = "a mapping (type, esServers, defaultIndex, ...)"

    type: Annotated[str, *choice(*SEARCH_ENGINES, LOCAL, TSDB)] | None = None
    es_servers: TextList = ()
    default_index: AnyText = ""
    insecure_skip_verify: Flag = False
    metrics_directory: AnyText = ""
    create_tarball: Flag = False
    tarball_name: AnyText = ""


class MetricsEndpoint(Section):
    """A Prometheus, what is asked of it, and where the answers go."""

    called: ClassVar[str] = "a mapping (endpoint, metrics, alerts, indexer, ...)"

    indexer: Indexer | None = None
    metrics: TextList = ()
    alerts: TextList = ()
    endpoint: AnyText = ""
    step: GoDuration = 30.0
    skip_tls_verify: Flag = Field(default=True, alias="skipTLSVerify")
    token: Secret = Field(default="", repr=False)
    token_file: AnyText = ""
    username: Secret = Field(default="", repr=False)
    password: Secret = Field(default="", repr=False)
    alias: AnyText = ""
