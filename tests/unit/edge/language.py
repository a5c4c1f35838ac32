"""Find language features that CloudFront's engine lacks, by the list in ``language.toml``.

Embedded V8 knows far more than that engine, so tests that only run the code there would not notice a word it lacks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tree_sitter import Node

from functions.edge.minify import ENTRY, list_declared_names
from functions.edge.syntax import nodes, parse, text_of

_TABLE = tomllib.loads(Path(__file__).with_name("language.toml").read_text(encoding="utf-8"))
STATICS = {name: frozenset(words.split()) for name, words in _TABLE["statics"].items()}
METHODS = {name: frozenset(words.split()) for name, words in _TABLE["methods"].items()}
GLOBALS = frozenset(_TABLE["globals"].split())
IMPORTS: list[str] = _TABLE["imports"]

_SYNTAX = frozenset(_TABLE["syntax"].split())
_OPERATORS = frozenset(_TABLE["operators"].split())
_ANY_METHOD = frozenset(_TABLE["module"].split()).union(*METHODS.values())
_FUNCTIONS = frozenset({"function_declaration", "function_expression", "arrow_function"})

_OF_ONE_TEXT = {
    "number": re.compile(r"[0-9.]+|0[xX][0-9a-fA-F]+"),
    "regex_flags": re.compile(r"[gimy]*"),
    "regex_pattern": re.compile(r"(?!.*(?:\(\?<|\\[pPu]|\[\^?\]|(?<!\\)\$(?!\(\?!\\n\)))).*"),
    "escape_sequence": re.compile(r"(?!\\u\{).*"),
    "formal_parameters": re.compile(r"(?!.*,\s*\)$).*", re.DOTALL),
    "arguments": re.compile(r"(?!.*,\s*\)$).*", re.DOTALL),
}
"""What the text of a node must be. No comma at the end of a list. In patterns no lookbehind, named groups or Unicode
classes, and nothing that Perl's language, which the engine speaks, reads in another way: an empty class, or a ``$``,
which would stand before a line break at the end too."""


def violations(code: str, *, has_words: bool = False) -> list[str]:
    """Return the features in ``code`` that the engine is not documented to have, each with its line.

    With ``has_words``, members are read by constants (``functions.edge.repeated``), and are not examined: examine the
    readable code too.
    """
    root = parse(code)
    known = list_declared_names(root) | STATICS.keys() | GLOBALS | _imported(root)
    own = {text_of(node.child_by_field_name("key") or node) for node in nodes(root) if node.type == "pair"}
    return [
        f"line {node.start_point.row + 1}: {what}"
        for node in nodes(root)
        for what in (
            *_in_syntax(node),
            *_in_names(node, known),
            *(() if has_words else _in_members(node, own)),
            *_in_waiting(node),
        )
    ]


def _imported(root: Node) -> frozenset[str]:
    statements = (node for node in root.children if node.type == "import_statement")
    return frozenset(text_of(name) for node in statements for name in nodes(node) if name.type == "identifier")


def read_above(source: str) -> list[str]:
    """Constants outside functions that ``source`` reads above their declaration, in functions too.

    njs takes ``function f() { const a = B; } const B = 1;`` for a use of ``B`` before its declaration whenever ``f`` is
    called, and CloudFront's engine is njs by all signs: Perl's patterns, ``InternalError``, and in runtime 1.0
    ``String.bytesFrom``. ``source`` has a name for one thing only, which minified code has not.
    """
    root = parse(source)
    statements = (node for node in root.children if node.type == "lexical_declaration")
    declared = {text_of(child.children[0]): child.start_byte for node in statements for child in node.named_children}
    used = (node for node in nodes(root) if node.type == "identifier")
    return [text_of(node) for node in used if node.start_byte < declared.get(text_of(node), 0)]


def _in_syntax(node: Node) -> Iterator[str]:
    text = text_of(node)
    operator = node.child_by_field_name("operator")
    if node.is_named and node.type not in _SYNTAX:
        yield node.type
    if operator is not None and text_of(operator) not in _OPERATORS:
        yield f"operator {text_of(operator)}"
    if node.type in _OF_ONE_TEXT and not _OF_ONE_TEXT[node.type].fullmatch(text):
        yield f"{node.type} {text}"
    if node.type == "catch_clause" and node.child_by_field_name("parameter") is None:
        yield "catch without a name"
    if node.type == "import_statement" and text_of(node).replace("from'", "from '") not in IMPORTS:
        yield text_of(node)


def _in_waiting(node: Node) -> Iterator[str]:
    """Only the handler may wait. The guide: async arguments and closures are not supported; so it has neither."""
    if node.type in _FUNCTIONS and node.children[0].type == "async":
        name = node.child_by_field_name("name")
        if node.type != "function_declaration" or name is None or text_of(name) != ENTRY:
            yield "async"
        if any(inner.type in _FUNCTIONS for inner in nodes(node) if inner != node):
            yield "a function in an async one"
    if node.type == "await_expression" and node.parent is not None and node.parent.type == "arguments":
        yield "await as an argument"


def _in_names(node: Node, known: frozenset[str]) -> Iterator[str]:
    if node.type == "identifier" and text_of(node) not in known:
        yield f"name {text_of(node)}"


def _in_members(node: Node, own: set[str]) -> Iterator[str]:
    if node.type != "member_expression":
        return
    target, member = map(text_of, (node.children[0], node.children[-1]))
    is_called = node.parent is not None and node.parent.type == "call_expression" and node.parent.children[0] == node
    if target in STATICS:
        if member not in STATICS[target] | {"prototype"}:
            yield f"{target}.{member}"
    elif is_called and member not in own and member not in _ANY_METHOD:
        yield f"method {member}"
