"""`--web`, whose value may be left out."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from perfscale.cli.options import Command

if TYPE_CHECKING:
    from perfscale.live import WebAddress

TOKEN_VARIABLE: Final = "PERFSCALE_WEB_TOKEN"  # noqa: S105 -- the name of the variable
_OPTION: Final = "--web"
_ADDRESS: Final = re.compile(r"(\S*:)?\d+")


class WebCommand(Command):
    """A command with `--web`: what follows it is its value only where it is an address."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- typer hides its type
        """Give the option an empty value where it has none."""
        return super().parse_args(ctx, _completed(args))


def _completed(args: list[str]) -> list[str]:
    end = args.index("--") if "--" in args else len(args)
    found = []
    for place, text in enumerate(args):
        following = args[place + 1] if place + 1 < end else ""
        has_no_value = place < end and text == _OPTION and not _ADDRESS.fullmatch(following)
        found.append(f"{_OPTION}=" if has_no_value else text)
    return found


def web_address(text: str | None) -> WebAddress | None:
    """Where to serve the page; None where nobody wants it.

    Raises:
        UsageError: It is no address, or one that others could reach without a token.
    """
    if text is None:
        return None
    from perfscale.live.address import parse_web_address

    return parse_web_address(text, os.environ.get(TOKEN_VARIABLE) or None)
