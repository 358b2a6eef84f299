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
_KIND: Final = re.compile(r"^kind:[ \t]*(.+)$", re.MULTILINE)
_METADATA: Final = re.compile(
    r"^metadata:[ \t]*\n((?:(?:[ \t]+.*|[ \t]*|[ \t]*\{\{.*|#.*)\n)+)", re.MULTILINE
)
_SEPARATOR: Final = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)


class Manifest(NamedTuple):
    """One document of a template; empty where it is only known when it is rendered.

    Attributes:
        name: As it stands in the template, with its actions; empty where it is not to be seen.
        namespace_text: Likewise.
        kind_text: Likewise.
    """

    api_version: str
    kind: str
    namespace: str
    name: str = ""
    namespace_text: str = ""
    kind_text: str = ""


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
    found = [_manifest(part) for part in _SEPARATOR.split(text)]
    return [each for each in found if each is not None] or [Manifest("", "", "")]


def _without_actions(text: str) -> str:
    """Everything from the first ``{{`` to the last ``}}`` of each line is left out."""
    return "\n".join(map(_without_action, text.splitlines()))


def _without_action(line: str) -> str:
    begin, end = line.find("{{"), line.rfind("}}")
    return line if begin < 0 or end < begin + 2 else line[:begin] + line[end + 2 :]


def _manifest(original: str) -> Manifest | None:
    text = _without_actions(original)
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    if not lines:
        return None
    try:
        # Scalars stay texts: what is left without its actions may be no date or number any more.
        tree = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 -- texts, lists and maps alone
    except (yaml.YAMLError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        tree = dict(re.findall(r"^(apiVersion|kind):[ \t]*[\"']?([\w./-]+)", text, re.MULTILINE))
    metadata = tree.get("metadata")
    kind_text = _single(_KIND, original).strip()
    return Manifest(
        _text(tree.get("apiVersion")),
        "" if "{{" in kind_text else _text(tree.get("kind")),
        _text(metadata.get("namespace")) if isinstance(metadata, dict) else "",
        _written_in_metadata("name", original),
        _written_in_metadata("namespace", original),
        kind_text,
    )


def _single(pattern: re.Pattern[str], text: str) -> str:
    """What a pattern finds where it finds one thing; else nothing."""
    found = pattern.findall(text)
    return str(found[0]) if len(found) == 1 else ""


def _written_in_metadata(key: str, text: str) -> str:
    """What a key of ``metadata`` has, in a template that writes it in a block and once."""
    block = _single(_METADATA, f"{text}\n")
    keys = [line for line in block.splitlines() if re.match(r"[ \t]*[\w.-]+:", line)]
    if not keys:
        return ""
    depth = min(len(line) - len(line.lstrip()) for line in keys)
    found = [line.strip() for line in keys if re.match(rf"[ \t]{{{depth}}}{key}:[ \t]", line)]
    return found[0].partition(":")[2].strip() if len(found) == 1 else ""


def _text(value: object) -> str:
    """A scalar; of anything else nothing, since aliases can make it larger than memory."""
    return value if isinstance(value, str) else ""
