# ruff: noqa: N802, N815 -- Jinja names visitors after the classes of nodes
"""Puts what counts a template's work into its tree, before it is compiled.

What counts are filters whose names no template can write (``#weigh``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from perfscale.templates.bounds.weights import STEP

if TYPE_CHECKING:
    from collections.abc import Iterable


def instrument(tree: nodes.Template) -> None:
    """Have everything in a tree counted that makes, compares or repeats something."""
    _Instrumentation().visit(tree)


class _Instrumentation(NodeTransformer):
    """Puts what counts into a tree: around what makes values, and into what is repeated."""

    def visit_List(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, "#weigh")

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        return self.visit_List(node) if node.ctx == "load" else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        sliced = isinstance(node.arg, nodes.Slice)
        return self.visit_List(node) if sliced else self.generic_visit(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "#concat")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        compared: list[nodes.Compare | nodes.Operand] = [node, *node.ops]
        for part in compared:
            if not isinstance(part.expr, nodes.Const):
                part.expr = _filter(part.expr, "#weigh")
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        test = nodes.Const(_cost([node.test] if node.test else []), lineno=node.lineno)
        self.visit_Macro(node)
        node.iter = _filter(node.iter, "#each", test)
        return node

    def visit_Macro(
        self, node: nodes.Macro | nodes.CallBlock | nodes.Block | nodes.For
    ) -> nodes.Node:
        """What is in it may be done any number of times."""
        cost = nodes.Const(_cost(node.body), lineno=node.lineno)
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_filter(cost, "#spend"), lineno=node.lineno))
        return node

    visit_CallBlock = visit_Macro
    visit_Block = visit_Macro


def _filter(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _cost(body: Iterable[nodes.Node]) -> int:
    """What a part of a template costs each time, whatever values go through it."""
    return sum(
        STEP + (len(each.data) if isinstance(each, nodes.TemplateData) else 0)
        for part in body
        for each in (part, *part.find_all(nodes.Node))
    )
