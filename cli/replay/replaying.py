"""Analyse images with two model versions in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from darkroom.errors import ModelUnavailable

from .agreement import Pair
from .sides import Side


def replay(
    jpegs: Iterable[bytes],
    sides: tuple[Side, Side],
    tasks: Sequence[str],
    report: Callable[[str], object] = lambda _: None,
) -> tuple[list[Pair], int]:
    """Return the findings of both for each image, and the number of images with a failure.

    They alternate in order, because the second one finds caches warm. ``report`` is called with each failure.
    """
    pairs, failed = list[Pair](), 0
    for number, jpeg in enumerate(jpegs):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        try:
            answers = {place: sides[place].analyse(jpeg, tasks) for place in order}
        except ModelUnavailable as error:
            failed += 1
            report(error.detail or str(error))
            continue
        pairs.append(Pair((answers[0][0], answers[1][0]), (answers[0][1], answers[1][1])))
    return pairs, failed
