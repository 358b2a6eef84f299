"""Which of the two languages a template file is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.errors import Problem, TemplateError
from perfscale.templates.dialects.actions import find_actions, first_word, is_go
from perfscale.templates.dialects.jinja import JinjaTemplate, is_expression, outside_raw
from perfscale.templates.gotemplate import Settings, is_known, parse
from perfscale.templates.source import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from perfscale.templates.dialects.actions import Action
    from perfscale.templates.gotemplate.template import GoTemplate

    Source: TypeAlias = GoTemplate | JinjaTemplate
    """A template that was parsed."""

MAX_TAGS: Final = 10_000
MAX_CODE: Final = 200_000
"""Bounds on what is scanned tag by tag: a file of ours has some tens."""
_NO_SETTINGS: Final = Settings()


def parse_template(file: str, text: str, settings: Settings = _NO_SETTINGS) -> Source:
    """Parse a template: as Go's if anything in it can be nothing else, or else as Jinja2.

    The two cannot be confused: ``{{.replica}}`` is a syntax error in Jinja2.

    Args:
        file: The file, as errors name it.
        text: Its text.
        settings: What it is given if it is Go's; Jinja2 takes its `random`.

    Raises:
        TemplateError: Everything that is wrong with it, before any value is known.
    """
    actions = find_actions(outside_raw(text))
    _check_size(file, text, actions)
    go = next((action for action in actions if is_go(action, is_expression)), None)
    if go is None:
        return JinjaTemplate(file, text, settings.random)
    if mixed := list(_mixed(file, find_actions(text), go)):
        raise TemplateError(mixed)
    return parse(text, file=file, settings=settings)


def _check_size(file: str, text: str, actions: Sequence[Action]) -> None:
    tags = len(actions) + text.count("{%") + text.count("{#")
    code = sum(len(action.inner) for action in actions)
    if tags > MAX_TAGS or code > MAX_CODE:
        message = (
            f"more than {MAX_TAGS:,} tags ({{{{ }}}}, {{% %}}), or {MAX_CODE:,} characters in "
            "them: this is no template"
        )
        raise TemplateError([Problem(message, file, 1)])


def _mixed(file: str, actions: Sequence[Action], go: Action) -> Iterator[Problem]:
    """What to say about Jinja2 in a file that has something of Go's: a name that is no function."""
    for action in actions:
        word, inner = first_word(action), action.inner.strip()
        if not word or is_known(word) or not is_expression(inner) or is_go(action, is_expression):
            continue
        go_way = f"write `{{{{.{word}}}}}` here, or " if word == inner else ""
        jinja_way = f", as in `{{{{ {go.variable} }}}}`" if go.variable else ""
        yield Problem(
            f"`{shorten(action.text)}` is Jinja2, and `{shorten(go.text)}` on line {go.line} "
            f"is Go: one file is in one of the two; {go_way}write the whole file in Jinja2"
            f"{jinja_way}",
            file,
            action.line,
        )
