"""What a template of a job makes, as far as it can be read before it is rendered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from perfscale.errors import TemplateError
from perfscale.foreign.kube_burner.mapping.context import is_file, is_url
from perfscale.templates.source import read_template

if TYPE_CHECKING:
    from perfscale.foreign.kube_burner.mapping.context import JobAt

NOT_FETCHED: Final = "templates are not fetched from elsewhere: save it beside this file"
_ACTIONS: Final = re.compile(r"\{\{.*\}\}")
_SEPARATOR: Final = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)


class Manifest(NamedTuple):
    """One document of a template; empty where it is only known when it is rendered."""

    api_version: str
    kind: str
    namespace: str


def template_path(job: JobAt, name: str, *keys: str | int) -> str | None:
    """What ``templateFile`` says; None (and a problem) where the file cannot be had.

    That program looks from the current folder, where as a rule the file itself is too.
    """
    if is_url(name):
        job.problem(NOT_FETCHED, *keys)
        return None
    if not name:
        job.problem("this entry needs an objectTemplate", *keys[:-1])
        return None
    found = found_file(job.reading.document.directory, name)
    if found is None:
        where = "beside this file and in the current folder"
        job.problem(f"there is no file {name}: looked {where}", *keys)
    return found


def found_file(directory: Path, name: str) -> str | None:
    """A path from a folder to a file that is there, or else in the current folder."""
    if is_file(directory / name):
        return name
    return str(Path(name).resolve()) if is_file(Path(name)) else None


def manifests_of(job: JobAt, name: str) -> list[Manifest]:
    """The documents of a template, read without its actions, as that program does it."""
    try:
        text = read_template(job.reading.document.directory / name)
    except TemplateError:
        return [Manifest("", "", "")]  # which is reported when it is compiled
    parts = _SEPARATOR.split(_without_actions(text))
    found = [_manifest(part) for part in parts]
    return [each for each in found if each is not None] or [Manifest("", "", "")]


def _without_actions(text: str) -> str:
    """Everything from the first ``{{`` to the last ``}}`` of each line is left out."""
    return "\n".join(_ACTIONS.sub("", line) for line in text.splitlines())


def _manifest(text: str) -> Manifest | None:
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    if not lines:
        return None
    try:
        # Scalars stay texts: what is left without its actions may be no date or number any more.
        tree = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 -- texts, lists and maps alone
    except (yaml.YAMLError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        top = dict(re.findall(r"^(apiVersion|kind):[ \t]*[\"']?([\w./-]+)", text, re.MULTILINE))
        return Manifest(top.get("apiVersion", ""), top.get("kind", ""), "")
    metadata = tree.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return Manifest(_text(tree.get("apiVersion")), _text(tree.get("kind")), _text(namespace))


def _text(value: object) -> str:
    """A scalar; of anything else nothing, since aliases can make it larger than memory."""
    return value if isinstance(value, str) else ""
