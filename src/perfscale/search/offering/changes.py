"""Which keys of a configuration a search changes, whatever its file calls them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.config import Config
    from perfscale.config.reading.source import KeyPath
    from perfscale.search.varying import Varied


def changed_keys(varied: Varied, start: float, end: float | None) -> tuple[KeyPath, ...]:
    """The keys whose values a search changes, as our own workload files call them.

    In a file of another tool, a key may become several, or none.

    Args:
        varied: The workload file, and what of it changes.
        start: The lowest value.
        end: The highest; None if it is not known.

    Raises:
        ConfigError: The file does not take the values.
    """
    configs = [varied.base(), varied.at(start)]
    if end is not None:
        configs.append(varied.at(end))
    else:
        with suppress(ConfigError):  # it may be more than the key takes
            configs.append(varied.at(2 * start))
    trees = [each.model_dump(by_alias=True) for each in configs]
    return tuple(
        dict.fromkeys(path for one, other in pairwise(trees) for path in _differences(one, other))
    )


def value_at(config: Config, path: KeyPath) -> Any:  # noqa: ANN401 - YAML holds anything
    """The value of a key of a configuration."""
    value: Any = config.model_dump(by_alias=True)
    for key in path:
        value = value[key]
    return value


def _differences(one: object, other: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in {**one, **other}:
            yield from _differences(one.get(key), other.get(key), (*path, key))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            yield path
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _differences(left, right, (*path, index))
    elif one != other:
        yield path
