"""A tree of ours whose values stand where those of another file do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfscale.config.reading.document import Document
from perfscale.config.reading.source import Mark, Position

if TYPE_CHECKING:
    from perfscale.config.reading.source import KeyPath


@dataclass(frozen=True, slots=True)
class At:
    """A value of our tree, and the path of what it was made of in the other file."""

    value: Any
    path: KeyPath


def lay_out(
    document: Document,
    tree: Any,  # noqa: ANN401 - YAML holds anything
    reading: str,
    notes: tuple[str, ...],
) -> Document:
    """Return our tree as a document, with everything at the lines of the other file.

    Args:
        document: The other file.
        tree: Ours; an `At` says where its value, and all in it that has none, stands.
        reading: How the other file was read.
        notes: What in it means something else here.
    """
    layout = _Layout(document)
    plain = layout.plain(tree, (), ())
    return Document(
        document.name,
        document.directory,
        document.wanted,
        plain,
        layout.values,
        layout.keys,
        document.problems,
        reading,
        notes,
    )


class _Layout:
    def __init__(self, document: Document) -> None:
        self._source = document.source
        self.values: dict[KeyPath, Mark] = {}
        self.keys: dict[KeyPath, Position] = {}

    def plain(self, value: Any, path: KeyPath, origin: KeyPath) -> Any:  # noqa: ANN401 - as above
        if isinstance(value, At):
            value, origin = value.value, value.path
        position = self._source.locate(origin) or Position(self._source.name or "")
        self.values[path] = Mark(position, origin=origin)
        if path:
            self.keys[path] = position
        if isinstance(value, dict):
            return {key: self.plain(each, (*path, key), origin) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(each, (*path, n), origin) for n, each in enumerate(value)]
        return value
