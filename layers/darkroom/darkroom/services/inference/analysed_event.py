"""Build the event ``ImageAnalysed``."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ...findings import MODERATION, TAGS, Finding, Findings
from .merge import lowest_source


def moderation_verdict(findings: Findings) -> bool | None:
    """Whether moderation flagged the image; None without a finding, or if the model could not read the image."""
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
        "pending": list(findings.pending),
    }
    return "ImageAnalysed", detail
