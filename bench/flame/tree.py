"""Stacks merged from the outside in: equal calls of equal callers are one box."""

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
    """``count`` samples were in this function or in what it called; ``line`` is the first that it was called from."""

    key: Key
    line: int
    count: int = 0
    children: dict[Key, Node] = field(default_factory=dict)

    def ordered(self) -> list[Node]:
        """What it called, in the order of its lines: about the order in time."""
        return sorted(self.children.values(), key=lambda child: child.line)

    def walk(self, depth: int = 0, start: int = 0) -> Iterator[tuple[Node, int, int]]:
        """This node and all below, with their depths and how many samples lie before them."""
        yield self, depth, start
        for child in self.ordered():
            yield from child.walk(depth + 1, start)
            start += child.count


def build_tree(stacks: Iterable[Stack], root: Key) -> Node:
    """The tree of ``stacks`` below a node ``root``."""
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
