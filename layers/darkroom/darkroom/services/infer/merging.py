"""What is known of a picture, and what was found anew, brought together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...findings import CLIENT, ENDPOINT, FACES, FALLBACK, TAGS, TEXT, Finding, Findings, Region, finding_document

RANKS = {CLIENT: 1, FALLBACK: 2, ENDPOINT: 3}
"""Whose word counts more, about the same master in the same generation."""

SAME_FACE = 0.5
"""Overlap (intersection over union) from which two boxes are of the same face: the threshold of PASCAL VOC, which
benchmarks of face detectors (WIDER FACE) have taken over."""


def rank(finding: Finding | None) -> int:
    """How much ``finding`` counts; 0 for none."""
    return 0 if finding is None else RANKS.get(finding.by, 0)


def alike(one: Findings | None, other: Findings) -> bool:
    """Whether both are about the same master, in the same generation."""
    return one is not None and (one.generation, one.source_etag) == (other.generation, other.source_etag)


def merged(known: Findings | None, new: Findings, tasks: Iterable[str]) -> Findings:
    """``new``, but for tasks of which somebody better has been heard already. ``tasks`` are all that are to be done.

    ``known`` counts only if it is about the same master.
    """
    earlier = known.found if known is not None and alike(known, new) else {}
    kept = {task: finding for task, finding in earlier.items() if rank(finding) > rank(new.found.get(task))}
    found = {**new.found, **kept}
    awaited = () if new.pending == () else tuple(task for task in tasks if task not in found)
    return replace(new, found=found, pending=awaited)


def moved(before: Findings | None, after: Findings) -> bool:
    """Whether a picture that was made by what was known ``before`` would be another one by now.

    Only what was known can have been used: faces and text, or that they cannot be known.
    """
    if before is None or not alike(before, after):
        return False
    return any(
        task in before.found and _places(before.found[task]) != _places(after.found.get(task)) for task in (FACES, TEXT)
    )


def _places(finding: Finding | None) -> object:
    if finding is None:
        return None
    document = finding_document(finding)
    regions = (
        [face["box"] for face in document.get("faces", ())],
        [line["corners"] for line in document.get("lines", ())],
    )
    return finding.error, *regions


def disagreement(theirs: Finding, ours: Finding) -> float | None:
    """From 0, all the same, to 1, nothing: how far an uploader's finding is from ours. None where that says nothing.

    Of faces: the share of all that only one of both has seen. Of tags: the Jaccard distance of their names.
    """
    if ours.error or theirs.error:
        return None
    if ours.task == FACES:
        same = _matched([face.region for face in theirs.faces], [face.region for face in ours.faces])
        return _apart(same, len(theirs.faces), len(ours.faces))
    if ours.task == TAGS:
        named, known = {label.name for label in theirs.labels}, {label.name for label in ours.labels}
        return _apart(len(named & known), len(named), len(known))
    return None


def _apart(same: int, theirs: int, ours: int) -> float:
    every = theirs + ours - same
    return 1 - same / every if every else 0.0


def _matched(theirs: list[Region], ours: list[Region]) -> int:
    """How many of ``theirs`` are one of ``ours``, each taken once, those that overlap most first."""
    pairs = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(theirs) for j, b in enumerate(ours)),
        reverse=True,
    )
    first, second = set[int](), set[int]()
    for share, i, j in pairs:
        if share >= SAME_FACE and i not in first and j not in second:
            first.add(i)
            second.add(j)
    return len(first)


def overlap(a: Region, b: Region) -> float:
    """Intersection over union of two rectangles."""
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(across, 0.0) * max(down, 0.0)
    union = a.width * a.height + b.width * b.height - shared
    return shared / union if union > 0 else 0.0


def by_whom(found: Mapping[str, Finding]) -> str:
    """The least word that any of ``found`` stands on."""
    return min((finding.by for finding in found.values()), key=lambda by: RANKS.get(by, 0), default=ENDPOINT)
