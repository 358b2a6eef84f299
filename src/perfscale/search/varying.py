"""What a search varies: a key of the workload file, or several at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config import dump_config
from perfscale.errors import ConfigError, UsageError
from perfscale.foreign import load_config
from perfscale.foreign.kube_burner import Inputs

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.config import Config


class _Named(NamedTuple):
    path: str
    unit: str


_NAMED: Final = {
    "qps": _Named("workloads[*].qps", "/s"),
    "replicas": _Named("workloads[*].objects[*].replicas", " replicas"),
    "maxInFlight": _Named("globalConfig.maxInFlight", " in flight"),
}
_VARIABLES: Final = ".inputVars."
_EXAMPLE: Final = """\
    thresholds:
      - {metric: vmiReady, quantile: p99, max: 30s}"""
_OPTION: Final = "--vary"


@dataclass(frozen=True, slots=True)
class Varied:
    """A workload file of which one number changes from step to step.

    Attributes:
        file: The workload file.
        overrides: Values that replace the file's, in every step.
        name: What varies: ``qps``, ``replicas``, ``maxInFlight``, or the path of a number.
        search_id: What a configuration of kube-burner has as its ``UUID``, and draws its random
            values by, so that it reads the same in each step.
    """

    file: Path
    overrides: tuple[str, ...]
    name: str
    search_id: str = ""

    @property
    def path(self) -> str:
        """The key, as ``--set`` takes it."""
        return _NAMED[self.name].path if self.name in _NAMED else self.name

    @property
    def unit(self) -> str:
        """What comes after a value in a sentence."""
        return _NAMED[self.name].unit if self.name in _NAMED else ""

    def shown(self, value: float) -> str:
        """A value with its unit, or with the name of its key."""
        return with_unit(self.name, self.unit, value)

    def base(self) -> Config:
        """The workload file without any step's value.

        Raises:
            ConfigError: It is wrong.
            UsageError: It has no threshold: nothing can be lost.
        """
        if str(self.file) == "-":
            raise UsageError("a search reads the workload file again for each step: name a file")
        config = load_config(
            self.file, overrides=self.overrides, inputs=Inputs(run_id=self.search_id)
        )
        if not _has_thresholds(config):
            raise UsageError(
                f"{self.file}: it has no thresholds, so that no rate is too high for it",
                hint=f"say in a workload what the cluster has to keep to, as in\n{_EXAMPLE}",
            )
        return config

    def at(self, value: float) -> Config:
        """The workloads of a step.

        Raises:
            ConfigError: The value does not fit.
        """
        set_ = f"{self.path}={written(value)}"
        return load_config(
            self.file,
            overrides=self.overrides,
            options={_OPTION: set_},
            inputs=Inputs(run_id=self.search_id),
        )

    def takes_fractions(self, start: float, end: float | None) -> bool:
        """Whether numbers between whole ones make sense.

        Of a template's variable nobody knows: where the ends are whole, the others are.
        """
        if _VARIABLES in self.path:
            return not all(float(each).is_integer() for each in (start, end or start))
        try:
            self.at(int(start) + 0.5)
        except ConfigError:
            return False
        return True

    def yaml(self) -> str:
        """The workload file, with every default written out.

        Raises what `base` raises.
        """
        return dump_config(self.base())


def _has_thresholds(config: Config) -> bool:
    return bool(config.global_config.thresholds) or any(
        each.thresholds for each in config.workloads
    )


def with_unit(name: str, unit: str, value: float) -> str:
    """A value with its unit; without one, with the name of its key."""
    key = "" if unit else name.rpartition(".")[2] + "="
    return f"{key}{written(value)}{unit}"


def written(value: float) -> str:
    """A value as one writes it."""
    return f"{value:.12g}"
