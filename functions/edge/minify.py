"""Minify the edge functions: remove comments, white space and braces, join declarations, shorten names.

Minifiers that rewrite expressions can emit syntax that CloudFront's engine does not know. This one keeps expressions,
and gives a name one meaning per top-level statement, so that it needs no analysis of scopes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, product
from string import ascii_letters, digits
from typing import NamedTuple

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

ENTRY = "handler"
"""The name of the entry point."""

LINE_LENGTH = 2000
"""Lines end at the next comma, where a line break cannot end a statement."""

_LANGUAGE = Language(tree_sitter_javascript.language())
_ATOMS = frozenset({"string", "regex"})
_DECLARED = {
    "function_declaration": "name",
    "variable_declarator": "name",
    "arrow_function": "parameter",
    "catch_clause": "parameter",
}
_PLAIN = frozenset({"expression_statement", "return_statement", "throw_statement"})
_KEYWORDS = frozenset({"do", "if", "in", "of", "as", "is"})
_WORD = frozenset(ascii_letters + digits + "_$")


class Token(NamedTuple):
    """A token's kind in the JavaScript grammar, and its text."""

    kind: str
    text: str


_DECLARE = Token("lexical_declaration", "let")
_DECLARED_END = Token("lexical_declaration", ";")


def parse(source: str) -> Node:
    """Parse JavaScript ``source``. Raises ValueError for a syntax error."""
    root = Parser(_LANGUAGE).parse(source.encode()).root_node
    if root.has_error:
        raise ValueError("This is not JavaScript")
    return root


def nodes(root: Node) -> Iterator[Node]:
    """Yield ``root`` and all nodes below it, in source order."""
    yield root
    for child in root.children:
        yield from nodes(child)


def text_of(node: Node) -> str:
    """Return the source text of ``node``."""
    return (node.text or b"").decode()


def list_declared_names(root: Node) -> frozenset[str]:
    """Return all names of functions, variables and parameters below ``root``."""
    named = (node.child_by_field_name(_DECLARED[node.type]) for node in nodes(root) if node.type in _DECLARED)
    lists = (node.named_children for node in nodes(root) if node.type == "formal_parameters")
    return frozenset(text_of(node) for node in chain(named, *lists) if node is not None)


def minify(source: str, own_properties: frozenset[str]) -> str:
    """Return ``source`` with short names. ``own_properties`` are properties that only this code reads.

    Raises ValueError if a name inside a function shadows one outside.
    """
    root = parse(source)
    outer = frozenset(chain.from_iterable(map(_top_names, root.children)))
    statements = [list(_tokens(node)) for node in root.children]
    renamed_outer = _short_names(chain(*statements), "identifier", outer - {ENTRY})
    properties = _short_names(chain(*statements), "property_identifier", own_properties)
    written: list[Token] = []
    for node, tokens in zip(root.children, statements, strict=True):
        inner = list_declared_names(node) - _top_names(node)
        if inner & outer:
            raise ValueError(f"{sorted(inner & outer)} are names outside and inside a function")
        used = {renamed_outer.get(token.text, token.text) for token in tokens if token.kind == "identifier"}
        variables = renamed_outer | _short_names(tokens, "identifier", inner, used)
        renamed = {"identifier": variables, "property_identifier": properties}
        written += [Token(kind, renamed.get(kind, {}).get(text, text)) for kind, text in tokens]
    return _join_tokens(written)


def _top_names(statement: Node) -> frozenset[str]:
    owners = [statement, *statement.children]
    named = (node.child_by_field_name("name") for node in owners if node.type in _DECLARED)
    return frozenset(text_of(node) for node in named if node is not None)


def _tokens(node: Node) -> Iterator[Token]:
    if node.type in _ATOMS or not node.children:
        if node.type != "comment":
            yield Token(node.type, text_of(node))
    elif _has_needless_braces(node):
        yield from _tokens(node.named_children[0])
    elif node.type == "lexical_declaration":
        yield _DECLARE
        yield from chain.from_iterable(map(_tokens, node.children[1:-1]))
        yield _DECLARED_END
    else:
        yield from chain.from_iterable(map(_tokens, node.children))


def _has_needless_braces(node: Node) -> bool:
    """Return whether ``node`` is the block of an ``if`` or ``else`` with one statement that no ``else`` binds to."""
    within = node.parent.type if node.parent else ""
    inner = [child.type for child in node.named_children]
    return (
        node.type == "statement_block"
        and within in ("if_statement", "else_clause")
        and len(inner) == 1
        and inner[0] in _PLAIN
    )


def _short_names(
    tokens: Iterable[Token], kind: str, names: frozenset[str], taken: Iterable[str] = ()
) -> dict[str, str]:
    """Return a new name for each of ``names``, none of ``taken``, the shortest for the most frequent."""
    uses = Counter(token.text for token in tokens if token.kind == kind)
    avoided = (uses.keys() - names) | _KEYWORDS | set(taken)
    letters = ascii_letters + "_$"
    fresh = (name for name in chain(letters, map("".join, product(letters, repeat=2))) if name not in avoided)
    by_use = sorted((name for name in names if name in uses), key=lambda name: (-uses[name], name))
    return dict(zip(by_use, fresh, strict=False))


def _join_tokens(tokens: list[Token]) -> str:
    """Return the text of ``tokens``. Consecutive declarations are joined; semicolons before braces are dropped."""
    lines = [[" "]]
    for before, token in pairwise([_DECLARE, *tokens]):
        text, last = token.text, lines[-1][-1]
        if before == _DECLARED_END and token == _DECLARE:
            lines[-1][-1] = text = ","
        else:
            if text == "}" and last == ";":
                lines[-1].pop()
            elif (last[-1] in _WORD and text[0] in _WORD) or (last[-1] == text[0] and text[0] in "+-/"):
                lines[-1].append(" ")
            lines[-1].append(text)
        if text == "," and sum(map(len, lines[-1])) > LINE_LENGTH:
            lines.append([" "])
    return "\n".join("".join(words[1:]) for words in lines)
