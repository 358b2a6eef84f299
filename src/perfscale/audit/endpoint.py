"""How to sign in to a Prometheus."""

from __future__ import annotations

from typing import Final

from perfscale.servers import SecretVariables

PROMETHEUS: Final = "Prometheus"
VARIABLES: Final = SecretVariables(
    PROMETHEUS,
    token="PERFSCALE_PROMETHEUS_TOKEN",  # noqa: S106 -- names of variables
    username="PERFSCALE_PROMETHEUS_USERNAME",
    password="PERFSCALE_PROMETHEUS_PASSWORD",  # noqa: S106 -- as above
)
