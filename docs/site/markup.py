"""The little Markdown that generated pages are made of."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]<>{}$|#])")


def escaped(text: str) -> str:
    """Return plain text as Markdown that shows exactly this text."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return the text as code within a line; it has no backquotes."""
    return f"`{text}`"


def definition(term: str, *paragraphs: str) -> str:
    """Return an entry of a definition list; the paragraphs are Markdown of one line each."""
    return f"{term}\n: " + "\n\n  ".join(filter(None, paragraphs)) + "\n"


def toctree(documents: list[str], *, caption: str = "") -> str:
    """Return a list of documents for the site's navigation, which the page itself does not show."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *documents, "```", ""])
