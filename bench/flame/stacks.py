"""Parse py-spy's raw format: a line for each stack, with its frames from the outermost and its count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MAIN_THREAD = "MainThread"
RUNTIME_LOOP = "handle_event_request"
"""awslambdaric's function that handles one event; its callers wait for the next."""

DEADLINE_FILE, DEADLINE_CALL = "darkroom/services/deadline.py", "run"
"""The call that renders in a thread of its own, for which the main thread waits. The thread's function has its name."""

_FRAME = re.compile(r"(?P<name>.*) \((?P<file>[^():]+|<[^()]*>)(?::(?P<line>\d+))?\)")


@dataclass(frozen=True, slots=True)
class Frame:
    """A call of ``name`` in ``file``, at ``line``."""

    name: str
    file: str = ""
    line: int = 0

    @classmethod
    def parse(cls, text: str) -> Frame:
        """Parse a frame, such as ``render (darkroom/imaging/render/pipeline.py:58)``."""
        found = _FRAME.fullmatch(text)
        return cls(found["name"], found["file"], int(found["line"] or 0)) if found else cls(text)


@dataclass(frozen=True, slots=True)
class Stack:
    """Nested calls, sampled ``count`` times."""

    frames: Sequence[Frame]
    count: int


def parse(lines: Iterable[str]) -> Iterator[Stack]:
    """Parse all stacks of a recording. Each begins with a frame for its thread."""
    for line in filter(None, map(str.strip, lines)):
        frames, _, count = line.rpartition(" ")
        yield Stack([Frame.parse(text) for text in frames.split(";")], int(count))


def select_answering(stacks: Iterable[Stack]) -> list[Stack]:
    """Return the stacks that handle an event, from the handling function on.

    They are those of the main thread. While it waits for a render, those of the render's thread replace its own; the
    wait keeps the samples that the thread has not.
    """
    answering, waiting, rendering = list[Stack](), list[Stack](), list[Stack]()
    for stack in stacks:
        names = [frame.name for frame in stack.frames]
        limited = next((index for index, frame in enumerate(stack.frames) if _is_limited(frame)), None)
        if MAIN_THREAD not in names[0]:
            if limited is not None:
                rendering.append(Stack(stack.frames[limited + 1 :], stack.count))
        elif RUNTIME_LOOP in names:
            first = names.index(RUNTIME_LOOP)
            if limited is None:
                answering.append(Stack(stack.frames[first:], stack.count))
            else:
                waiting.append(Stack(stack.frames[first : limited + 1], stack.count))
    if not (waiting and rendering):
        return [*answering, *waiting]
    callers = max(waiting, key=lambda stack: stack.count).frames
    unseen = sum(stack.count for stack in waiting) - sum(stack.count for stack in rendering)
    rest = [Stack(callers, unseen)] if unseen > 0 else []
    return [*answering, *(Stack([*callers, *stack.frames], stack.count) for stack in rendering), *rest]


def _is_limited(frame: Frame) -> bool:
    return frame.file == DEADLINE_FILE and frame.name.rpartition(".")[2] == DEADLINE_CALL


def count_innermost(stacks: Iterable[Stack], label: Callable[[Frame], str | None]) -> Mapping[str, int]:
    """Count how often each label is the innermost of its stack; frames with the label None count for their callers."""
    counts: Counter[str] = Counter()
    for stack in stacks:
        labels = [text for frame in stack.frames if (text := label(frame)) is not None]
        counts[labels[-1] if labels else stack.frames[0].name] += stack.count
    return counts
