"""JavaScript mutants, by tree-sitter's syntax tree."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from .mutants import Mutant

_LANGUAGE = Language(tree_sitter_javascript.language())

_REPLACEMENTS = {
    "===": ("!==",),
    "!==": ("===",),
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("*",),
}
_REMOVABLE = frozenset(
    {"expression_statement", "return_statement", "throw_statement", "continue_statement", "break_statement"}
)
_CONDITIONAL = frozenset({"if_statement", "ternary_expression", "while_statement"})


def list_javascript_mutants(file: str, source: str) -> list[Mutant]:
    """List the mutants of ``source``; ``occurrence`` is the index of the change in :func:`_changes`."""
    changes = enumerate(_changes(_parse(source)))
    return [
        Mutant(file, node.start_point.row + 1, node.start_point.column, operator, index)
        for index, (operator, node, _) in changes
    ]


def mutate_javascript(source: str, mutant: Mutant) -> str | None:
    """Return the mutated source, or None where it is not valid JavaScript."""
    _, node, text = list(_changes(_parse(source)))[mutant.occurrence]
    encoded = source.encode()
    mutated = (encoded[: node.start_byte] + text.encode() + encoded[node.end_byte :]).decode()
    return None if _parse(mutated).has_error else mutated


def _parse(source: str) -> Node:
    return Parser(_LANGUAGE).parse(source.encode()).root_node


def _changes(node: Node) -> Iterator[tuple[str, Node, str]]:
    """Yield operator, node and new text of every change below ``node``."""
    if node.type == "import_statement":
        return
    yield from _changes_of(node)
    for child in node.children:
        yield from _changes(child)


def _changes_of(node: Node) -> Iterator[tuple[str, Node, str]]:
    text = (node.text or b"").decode()
    operator = node.child_by_field_name("operator")
    if node.type == "binary_expression" and operator:
        for other in _REPLACEMENTS.get(operator.type, ()):
            yield "ReplaceOperator", operator, other
    elif node.type == "unary_expression" and operator and operator.type == "!":
        yield "RemoveNot", operator, ""
    elif node.type in ("true", "false"):
        yield "ReplaceBoolean", node, "false" if node.type == "true" else "true"
    elif node.type == "number" and text.isdecimal():
        yield "ReplaceNumber", node, str(int(text) + 1)
        yield "ReplaceNumber", node, f"({int(text) - 1})"
    elif node.type == "string" and len(text) > len("''"):
        yield "EmptyString", node, "''"
    elif node.type in _REMOVABLE:
        yield "RemoveStatement", node, ";"
    elif node.type in _CONDITIONAL and (condition := node.child_by_field_name("condition")):
        inner = (condition.text or b"").decode()
        yield "NegateCondition", condition, f"(!({inner}))"
