"""The documents that the project shows people, and the code blocks in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_COMMANDS: Final = ("perfscale", "perfscale-load-generator", "perfscale-audit")
_OPERATORS: Final = frozenset("|&;<>()")
_ASSIGNMENT: Final = re.compile(r"^\w+=")
_FENCE: Final = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document, and where it is."""

    place: str
    text: str


def documents() -> list[Path]:
    """Return every document, of the top level and of the folders that have some."""
    folders = ("docs", "examples", "benchmarks", "templates")
    nested = (path for folder in folders for path in (ROOT / folder).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *nested])


def blocks(*languages: str) -> Iterator[Block]:
    """Give the fenced blocks that are written in one of the languages."""
    for document in documents():
        text = document.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            if match[2] in languages:
                line = text.count("\n", 0, match.start()) + 1
                yield Block(f"{document.relative_to(ROOT)}:{line}", match[3])


def perfscale_commands(script: str) -> list[tuple[str, ...]]:
    """Find the calls of our commands in a shell script, as words, without what is around them."""
    calls: list[tuple[str, ...]] = []
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(
            line.removeprefix("$ "), posix=True, punctuation_chars="".join(_OPERATORS)
        )
        lexer.whitespace_split = True
        words: list[str] = []
        # The last operator ends the last call of the line.
        for word in [*lexer, ";"]:
            if not _OPERATORS.issuperset(word):
                words += [] if not words and _ASSIGNMENT.match(word) else [word]
                continue
            if words and Path(words[0]).name in _COMMANDS:
                calls.append((Path(words[0]).name, *words[1:]))
            # What a redirection names is no command, and so becomes no call.
            words = []
    return calls


def dead_links(document: Path) -> list[str]:
    """Return the links to files or headings of the project that are not there."""
    dead = []
    for link in _LINK.findall(_prose(document)):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    return dead


def _prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def _anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = _HEADING.findall(_prose(document))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}
