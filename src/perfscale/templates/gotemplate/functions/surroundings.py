"""kube-burner's own functions, and what reaches out of a template: files and the environment.

The results of kube-burner's are as ``pkg/util/template.go`` of it gives them, and of
``GetSubnet16`` and ``GetSubnet24In16`` as ``pkg/workloads/network-policy.go`` of its wrapper for
OpenShift does.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from perfscale.config.reading.regular import open_regular
from perfscale.templates.bounds.weights import STEP
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError, Ints, wrap

if TYPE_CHECKING:
    from perfscale.templates.gotemplate.running import Run

_MOST: Final = 1_000
"""Of the numbers that combinations are taken from."""
_LARGEST_FILE: Final = 1_000_000
_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def _binomial(n: int, k: int) -> int:
    if not 0 <= k <= n or n > _MOST:
        raise GoError(f"Binomial of n = {n}, k = {k}: 0 <= k <= n <= {_MOST:,} is needed")
    return wrap(math.comb(n, k))


def _combination(_into: object, position: int, n: int, k: int) -> Ints:
    """The combination of k of the numbers below n that has this position in their order."""
    if not 0 <= k <= n or n > _MOST:
        raise GoError(f"IndexToCombination of n = {n}, k = {k}: 0 <= k <= n <= {_MOST:,} is needed")
    if not 0 <= position < math.comb(n, k):
        raise GoError(f"IndexToCombination: there is no combination {position}")
    chosen = Ints()
    number = 0
    while len(chosen) < k:
        following = math.comb(n - number - 1, k - len(chosen) - 1)
        if position < following:
            chosen.append(number)
        else:
            position -= following
        number += 1
    return chosen


def _subnet(index: int) -> str:
    return f"{(index >> 16) + 1 & 255}.{index >> 8 & 255}.{index & 255}.0/24"


def _subnet_16(index: int) -> str:
    return f"{(index >> 8) + 1 & 255}.{index & 255}.0.0/16"


def _subnet_in_16(index: int, offset: int) -> str:
    return f"{(index >> 8) + 1 & 255}.{index & 255}.{offset & 255}.0/24"


def _addresses(text: str, iteration: int, count: int) -> str:
    found = text.split(" ")
    first = iteration * count
    if count < 0 or first < 0 or first + count > len(found):
        raise GoError(
            f"GetIPAddress: the addresses {first} to {first + count} of {len(found)} are not there"
        )
    return " ".join(found[first : first + count])


def _read(run: Run, name: str) -> str:
    """The text of a file in the folder that the rendering may read."""
    folder = run.settings.folder
    if folder is None:
        raise GoError("reading files is not allowed here")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise GoError(f"{name!r} is outside of the folder {folder}, and only files in it are read")
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise GoError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) > _LARGEST_FILE:
        raise GoError(f"{path} is larger than {_LARGEST_FILE:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise GoError(f"{path} is not UTF-8 text") from error


def _env(run: Run, name: str) -> str:
    return (run.settings.environment or {}).get(name, "")


def _expand(run: Run, text: str) -> str:
    known = run.settings.environment or {}
    return _REFERENCE.sub(lambda found: known.get(found[1] or found[2], ""), text)


def _combination_cost(_into: object, _position: int, n: int, k: int) -> int:
    return STEP * STEP * max(n, k, 0)


READING: Final[dict[str, Function]] = {"ReadFile": takes("string", _read, run=True)}
ENVIRONMENT: Final[dict[str, Function]] = {
    "env": takes("string", _env, run=True),
    "expandenv": takes("string", _expand, run=True),
}
KUBE_BURNER: Final[dict[str, Function]] = {
    "Binomial": takes("int int", _binomial, cost=lambda n, _: STEP * max(n, 0)),
    "GetIPAddress": takes("string int int", _addresses),
    "GetSubnet16": takes("int", _subnet_16),
    "GetSubnet24": takes("int", _subnet),
    "GetSubnet24In16": takes("int int", _subnet_in_16),
    "IndexToCombination": takes("any int int int", _combination, cost=_combination_cost),
}
