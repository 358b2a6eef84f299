"""Which of the two dialects a template file is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.errors import Problem, TemplateError
from perfscale.templates.dialects.gotemplate import GoTemplate, find_actions
from perfscale.templates.dialects.jinja import JinjaTemplate, is_expression, outside_raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.templates.dialects.gotemplate import Action

Source: TypeAlias = GoTemplate | JinjaTemplate
"""A template that was parsed."""

MAX_TAGS: Final = 10_000
MAX_CODE: Final = 200_000
"""Bounds on what is scanned tag by tag: a file of ours has some tens."""


def parse_template(file: str, text: str) -> Source:
    """Parse a template: Go mode if it has a plain Go variable anywhere, else Jinja2.

    The two cannot be confused: ``{{.replica}}`` is a syntax error in Jinja2.

    Raises:
        TemplateError: Everything that is wrong with it, before any value is known.
    """
    actions = find_actions(outside_raw(text))
    _check_size(file, text, actions)
    if any(action.variable is not None for action in actions):
        return GoTemplate(file, text, is_expression)
    return JinjaTemplate(file, text)


def _check_size(file: str, text: str, actions: Sequence[Action]) -> None:
    tags = len(actions) + text.count("{%") + text.count("{#")
    code = sum(len(action.inner) for action in actions)
    if tags > MAX_TAGS or code > MAX_CODE:
        message = (
            f"more than {MAX_TAGS:,} tags ({{{{ }}}}, {{% %}}), or {MAX_CODE:,} characters in "
            "them: this is no template"
        )
        raise TemplateError([Problem(message, file, 1)])
