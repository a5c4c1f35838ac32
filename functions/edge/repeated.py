"""Declare the words that a script repeats, names of built-in properties and texts, once: ``a.length`` becomes ``a[b]``.

General minifiers leave them, because compression removes them again. CloudFront counts bytes before compression.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tree_sitter import Node

from functions.edge.minify import minify
from functions.edge.syntax import nodes, parse, text_of

_DECLARATION_BYTES = len(",a=")
_NAME_BYTES = 1
"""The length of a constant's name at best: the estimate only has to include each word that may save bytes."""

_OBJECTS = frozenset({"JSON", "Math", "Object"})
"""Built-in objects."""

_LOOSE = {"===": "==", "!==": "!="}


class _Edit(NamedTuple):
    """A place in the source, in bytes, and what replaces it, with ``{}`` for the name of a constant."""

    start: int
    end: int
    form: str


def minify_repeated(source: str, own_properties: frozenset[str]) -> str:
    """Return ``source`` minified, with constants for those repeated words that it is shorter with.

    ``own_properties`` are properties that only this code reads. The source must not compare an array with a text: its
    comparisons with texts and of lengths become ``==``. Raises ValueError like :func:`.minify.minify`.
    """
    root = parse(source)
    uses = _find_uses(root, own_properties)
    comparisons = list(_find_comparisons(root))
    savings = {word: _estimate_saving(word, places) for word, places in uses.items()}
    chosen = [word for word, saving in savings.items() if saving > 0]
    code = minify(_edit(source, uses, chosen, comparisons), own_properties)
    for word in sorted(chosen, key=lambda word: savings[word]):
        others = [one for one in chosen if one != word]
        without = minify(_edit(source, uses, others, comparisons), own_properties)
        if len(without) <= len(code):
            chosen, code = others, without
    return code


def _find_uses(root: Node, own_properties: frozenset[str]) -> Mapping[str, Sequence[_Edit]]:
    """Return the uses of each word by the expression that it is."""
    uses: defaultdict[str, list[_Edit]] = defaultdict(list)
    for node in nodes(root):
        text = text_of(node)
        kind = (node.type, node.parent.type if node.parent else "")
        if (kind[0] == "string" and kind[1] != "import_statement" and not _is_key(node)) or (
            kind == ("identifier", "member_expression") and text in _OBJECTS
        ):
            uses[text].append(_Edit(node.start_byte, node.end_byte, "{}"))
        elif kind == ("property_identifier", "member_expression") and text not in own_properties:
            uses[f"'{text}'"].append(_Edit(node.start_byte - len("."), node.end_byte, "[{}]"))
    return uses


def _is_key(node: Node) -> bool:
    return node.parent is not None and node.parent.child_by_field_name("key") == node


def _estimate_saving(word: str, uses: Sequence[_Edit]) -> int:
    after = sum(len(use.form.format("")) + _NAME_BYTES for use in uses)
    return sum(use.end - use.start for use in uses) - after - len(word) - _DECLARATION_BYTES


def _find_comparisons(root: Node) -> Iterator[_Edit]:
    """Yield the operators of comparisons with a text that is no number, and of lengths."""
    for node in nodes(root):
        operator = node.child_by_field_name("operator")
        if node.type == "binary_expression" and operator is not None and text_of(operator) in _LOOSE:
            left, right = node.children[0], node.children[-1]
            is_text = right.type == "string" and (text_of(right)[1].isalpha() or text_of(right)[1] == "/")
            if is_text or (right.type == "number" and text_of(left).endswith(".length")):
                yield _Edit(operator.start_byte, operator.end_byte, _LOOSE[text_of(operator)])


def _edit(source: str, uses: Mapping[str, Sequence[_Edit]], words: Sequence[str], comparisons: Sequence[_Edit]) -> str:
    """Return ``source`` with constants for ``words``, declared below its import, and short comparisons."""
    below = max((node.end_byte for node in parse(source).children if node.type == "import_statement"), default=0)
    declared = "".join(f"const word{number} = {word};" for number, word in enumerate(words))
    edits = [*comparisons, _Edit(below, below, declared)]
    for number, word in enumerate(words):
        edits += [_Edit(use.start, use.end, use.form.format(f"word{number}")) for use in uses[word]]
    code, written, at = source.encode(), [], 0
    for start, end, replacement in sorted(edits):
        written += [code[at:start].decode(), replacement]
        at = end
    return "".join(written) + code[at:].decode()
