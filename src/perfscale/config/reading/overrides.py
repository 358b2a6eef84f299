"""``--set workloads[0].qps=50``: values from the command line, put into the file's tree.

They go in before anything is validated, so that they are held to the same rules,
and they are marked, so that what is wrong with them is reported as the option's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from perfscale.config.reading.keys import holds_list, keys_of, section_at, unknown_key
from perfscale.config.reading.scalars import read_plain
from perfscale.config.reading.source import SET, KeyPath, Mark, Position, clip, dotted
from perfscale.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config.reading.document import Document

_EXAMPLE: Final = "as in workloads[0].qps=50"
_STEP: Final = re.compile(r"([^.\[\]=]+)((?:\[(?:[0-9]{1,9}|\*)\])*)(?:\.|$)")
_INDEX: Final = re.compile(r"\[([0-9]+|\*)\]")
_NO_LIST: Final = "there is no list here, so it has no index"
_ANY: Final = -1  # stands for `[*]` among the steps: a path has no negative index


class _RefusedError(Exception):
    """One override cannot be applied; it becomes a `Problem`."""

    def __init__(self, message: str, path: KeyPath = ()) -> None:
        super().__init__(message)
        self.path = path


def apply_overrides(
    document: Document, overrides: Sequence[str], *, option: str = SET
) -> list[Problem]:
    """Put each override into ``document``; return what is wrong with those that do not fit.

    ``option`` is the option that gave them, for the messages.
    """
    problems = []
    position = Position(option)
    for override in overrides:
        try:
            steps, value, mark = _parse(override, position)
            for path in _paths(document.tree, steps):
                _put(document, path, value, mark)
        except _RefusedError as error:
            where = dotted(error.path) if option == SET else None
            problems.append(Problem(str(error), option, path=where))
    return problems


def _parse(override: str, at: Position) -> tuple[list[str | int], Any, Mark]:
    """Return the steps of the path, the value, and the mark of the value."""
    path, equals, text = override.partition("=")
    if not equals:
        raise _RefusedError(f'"{clip(override)}" sets nothing: write PATH=VALUE, {_EXAMPLE}')
    steps: list[str | int] = []
    position, path = 0, path.strip()
    while position < len(path) and (match := _STEP.match(path, position)):
        steps.append(match[1])
        steps += [_ANY if index == "*" else int(index) for index in _INDEX.findall(match[2])]
        position = match.end()
    if not steps or position < len(path) or path.endswith("."):
        raise _RefusedError(f'"{clip(path)}" is not a path to a key, {_EXAMPLE}')
    return steps, *_read(text.strip(), clip(path), at)


def _read(text: str, path: str, at: Position) -> tuple[Any, Mark]:
    """Return the value that ``text`` is in YAML: a scalar, in quotes or not."""
    if text[:1] in ("[", "{"):
        raise _RefusedError(f"{path} takes one value here: write lists and mappings in the file")
    if text[:1] not in ("'", '"'):
        return read_plain(text).value, Mark(at, text, plain=True)
    try:
        node = yaml.compose(text.encode(errors="replace").decode(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _RefusedError(f"{clip(text)} is not a text in quotes (for {path})") from error
    if not isinstance(node, yaml.ScalarNode):
        raise _RefusedError(f"{clip(text)} is not a text in quotes (for {path})")
    return node.value, Mark(at, node.value, plain=False)


def _paths(tree: object, steps: Sequence[str | int]) -> list[KeyPath]:
    """All paths that ``steps`` lead to: at least one."""
    paths = list(_expand(tree, steps))
    if not paths:
        raise _RefusedError(_NO_LIST)
    return paths


def _expand(
    node: Any,  # noqa: ANN401 - a part of the tree, which holds anything
    steps: Sequence[str | int],
    path: KeyPath = (),
) -> Iterator[KeyPath]:
    """Yield the paths that ``steps`` lead to, having checked that the tree has them."""
    if not steps:
        section = section_at(path[:-1])
        if section and holds_list(section, path[-1]):
            raise _RefusedError(f"this is a list: write {path[-1]}[0] or {path[-1]}[*]", path)
        yield path
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        _check_key(node, step, path)
        yield from _expand(node.get(step) if isinstance(node, dict) else None, rest, (*path, step))
        return
    if node is None and step == _ANY:
        return  # as of objects, which not every workload has
    if not isinstance(node, list):
        raise _RefusedError(_NO_LIST, path)
    if step >= len(node):
        have = f"0 to {len(node) - 1}" if len(node) > 1 else "0 alone" if node else "none"
        raise _RefusedError(f"there is no index {step}: the file has {have}", path)
    for index in range(len(node)) if step == _ANY else (step,):
        yield from _expand(node[index], rest, (*path, index))


def _check_key(node: object, key: str, path: KeyPath) -> None:
    if isinstance(node, list):
        last = path[-1] if path else "the file"
        way = f"[{clip(key)}]" if key.isdecimal() else f"[0].{clip(key)}"
        raise _RefusedError(f"this is a list: write {last}{way} or {last}[*]", path)
    section = section_at(path)
    if section:
        if key not in keys_of(section):
            raise _RefusedError(unknown_key(section, key), (*path, key))
    elif path[-1:] != ("inputVars",) and not isinstance(node, dict):
        raise _RefusedError(f"this is one value: there is no {clip(key)} in it", path)


def _put(document: Document, path: KeyPath, value: object, mark: Mark) -> None:
    """Put ``value`` at ``path``, with the mappings around it that the file lacks."""
    node: Any = document.tree
    step: Any
    for depth, step in enumerate(path[:-1], start=1):
        if isinstance(node, dict) and node.get(step) is None:
            node[step] = {}
            document.values[path[:depth]] = Mark(mark.position)
        if not isinstance(node, list | dict):
            return  # the file is wrong here, and that is reported
        node = node[step]
    if not isinstance(node, list | dict):
        return  # as above
    step = path[-1]
    node[step] = value
    for below in [known for known in document.values if known[: len(path)] == path]:
        del document.values[below]
    document.keys[path] = mark.position
    document.values[path] = mark
