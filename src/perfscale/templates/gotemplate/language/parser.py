"""From tokens to the tree, as ``text/template/parse/parse.go`` builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from perfscale.templates.gotemplate.language.lexer import KEYWORDS, Token, tokenize
from perfscale.templates.gotemplate.language.literals import character, number, unquote
from perfscale.templates.gotemplate.language.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Constant,
    Define,
    Dot,
    Field,
    Function,
    Leave,
    Pipe,
    Text,
    Variable,
)
from perfscale.templates.gotemplate.values import GoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.templates.gotemplate.language.nodes import Body, Node, Operand

MAIN: Final = ""
"""The name under which the text outside of every ``define`` is kept."""
_MAX_TOKENS: Final = 200_000
_MAX_DEPTH: Final = 50
"""Of parentheses, and of ``if``, ``range`` and the like in each other."""


def parse_tree(source: str) -> dict[str, Define]:
    """The templates of a file by their names, its own text under `MAIN`.

    Raises:
        GoError: It is not in Go's template language.
    """
    parser = _Parser(tokenize(source))
    main = parser.define(MAIN, 1)
    return {**parser.defines, MAIN: main}


class _Scope:
    """The variables of one template, and which of them can be seen."""

    def __init__(self) -> None:
        self.slots = 1
        self._seen: list[tuple[str, int]] = [("$", 0)]

    def mark(self) -> int:
        return len(self._seen)

    def forget(self, mark: int) -> None:
        del self._seen[mark:]

    def declare(self, name: str) -> int:
        self._seen.append((name, self.slots))
        self.slots += 1
        return self.slots - 1

    def find(self, name: str, line: int) -> int:
        for seen, slot in reversed(self._seen):
            if seen == name:
                return slot
        raise GoError(f'undefined variable "{name}"', line)


class _Parser:
    """Reads tokens one by one, with one of them looked at ahead."""

    def __init__(self, tokens: Iterator[Token]) -> None:
        self.defines: dict[str, Define] = {}
        self._tokens = tokens
        self._next = next(tokens)
        self._scope = _Scope()
        self._loops = 0
        self._depth = 0
        self._left = _MAX_TOKENS

    def define(self, name: str, line: int) -> Define:
        """A template up to its end; that of the whole file is the end of the text."""
        outer, self._scope = self._scope, _Scope()
        loops, self._loops = self._loops, 0
        body, ended_by = self._body()
        if name == MAIN and ended_by.kind != "end":
            raise GoError(f"unexpected {{{{{ended_by.text}}}}}", ended_by.line)
        if name != MAIN:
            self._expect_end(ended_by, f'define "{name}"', line)
        slots, self._scope, self._loops = self._scope.slots, outer, loops
        return Define(name, body, slots, line)

    def _take(self) -> Token:
        token = self._next
        self._left -= 1
        if not self._left:
            message = f"more than {_MAX_TOKENS:,} words of Go's: this is no template"
            raise GoError(message, token.line)
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _skip_space(self) -> None:
        while self._next.kind == "space":
            self._take()

    def _body(self) -> tuple[Body, Token]:
        """Nodes up to ``end``, ``else`` or the end of the text, and which of them it was."""
        nodes: list[Node] = []
        while True:
            token = self._take()
            if token.kind == "end":
                return tuple(nodes), token
            if token.kind == "text":
                nodes.append(Text(token.text, token.line))
                continue
            self._skip_space()
            word = self._next
            if word.text in {"end", "else"} and word.kind == "word":
                self._take()
                return tuple(nodes), word
            node = self._action(word)
            if node is not None:
                nodes.append(node)

    def _action(self, word: Token) -> Node | None:
        if word.kind != "word" or word.text not in KEYWORDS - {"nil"}:
            return Action(self._pipe("command", "close"), word.line)
        self._take()
        match word.text:
            case "define":
                self._define(word)
                return None
            case "template":
                name = self._name(word)
                self._skip_space()
                pipe = None
                if self._next.kind == "close":
                    self._take()
                else:
                    pipe = self._pipe("template clause", "close")
                return Call(name, pipe, word.line)
            case "block":
                return self._block(word)
            case "break" | "continue":
                return self._leave(word)
        return self._branch(word)

    def _define(self, word: Token) -> None:
        if self._depth:
            raise GoError("unexpected {{define}}: it stands at the top of a file alone", word.line)
        name = self._name(word)
        self._close("define clause")
        self._add(name, word)

    def _block(self, word: Token) -> Call:
        name = self._name(word)
        pipe = self._pipe("block clause", "close")
        self._add(name, word)
        return Call(name, pipe, word.line)

    def _add(self, name: str, word: Token) -> None:
        """Of two with one name, one may be empty: it is replaced, or replaces nothing."""
        self._enter(word)
        define = self.define(name, word.line)
        self._depth -= 1
        known = self.defines.get(name)
        if known is None or _is_empty(known):
            self.defines[name] = define
        elif not _is_empty(define):
            raise GoError(f'multiple definition of template "{name}"', word.line)

    def _leave(self, word: Token) -> Leave:
        if not self._loops:
            raise GoError(f"{{{{{word.text}}}}} outside {{{{range}}}}", word.line)
        self._close(f"{{{{{word.text}}}}}")
        return Leave(word.text, word.line)

    def _branch(self, word: Token) -> Branch:
        self._enter(word)
        outer = self._scope.mark()
        pipe = self._pipe(word.text, "close", in_range=word.text == "range")
        mark = self._scope.mark()
        self._loops += word.text == "range"
        body, ended_by = self._body()
        self._loops -= word.text == "range"
        self._scope.forget(mark)
        otherwise = None
        if ended_by.text == "else" and ended_by.kind == "word":
            otherwise = self._otherwise(word)
        else:
            self._expect_end(ended_by, word.text, word.line)
        self._scope.forget(outer)
        self._depth -= 1
        return Branch(word.text, pipe, body, otherwise, word.line)

    def _otherwise(self, opened: Token) -> Body:
        """What stands behind ``else``; ``else if`` is an ``if`` that shares its ``end``."""
        self._skip_space()
        word = self._next
        if word.kind == "word" and word.text == opened.text and word.text in {"if", "with"}:
            self._take()
            return (self._branch(word),)
        self._close("else")
        body, ended_by = self._body()
        self._expect_end(ended_by, opened.text, opened.line)
        return body

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            message = f"nested deeper than {_MAX_DEPTH} levels: this is no template of a manifest"
            raise GoError(message, token.line)

    def _name(self, word: Token) -> str:
        self._skip_space()
        token = self._take()
        if token.kind not in {"string", "raw"}:
            self._unexpected(token, f"{word.text} clause")
        return self._unquoted(token)

    def _unquoted(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except GoError as error:
            raise GoError(error.message, token.line) from error

    def _close(self, context: str) -> None:
        self._skip_space()
        token = self._take()
        if token.kind != "close":
            self._unexpected(token, context)

    def _expect_end(self, token: Token, opened: str, line: int) -> None:
        if token.kind == "end":
            raise GoError(f"`{{{{{opened}}}}}` has no `{{{{end}}}}`", line)
        if token.text != "end":
            raise GoError(f"unexpected {{{{{token.text}}}}}", token.line)
        self._close("end")

    def _ends(self, closed_by: str) -> bool:
        """Whether a pipeline ends here, by ``close`` of an action or by ``)``."""
        return self._next.kind == closed_by or (self._next.text == closed_by == ")")

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        raise GoError(f"unexpected {token.text!r} in {context}", token.line)

    def _pipe(self, context: str, closed_by: str, *, in_range: bool = False) -> Pipe:
        self._skip_space()
        line = self._next.line
        names, is_declared, held = self._declared(in_range=in_range)
        commands: list[Command] = []
        while True:
            self._skip_space()
            if not held and self._ends(closed_by):
                self._take()
                self._check_commands(commands, context, line)
                slots = tuple(
                    self._scope.declare(name) if is_declared else self._scope.find(name, line)
                    for name in names
                )
                return Pipe(tuple(commands), slots, line)
            commands.append(self._command(closed_by, held))
            held = None

    def _check_commands(self, commands: list[Command], context: str, line: int) -> None:
        if not commands:
            raise GoError(f"missing value for {context}", line)
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], (Constant, Dot)):
                raise GoError(f"non executable command in pipeline stage {stage}", command.line)

    def _declared(self, *, in_range: bool) -> tuple[list[str], bool, Operand | None]:
        """Names before ``:=`` or ``=``; where there are none, a variable that was read for it."""
        if self._next.kind != "variable":
            return [], False, None
        names = []
        while True:
            token = self._take()
            names.append(token.text)
            spaced = self._next.kind == "space"
            self._skip_space()
            following = self._next
            if following.kind == "declare" or following.text == "=":
                self._take()
                return names, following.kind == "declare", None
            if following.text == "," and in_range and len(names) == 1:
                self._take()
                self._skip_space()
                if self._next.kind != "variable":
                    self._unexpected(self._next, "range")
                continue
            if len(names) > 1:
                raise GoError("range can only initialize variables", token.line)
            return [], False, self._held(token, spaced=spaced)

    def _held(self, token: Token, *, spaced: bool) -> Operand:
        names = () if spaced else self._fields()
        return Variable(token.text, self._scope.find(token.text, token.line), names)

    def _command(self, closed_by: str, held: Operand | None) -> Command:
        operands: list[Operand] = []
        line = self._next.line
        if held is not None:
            operands.append(held)
        while True:
            self._skip_space()
            token = self._next
            if token.text == "|" and token.kind == "mark":
                self._take()
                self._skip_space()
                if self._next.kind == "close" or self._next.text in {")", "|"}:
                    raise GoError("missing value for command", token.line)
                break
            if token.kind in {"close", "end"} or token.text == ")":
                if not self._ends(closed_by):
                    self._unexpected(token, "command")
                break
            operands.append(self._operand())
            if self._next.kind not in {"space", "close", "end"} and self._next.text not in "|)":
                self._unexpected(self._next, "operand")
        if not operands:
            raise GoError("empty command", line)
        return Command(tuple(operands), line)

    def _operand(self) -> Operand:
        token = self._take()
        operand = self._term(token)
        names = self._fields()
        if not names:
            return operand
        match operand:
            case Field(known):
                return Field(known + names)
            case Variable(name, slot, known):
                return Variable(name, slot, known + names)
            case Constant() | Dot():
                raise GoError(f"unexpected . after term {token.text!r}", token.line)
        return Chain(operand, names)

    def _fields(self) -> tuple[str, ...]:
        names = []
        while self._next.kind == "field":
            names.append(self._take().text[1:])
        return tuple(names)

    def _term(self, token: Token) -> Operand:
        operand: Operand
        match token.kind:
            case "field":
                operand = Field((token.text[1:],))
            case "dot":
                operand = Dot()
            case "variable":
                operand = Variable(token.text, self._scope.find(token.text, token.line), ())
            case "word":
                operand = self._word(token)
            case "string" | "raw":
                operand = Constant(self._unquoted(token), token.text)
            case "number" | "char":
                operand = self._number(token)
            case "mark" if token.text == "(":
                self._enter(token)
                operand = self._pipe("parenthesized pipeline", ")")
                self._depth -= 1
            case _:
                self._unexpected(token, "operand")
        return operand

    def _word(self, token: Token) -> Operand:
        if token.text in {"true", "false", "nil"}:
            value = {"true": True, "false": False}.get(token.text)
            return Constant(value, token.text)
        if token.text in KEYWORDS:
            self._unexpected(token, "operand")
        return Function(token.text, token.line)

    def _number(self, token: Token) -> Constant:
        try:
            read = character if token.kind == "char" else number
            return Constant(read(token.text), token.text)
        except GoError as error:
            raise GoError(error.message, token.line) from error


def _is_empty(define: Define) -> bool:
    return all(isinstance(each, Text) and not each.text.strip() for each in define.body)
