"""Compare two findings of the same image, and match boxes of faces and objects. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import sumprod

from darkroom.findings import (
    CUTOUT,
    FACES,
    LIKENESS,
    MODERATION,
    OBJECTS,
    SIMILARITY,
    TAGS,
    TEXT,
    DetectedObject,
    Finding,
    Region,
    TextLine,
)

SAME_FACE = 0.5
"""Intersection over union from which two boxes are of the same face or object: the threshold of PASCAL VOC and WIDER
FACE."""

_WORD = re.compile(r"\w+")


def disagreement(one: Finding, other: Finding) -> float | None:
    """Return the distance of two findings for one task, from 0 (equal) to 1; None if they cannot be compared.

    Faces and objects: the share of boxes that only one has. Tags and text: the Jaccard distance of names or words.
    Moderation: 1 if only one flags the image, else the total variation distance of the scores. Embeddings: 1 minus the
    cosine. Cut-outs: 1 minus the intersection over union of the coverages.
    """
    if one.error or other.error:
        return None
    return _DISTANCES[one.task](one, other)


def count_matches(one: Sequence[Region], other: Sequence[Region]) -> int:
    """Return how many boxes of ``one`` match one of ``other``, greedily by overlap."""
    pairs = sorted(
        ((intersection_over_union(a, b), i, j) for i, a in enumerate(one) for j, b in enumerate(other)),
        reverse=True,
    )
    first, second = set[int](), set[int]()
    for share, i, j in pairs:
        if share >= SAME_FACE and i not in first and j not in second:
            first.add(i)
            second.add(j)
    return len(first)


def count_object_matches(one: Sequence[DetectedObject], other: Sequence[DetectedObject]) -> int:
    """Return how many objects of ``one`` match one of ``other``, of the same class."""
    regions: list[dict[str, list[Region]]] = [{}, {}]
    for by_name, objects in zip(regions, (one, other), strict=True):
        for found in objects:
            by_name.setdefault(found.name, []).append(found.region)
    return sum(count_matches(boxes, regions[1].get(name, [])) for name, boxes in regions[0].items())


def intersection_over_union(a: Region, b: Region) -> float:
    """Return the intersection over union of two rectangles."""
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(across, 0.0) * max(down, 0.0)
    union = a.width * a.height + b.width * b.height - shared
    return shared / union if union > 0 else 0.0


def count_words(text: str) -> Counter[str]:
    """Count the words of ``text``, case-insensitively."""
    return Counter(_WORD.findall(text.casefold()))


def count_line_words(lines: Sequence[TextLine]) -> Counter[str]:
    """Count the words of lines of text."""
    return count_words(" ".join(line.text for line in lines))


def _faces(one: Finding, other: Finding) -> float:
    same = count_matches([face.region for face in one.faces], [face.region for face in other.faces])
    return _jaccard_distance(same, len(one.faces), len(other.faces))


def _objects(one: Finding, other: Finding) -> float:
    same = count_object_matches(one.objects, other.objects)
    return _jaccard_distance(same, len(one.objects), len(other.objects))


def _tags(one: Finding, other: Finding) -> float:
    named, known = {label.name for label in one.labels}, {label.name for label in other.labels}
    return _jaccard_distance(len(named & known), len(named), len(known))


def _text(one: Finding, other: Finding) -> float:
    a, b = count_line_words(one.lines), count_line_words(other.lines)
    return _jaccard_distance((a & b).total(), a.total(), b.total())


def _moderation(one: Finding, other: Finding) -> float:
    if one.flagged != other.flagged:
        return 1.0
    a, b = ({label.name: label.score for label in finding.labels} for finding in (one, other))
    return min(1.0, sum(abs(a.get(name, 0.0) - b.get(name, 0.0)) for name in a.keys() | b.keys()) / 2)


def _embeddings(one: Finding, other: Finding) -> float | None:
    if not one.vector or len(one.vector) != len(other.vector):
        return None
    return min(1.0, max(0.0, 1 - sumprod(one.vector, other.vector)))


def _rasters(one: Finding, other: Finding) -> float | None:
    import pyvips  # the monitor, which compares no cut-outs, has no libvips

    ours, theirs = (pyvips.Image.new_from_buffer(finding.raster, "") for finding in (one, other))
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        return None
    union = float(ours.maxpair(theirs).avg())
    return 1 - float(ours.minpair(theirs).avg()) / union if union else 0.0


def _jaccard_distance(same: int, one: int, other: int) -> float:
    every = one + other - same
    return 1 - same / every if every else 0.0


_DISTANCES: Mapping[str, Callable[[Finding, Finding], float | None]] = {
    FACES: _faces,
    OBJECTS: _objects,
    TAGS: _tags,
    TEXT: _text,
    MODERATION: _moderation,
    SIMILARITY: _embeddings,
    LIKENESS: _embeddings,
    CUTOUT: _rasters,
}
