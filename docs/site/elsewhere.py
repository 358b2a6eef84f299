"""Finds what pages would load from other servers: who reads the site is nobody else's business."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

_LOADING = {"src", "srcset", "data", "poster", "action"}
_NAVIGATION = {"canonical", "next", "prev", "search", "index", "author"}
_OTHER_SERVER = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
_IN_STYLES = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


def loads_of(folder: Path) -> list[str]:
    """Return a line for each address of another server that a file of the site would load."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".html", ".css"}:
            text = file.read_text(encoding="utf-8")
            addresses = _IN_STYLES.findall(text) if file.suffix == ".css" else _in_page(text)
            found += [f"{file.relative_to(folder)}: {address}" for address in addresses]
    return found


def _in_page(text: str) -> list[str]:
    page = _Page()
    page.feed(text)
    return page.addresses


class _Page(HTMLParser):
    """Collects what a page loads; links that a reader has to follow are not among it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        loading = [value for name, value in values.items() if name in _LOADING]
        if tag == "link" and not _NAVIGATION.intersection(values.get("rel", "").split()):
            loading.append(values.get("href", ""))
        self.addresses += filter(_OTHER_SERVER.match, loading)
        self.addresses += _IN_STYLES.findall(values.get("style", ""))


if __name__ == "__main__":
    if loads := loads_of(Path(sys.argv[1])):
        sys.exit("\n".join(["loaded from other servers:", *loads]))
