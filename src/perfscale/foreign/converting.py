"""A workload file of another form as one of ours, with its templates, which stay as they are.

What a template of kube-burner's means is said by ``kubeBurner`` beside it: its dialect needs no
other mark.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.config.writing import dump_tree
from perfscale.errors import ConfigError, Problem, UsageError
from perfscale.foreign.kube_burner.mapping.context import is_file
from perfscale.templates.compiling import resolve_template
from perfscale.templates.source import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.config import Config

_READS: Final = re.compile(rb"\bReadFile\b(?:\s+(?:\"([^\"]*)\"|`([^`]*)`))?")
_QUOTED: Final = re.compile(rb"\"([^\"\n]{1,300})\"|`([^`\n]{1,300})`")
_TEMPLATES: Final = "templates"


class Converted(NamedTuple):
    """What to write.

    Attributes:
        text: The workload file.
        files: Where each file that it needs is now, by its place in the new folder.
        notes: What a person has to look at, one sentence each.
    """

    text: str
    files: dict[PurePosixPath, Path]
    notes: tuple[str, ...]


def convert(config: Config, run_id: str) -> Converted:
    """Put a configuration that was read from another form into a file of ours.

    Args:
        config: The configuration.
        run_id: The id that it was read with, which no run will have.

    Raises:
        UsageError: It is one of ours already.
        ConfigError: A template is not there.
    """
    if not config.source.reading:
        raise UsageError(f"{config.source.name}: this is a workload file of perfscale already")
    files = _Files(config)
    tree = config.model_dump(by_alias=True, mode="json", exclude_none=True, exclude_unset=True)
    for mapping, key in _paths(tree):
        mapping[key] = files.place(mapping[key], mapping.get("inputVars", {}))
    for functions, number in _functions(tree):
        functions[number] = files.place(functions[number], {})
    if audit := tree.get("globalConfig", {}).get("audit"):
        files.place_for_audit(audit)
    if files.missing:
        raise ConfigError([Problem(f"there is no file {each}") for each in files.missing])
    text = dump_tree(tree)
    notes = list(files.notes())
    if run_id in text:
        notes.append(
            "UUID stands in the file: there it is the id of a run, and here it stays what it is "
            f"({run_id})"
        )
    notes += (
        f"how to sign in to {address} is not in the new file: give it in the environment"
        for address in config.source.sign_ins
    )
    return Converted(text, files.placed, tuple(notes))


def _paths(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the tree names templates: a mapping, and the key."""
    for workload in tree["workloads"]:
        for entry in (*workload.get("objects", ()), *filter(None, [workload.get("patch")])):
            yield entry, "templateFile"


def _functions(tree: dict[str, Any]) -> Iterator[tuple[list[str], int]]:
    """Where it names files of functions: a list, and the number in it."""
    for workload in tree["workloads"]:
        functions = workload.get("kubeBurner", {}).get("functionTemplates", [])
        for number in range(len(functions)):
            yield functions, number


def _name_in(match: re.Match[bytes]) -> str:
    return (match[1] or match[2] or b"").decode(errors="replace")


class _Files:
    """The files that go along; those below the configuration's folder keep their places."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = config.source.directory
        self._dynamic: list[str] = []
        self.placed: dict[PurePosixPath, Path] = {}
        self.missing: list[str] = []

    def place(self, name: str, variables: Mapping[str, Any]) -> str:
        """The place of a template, with all that it reads.

        Where it works a name out, these are the files whose names stand in it, or in the
        variables of its entry, or in those of the environment that stand in it.
        """
        source = resolve_template(self._config, name)
        if source is None:
            self.missing.append(name)
            return name
        place, text = self._put(name, source), source.read_bytes()
        for match in _READS.finditer(text):
            if read := _name_in(match):
                self._bring(read)
                continue
            quoted = list(map(_name_in, _QUOTED.finditer(text)))
            seen = self._config.source.environment or {}
            said = [*quoted, *variables.values(), *(seen.get(each) for each in quoted)]
            brought = [self._bring(each) for each in said if isinstance(each, str)]
            if True not in brought:
                self._dynamic.append(name)
        return place

    def _bring(self, name: str) -> bool:
        """Whether this is a file in the configuration's folder, or below, which goes along then."""
        if not name or not is_file(self._folder / name) or not is_inside(self._folder, name):
            return False
        self._put(name, self._folder / name)
        return True

    def place_for_audit(self, audit: dict[str, Any]) -> None:
        """The profiles of an audit; a file with a secret stays where it is."""
        names = audit.get("profile", [])
        names = [names] if isinstance(names, str) else names
        found = [
            str(self._put(each, self._folder / each)) if (self._folder / each).is_file() else each
            for each in names
        ]
        if found:
            # A name alone would be that of a packaged profile.
            audit["profile"] = [each if re.search(r"\W", each) else f"./{each}" for each in found]
        if "tokenFile" in audit:
            audit["tokenFile"] = str((self._folder / audit["tokenFile"]).resolve())

    def notes(self) -> Iterator[str]:
        """What could not be seen."""
        for name in dict.fromkeys(self._dynamic):
            yield f"{name} reads files whose names it works out: copy them beside the new file"

    def _put(self, name: str, source: Path) -> str:
        wanted = PurePosixPath(name)
        if wanted.is_absolute() or ".." in wanted.parts:
            wanted = PurePosixPath(_TEMPLATES, wanted.name)
        place, number = wanted, 1
        while self.placed.get(place, source).resolve() != source.resolve():
            number += 1
            place = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        self.placed[place] = source
        return str(place)
