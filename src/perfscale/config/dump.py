"""Writing a configuration as the file that would give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from perfscale.config.reading.scalars import looks_commented, read_plain, resolve

if TYPE_CHECKING:
    from perfscale.config.model import Config


def dump_config(config: Config) -> str:
    """Return ``config`` as YAML with every default written out, but those that are nothing.

    `load_config` of it gives an equal configuration.
    """
    return yaml.dump(
        config.model_dump(by_alias=True, mode="json", exclude_none=True),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )


class _Dumper(yaml.CSafeDumper):
    """Writes scalars as workload files are read here, which is stricter than YAML."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's interface
        """Write equal lists and mappings out each time."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    safe = read_plain(text).kind == "text" and not looks_commented(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if safe else '"')


def _represent_float(dumper: _Dumper, number: float) -> yaml.ScalarNode:
    # PyYAML knows no exponent without a point and a sign, and would add a tag to it.
    return dumper.represent_scalar(resolve(repr(number)), repr(number))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_float)
