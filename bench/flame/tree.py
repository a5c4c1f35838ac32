"""Merge stacks into a tree, in which equal calls of equal callers are one node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .stacks import Frame, Stack


class Key(NamedTuple):
    """A function: its name and file."""

    name: str
    file: str


@dataclass(slots=True)
class Node:
    """A function with ``count`` samples, including its callees; ``line`` is the first line that calls it."""

    key: Key
    line: int
    count: int = 0
    children: dict[Key, Node] = field(default_factory=dict)

    def ordered(self) -> list[Node]:
        """Return the callees in the order of their lines, which approximates the order in time."""
        return sorted(self.children.values(), key=lambda child: child.line)

    def walk(self, depth: int = 0, start: int = 0) -> Iterator[tuple[Node, int, int]]:
        """Yield this node and all below, with depth and number of samples before it."""
        yield self, depth, start
        for child in self.ordered():
            yield from child.walk(depth + 1, start)
            start += child.count


def build_tree(stacks: Iterable[Stack], root: Key) -> Node:
    """Build the tree of ``stacks`` below a node ``root``."""
    tree = Node(root, 0)
    for stack in stacks:
        _add(tree, stack.frames, stack.count)
    return tree


def _add(node: Node, frames: Sequence[Frame], count: int) -> None:
    node.count += count
    line = 0
    for frame in frames:
        key = Key(frame.name, frame.file)
        child = node.children.setdefault(key, Node(key, line))
        child.line = min(child.line, line)
        child.count += count
        node, line = child, frame.line
