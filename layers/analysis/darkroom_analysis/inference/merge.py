"""Merge new findings with known ones, and build the event ``ImageAnalysed`` of the result. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from typing import Any

from darkroom.findings import (
    CUTOUT,
    ENDPOINT,
    FACES,
    MODERATION,
    OBJECTS,
    RANKS,
    TAGS,
    TEXT,
    UNSURE,
    Finding,
    Findings,
    finding_to_document,
    rank,
)


def is_same_master(one: Findings | None, other: Findings) -> bool:
    """Whether both are of the same master and generation."""
    return one is not None and (one.generation, one.source_etag) == (other.generation, other.source_etag)


def merge_findings(known: Findings | None, new: Findings, tasks: Iterable[str]) -> Findings:
    """Return ``new``, with findings of higher precedence from ``known`` if that is of the same master.

    ``tasks`` are all tasks of an analysis; those without a finding are pending.
    """
    earlier = known.found if known is not None and is_same_master(known, new) else {}
    kept = {task: finding for task, finding in earlier.items() if rank(finding) > rank(new.found.get(task))}
    found = {**new.found, **kept}
    awaited = () if new.pending == () else tuple(task for task in tasks if task not in found)
    return replace(new, found=found, pending=awaited)


def invalidates_derivatives(before: Findings | None, after: Findings) -> bool:
    """Whether derivatives rendered with the findings ``before`` would differ with those of ``after``.

    Only known faces, text, objects and cut-outs can have been used, or that they are unreadable.
    """
    if before is None or not is_same_master(before, after):
        return False
    return any(
        task in before.found and _rendered(before.found[task]) != _rendered(after.found.get(task))
        for task in (FACES, TEXT, OBJECTS, CUTOUT)
    )


def _rendered(finding: Finding | None) -> object:
    """Return what renders read of ``finding``: regions and classes. Scores in ``f=json`` may be those of before.

    A version of a model makes the same raster again, and stands for it: findings in the index have no rasters.
    """
    if finding is not None and finding.task == CUTOUT:
        return finding.model, finding.version, finding.error
    document = finding_to_document(finding) if finding is not None else {}
    for region in chain.from_iterable(document.get(name, ()) for name in ("faces", "lines", "objects")):
        region.pop("text", None)
        del region["score"]
    return {name: part for name, part in document.items() if name not in ("model", "version", "by")}


def lowest_source(found: Mapping[str, Finding]) -> str:
    """Return the origin of ``found`` with the lowest precedence."""
    return min((finding.origin for finding in found.values()), key=lambda by: RANKS.get(by, 0), default=ENDPOINT)


def moderation_verdict(findings: Findings) -> bool | None:
    """Whether moderation flagged the image; None without a finding, or with one that has an error."""
    said = findings.found.get(MODERATION)
    return None if said is None or said.error else said.flagged


def model_versions(found: Mapping[str, Finding]) -> str:
    """Return the models of ``found`` as ``name/version`` in one line."""
    return " ".join(sorted({f"{finding.model}/{finding.version}" for finding in found.values()}))


def build_analysed_event(key: str, image_id: str, findings: Findings) -> tuple[str, dict[str, Any]]:
    """Return the detail type and the detail, without text and boxes: EventBridge accepts 256 KB.

    The ``id`` is the same for the same master and models.
    """
    tasks = {
        task: {"model": finding.model, "version": finding.version, "by": finding.origin, "error": finding.error}
        for task, finding in findings.found.items()
    }
    labels = {
        task: [{"name": label.name, "score": round(label.score, 4)} for label in findings.found[task].labels]
        for task in (MODERATION, TAGS)
        if task in findings.found
    }
    text, seen = findings.found.get(TEXT), findings.found.get(OBJECTS)
    personal = {name for line in (text.lines if text else ()) for name in line.personal or ()}
    by = lowest_source(findings.found)
    made_by = sorted((task, one["model"], one["version"], one["by"]) for task, one in tasks.items())
    detail = {
        "id": sha256(repr((image_id, findings.generation, findings.source_etag, made_by)).encode()).hexdigest()[:32],
        "image_id": image_id,
        "key": key,
        "generation": findings.generation,
        "source_etag": findings.source_etag,
        "by": by,
        "tasks": tasks,
        "flagged": bool(moderation_verdict(findings)),
        "labels": labels,
        "objects": dict(Counter(found.name for found in (seen.objects if seen else ()))),
        "personal_data": sorted(personal - {UNSURE}),
        "pending": list(findings.pending),
    }
    return "ImageAnalysed", detail
