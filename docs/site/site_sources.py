"""Puts together what the site is built from: the documents, and the generated reference.

The folder made here mirrors the repository, so that a link between documents leads to the same
place on the site as it does in a checkout. Only two things differ: a README is the index page of
its folder, and the lists of documents in `docs/README.md` and `examples/README.md` become the
navigation.
"""

from __future__ import annotations

import os.path
import re
import shutil
import sys
from pathlib import Path

import command_reference
import key_reference
from markup import toctree

ROOT = Path(__file__).parents[2]

_TREES = ("deploy", "docs", "examples", "templates")
_FILES = ("*.md", "LICENSE", "benchmarks/*.md")
_README = re.compile(r"(\]\([^)#\s:]*)README\.md")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_DOCUMENT = re.compile(r"\]\(([^)#\s:]+\.md)\)")


def write(target: Path) -> None:
    """Write the sources of the site into a folder, in the place of what was there."""
    shutil.rmtree(target, ignore_errors=True)
    for pattern in (*_FILES, *(f"{tree}/**/*" for tree in _TREES)):
        for file in ROOT.glob(pattern):
            if file.is_file() and not file.is_relative_to(Path(__file__).parent):
                _copy(file, target)
    generated = (*key_reference.pages(), "commands")
    first = {"": ["docs/index", *(f"reference/{name}" for name in generated)]}
    _append(target / "index.md", first | navigation(ROOT / "docs" / "README.md", ROOT))
    examples = navigation(ROOT / "examples" / "README.md", ROOT / "examples")
    _append(target / "examples" / "index.md", examples)
    for name, text in reference().items():
        page = target / "reference" / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")


def reference() -> dict[str, str]:
    """Return the generated pages, by their names within the reference."""
    pages = {f"commands/{name}": text for name, text in command_reference.pages().items()}
    return {"commands": command_reference.index()} | key_reference.pages() | pages


def navigation(readme: Path, base: Path) -> dict[str, list[str]]:
    """Return the documents that a README lists, by the heading under which it does.

    They are named as Sphinx does: without a suffix, by their paths from the base folder.
    """
    _, *parts = _SECTION.split(_README.sub(r"\1index.md", readme.read_text(encoding="utf-8")))
    return {
        heading: [
            os.path.relpath(readme.parent / link, base).removesuffix(".md")
            for link in _DOCUMENT.findall(text)
        ]
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _copy(file: Path, target: Path) -> None:
    to = target / file.relative_to(ROOT)
    to.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix != ".md":
        shutil.copyfile(file, to)
        return
    text = _README.sub(r"\1index.md", file.read_text(encoding="utf-8"))
    to.with_name(to.name.replace("README.md", "index.md")).write_text(text, encoding="utf-8")


def _append(document: Path, listed: dict[str, list[str]]) -> None:
    trees = [toctree(names, caption=heading) for heading, names in listed.items()]
    with document.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(trees))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
