"""Control characters in text from elsewhere: shown, and not obeyed.

Messages of servers, conditions, templates and files' names may hold anything. A
terminal obeys escape sequences (ECMA-48), also those that begin with a single
character of C1, and turns text around at Unicode's bidirectional controls, so
that what is seen is not what is there (CVE-2021-42574).
"""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what directs text
    "\u2028\u2029]"  # what ends a line or a paragraph
)


def visible(text: str) -> str:
    """The text with its control characters as escapes of Python: ESC as backslash, x, 1b.

    Tabs and line feeds stay.
    """
    if text.isprintable():  # far quicker, and none of them is
        return text
    return _CONTROLS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
