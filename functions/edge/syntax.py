"""Parse JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

_LANGUAGE = Language(tree_sitter_javascript.language())


def parse(source: str) -> Node:
    """Parse JavaScript ``source``. Raises ValueError for a syntax error."""
    root = Parser(_LANGUAGE).parse(source.encode()).root_node
    if root.has_error:
        raise ValueError("This is not JavaScript")
    return root


def nodes(root: Node) -> Iterator[Node]:
    """Yield ``root`` and all nodes below it, in source order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text_of(node: Node) -> str:
    """Return the source text of ``node``."""
    return (node.text or b"").decode()


def list_parts(node: Node) -> list[Node]:
    """Return the named children of ``node`` without comments."""
    return [child for child in node.named_children if child.type != "comment"]
