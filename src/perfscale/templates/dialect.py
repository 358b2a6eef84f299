"""Which of the two dialects a template file is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.templates.gotemplate import GoTemplate, find_actions
from perfscale.templates.jinja import JinjaTemplate, is_expression, outside_raw
from perfscale.templates.source import read_template

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.templates.source import Source


def parse_template(file: str, text: str) -> Source:
    """Parse a template: Go mode if it has a plain Go variable anywhere, else Jinja2.

    The two cannot be confused: ``{{.replica}}`` is a syntax error in Jinja2.

    Raises:
        TemplateError: Everything that is wrong with it, before any value is known.
    """
    if any(action.variable is not None for action in find_actions(outside_raw(text))):
        return GoTemplate(file, text, is_expression)
    return JinjaTemplate(file, text)


def load_template(path: Path) -> Source:
    """Read and parse a template file.

    Raises:
        TemplateError: It cannot be read or parsed.
    """
    return parse_template(str(path), read_template(path))
