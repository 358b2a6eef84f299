"""Templates in Jinja2: sandboxed, strict, and without Jinja's global functions.

Jinja's globals would hide a forgotten variable (``{{ namespace }}`` is a class
of theirs), its undefined variables print as nothing, and its booleans print as
Python's: none of that may reach a manifest unseen.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping as AbstractMapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
from jinja2 import Template, TemplateSyntaxError, meta, nodes

from perfscale.errors import Problem, TemplateError
from perfscale.templates.bounds.metering import Meter, MeteredEnvironment
from perfscale.templates.source import MAX_TEXT, TOO_LONG, WORK_OF_A_CHARACTER, Reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from random import Random

_MARK = re.compile("\ue000(\\d+)\ue001")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_MAX_TOKENS = 50_000
_LITERAL = "literal text goes between {% raw %} and {% endraw %}"


def _printed(value: Any) -> Any:  # noqa: ANN401 - whatever an expression gives
    """An expression's value as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (list, tuple, AbstractMapping)):
        return msgspec.json.encode(value).decode()
    return value


_ENVIRONMENT = MeteredEnvironment(_printed)


def is_expression(text: str) -> bool:
    """Whether Jinja2 can parse a text as what stands between ``{{`` and ``}}``."""
    try:
        _ENVIRONMENT.parse(f"{{{{{text}}}}}")
    except (TemplateSyntaxError, RecursionError, ValueError):
        return False
    return True


def outside_raw(text: str) -> str:
    """The text with its ``{% raw %}`` blocks blanked out; lines stay where they were."""
    parts, position = [], 0
    while opened := _RAW.search(text, position):
        closed = _END_RAW.search(text, opened.end())
        if closed is None:
            break
        newlines = text.count("\n", opened.start(), closed.end())
        parts += [text[position : opened.start()], "\n" * newlines]
        position = closed.end()
    return "".join([*parts, text[position:]])


class JinjaTemplate:
    """A template file in Jinja2.

    Args:
        file: The file, as errors name it.
        text: Its text.
        chance: What its filter `random` draws from; None draws from the system's randomness.

    Attributes:
        references: The variables that must be defined.
        varies: Whether it may give another text for the same variables.
        work: What all renderings so far have cost, reading included, in the units of `metering`.

    Raises:
        TemplateError: It is not Jinja2, or needs another file.
    """

    def __init__(self, file: str, text: str, chance: Random | None = None) -> None:
        self.file = file
        self._chance = chance
        self.work = 0
        self._text = text
        self._only_prints: dict[str, bool] = {}
        try:
            comments = list(self._shell_comments())
            tree = _ENVIRONMENT.parse(text)
            self._check(tree, comments)
            self._template = self._compiled(tree)
            # compiling changed the tree, so the rest is read from a fresh one
            tree = _ENVIRONMENT.parse(text)
            self.references = _references(tree)
            self.varies = any(map(_may_vary, tree.find_all(nodes.Node)))
        except TemplateSyntaxError as error:
            raise TemplateError(self._syntax_problems(error)) from error
        except (SyntaxError, RecursionError, ValueError, MemoryError, OverflowError) as error:
            problem = Problem(f"Jinja2 cannot take this template: {error}", file, 1)
            raise TemplateError([problem]) from error

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with its variables filled in.

        Raises:
            TemplateError: An expression fails with these values.
        """
        return self._render(self._template, variables)

    def lines(self, variables: Mapping[str, Any]) -> Sequence[int]:
        """The template's line behind each line of ``render(variables)``.

        Found by rendering once more, with the number of each line hidden in
        the literal text. Where a template reads its own text, and the
        numbers change what it does, lines are counted as rendered.
        """
        plain = self.render(variables)
        tree = _ENVIRONMENT.parse(self._text)
        for node in tree.find_all(nodes.TemplateData):
            node.data = _marked(node)
        try:
            text = self._render(self._compiled(tree), variables)
        except TemplateError:
            text = plain
        if _MARK.sub("", text) != plain:
            return range(1, plain.count("\n") + 2)
        lines: list[int] = []
        last = 1
        for rendered in text.split("\n"):
            marks = [int(mark) for mark in _MARK.findall(rendered)]
            lines.append(marks[0] if marks else last)
            last = marks[-1] if marks else last
        return lines

    def only_prints(self, name: str) -> bool:
        """Whether the text differs by a number of this name only where its digits stand."""
        if name not in self._only_prints:
            tree = _ENVIRONMENT.parse(self._text)
            self._only_prints[name] = not self.varies and _prints(tree, name)
        return self._only_prints[name]

    def only_prints_of(self, name: str, attributes: Collection[str]) -> bool:
        """Whether of a variable it only prints attributes, of these, and decides nothing by it."""
        return not self.varies and _prints(_ENVIRONMENT.parse(self._text), name, attributes)

    def variable(self, name: str) -> str:
        """How this dialect writes a variable."""
        return f"{{{{ {name} }}}}"

    def _compiled(self, tree: nodes.Template) -> Template:
        code = _ENVIRONMENT.compile(_ENVIRONMENT.metered(tree), filename=self.file)
        return Template.from_code(_ENVIRONMENT, code, dict(_ENVIRONMENT.globals))

    def _render(self, template: Template, variables: Mapping[str, Any]) -> str:
        meter = cast("Meter", template.new_context(dict(variables)))
        meter.chance = self._chance
        try:
            text = _rendered(template, meter)
        # a template is a program: whatever it raises is its author's to mend
        except Exception as error:
            message = str(error) or type(error).__name__
            problem = Problem(
                f"{message} (rendering iteration {variables.get('iteration')}, "
                f"replica {variables.get('replica')})",
                self.file,
                self._line_of(error),
            )
            raise TemplateError([problem]) from error
        if len(text) > MAX_TEXT:
            raise TemplateError([Problem(TOO_LONG, self.file, 1)])
        self.work += meter.spent[0] + len(text) * WORK_OF_A_CHARACTER
        return text

    def _line_of(self, error: Exception) -> int:
        """The template's line in the traceback, which Jinja rewrites to the template's."""
        line, trace = 1, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.file:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line

    def _check(self, tree: nodes.Template, problems: list[Problem]) -> None:
        """Refuse what needs another file, and what shell scripts write by accident."""
        loading = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
        problems += [
            Problem(
                f"`{{% {_TAGS[type(node)]} %}}` needs another file, and a template is one file: "
                "put the text here",
                self.file,
                node.lineno,
            )
            for node in tree.find_all(loading)
        ]
        if problems:
            raise TemplateError(problems)

    def _shell_comments(self) -> Iterator[Problem]:
        """``${#`` opens a Jinja comment: what follows would vanish without a word.

        Raises:
            TemplateError: There is more of Jinja2 in the file than in any template.
        """
        before = ""
        for number, (line, kind, value) in enumerate(_ENVIRONMENT.lex(self._text)):
            if number > _MAX_TOKENS:
                message = f"more than {_MAX_TOKENS:,} words of Jinja2: this is no template"
                raise TemplateError([Problem(message, self.file, line)])
            if kind == "comment_begin" and before.endswith("$"):
                yield Problem(_SHELL_COMMENT, self.file, line)
            before = value if kind == "data" else ""

    def _syntax_problems(self, error: TemplateSyntaxError) -> list[Problem]:
        """What is wrong with a file that is not Jinja2."""
        message = (error.message or "syntax error").rstrip(".")
        if "end of comment" in message:
            before = self._text[: self._text.rfind("{#")]
            line = before.count("\n") + 1
            hint = _SHELL_COMMENT if before.endswith("$") else f"{_COMMENT}; {_LITERAL}"
            return [Problem(hint, self.file, line)]
        if unknown := re.match(r"No (?:filter|test) named '(\w+)'", message):
            known = [*_ENVIRONMENT.filters, *_ENVIRONMENT.tests]
            near = difflib.get_close_matches(unknown[1], known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "Jinja2's own filters are there"
            return [Problem(f"{message}; {hint}", self.file, error.lineno)]
        return [Problem(f"not Jinja2: {message}; {_LITERAL}", self.file, error.lineno)]


_TAGS: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from ... import",
    nodes.Extends: "extends",
}
_COMMENT = "`{#` begins a comment of Jinja2, and no `#}` ends it"
_SHELL_COMMENT = (
    "`${#` of a shell script begins a comment of Jinja2: put the script between "
    "{% raw %} and {% endraw %}, or write `${{ '{#' }}`"
)


def _rendered(template: Template, meter: Meter) -> str:
    """What ``template.render`` returns, with the meter kept."""
    try:
        return "".join(template.root_render_func(meter))
    # its traceback is to have the template's lines, whatever it is
    except Exception:  # noqa: BLE001
        _ENVIRONMENT.handle_exception()


def _may_vary(node: nodes.Node) -> bool:
    """Whether an expression may give something else the next time: by chance, or by a call."""
    if isinstance(node, nodes.Call):
        return not (isinstance(node.node, nodes.Name) and node.node.name == "range")
    return isinstance(node, nodes.Filter) and node.name in {"random", "map"}  # map("random")


def _prints(node: nodes.Node, name: str, attributes: Collection[str] = ()) -> bool:
    """Whether a variable is used below a node only where it is printed as it is.

    With ``attributes``, where one of these is.
    """
    if isinstance(node, nodes.Name):
        return node.name != name
    children = list(node.iter_child_nodes())
    if isinstance(node, nodes.Output):
        children = [child for child in children if not _is_load_of(child, name, attributes)]
    elif not isinstance(node, (nodes.Template, nodes.If, nodes.For)):
        # In a macro, a block or an assignment, even what is printed may be read later.
        return not any(each.name == name for each in node.find_all(nodes.Name))
    return all(_prints(child, name, attributes) for child in children)


def _is_load_of(node: nodes.Node, name: str, attributes: Collection[str]) -> bool:
    if attributes:
        if not isinstance(node, nodes.Getattr) or node.attr not in attributes:
            return False
        node = node.node
    return isinstance(node, nodes.Name) and node.name == name and node.ctx == "load"


def _marked(node: nodes.TemplateData) -> str:
    """Literal text with the number of its line at the start of each."""
    parts = node.data.split("\n")
    marked = [f"\ue000{node.lineno + n}\ue001{part}" for n, part in enumerate(parts)]
    if len(parts) > 1 and not parts[-1]:
        marked[-1] = ""  # nothing of this text is on that line
    return "\n".join(marked)


def _references(tree: nodes.Template) -> list[Reference]:
    """The variables that a template needs, at their first use.

    Not those that the template asks about first (``is defined``, ``default``).
    """
    wanted = meta.find_undeclared_variables(tree) - set(_guarded(tree))
    first: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in wanted:
            first[name.name] = min(name.lineno, first.get(name.name, name.lineno))
    found = [Reference(name, line) for name, line in first.items()]
    return sorted(found, key=lambda reference: (reference.line, reference.name))


def _guarded(tree: nodes.Template) -> Iterable[str]:
    """Names that the template tests for being defined, or gives a default."""
    for node in tree.find_all((nodes.Test, nodes.Filter)):
        asks = ("defined", "undefined") if isinstance(node, nodes.Test) else ("default", "d")
        if node.name in asks and isinstance(node.node, nodes.Name):
            yield node.node.name
