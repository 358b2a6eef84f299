"""How KubeVirt is configured: two runs differ by that more often than by its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar: TypeAlias = str | int | float | bool


class ClientLimit(msgspec.Struct, frozen=True):
    """How many requests a second a component sends at most, and how many at once."""

    qps: float | None = None
    burst: int | None = None

    def __str__(self) -> str:
        """As a person would say it."""
        return f"{self.qps:g} QPS, burst {self.burst}" if self.qps is not None else "not set"


class KubeVirtConfig(msgspec.Struct, frozen=True, rename="camel"):
    """What a KubeVirt object sets; what it leaves to its defaults is not here.

    Attributes:
        feature_gates: Those that are turned on, sorted.
        disabled_feature_gates: Those that are turned off, sorted.
        migrations: Limits of live migrations, by KubeVirt's names.
        client_limits: Rate limits of its components: ``api``, ``webhook``, ``controller``,
            ``handler``.
    """

    feature_gates: tuple[str, ...] = ()
    disabled_feature_gates: tuple[str, ...] = ()
    migrations: dict[str, Scalar] = {}
    client_limits: dict[str, ClientLimit] = {}

    def described(self) -> Iterator[tuple[str, str]]:
        """Each setting with its value, for a person."""
        if self.feature_gates:
            yield "feature gates", ", ".join(self.feature_gates)
        if self.disabled_feature_gates:
            yield "disabled feature gates", ", ".join(self.disabled_feature_gates)
        for name, value in self.migrations.items():
            yield (
                f"migrations.{name}",
                str(value).lower() if isinstance(value, bool) else str(value),
            )
        for name, limit in self.client_limits.items():
            yield f"client limit ({name})", str(limit)
