"""What the rest of the world is told of findings: ``ImageAnalysed``, and the verdict that ingest waits for."""

from __future__ import annotations

from typing import Any

from ...findings import MODERATION, TAGS, Findings
from .merging import by_whom

MODERATED = "Moderated"
"""Detail type of the message that tells ingest of a verdict."""


def verdict(findings: Findings) -> bool | None:
    """Whether moderation found something; None if it was not asked, or could not read the picture."""
    said = findings.found.get(MODERATION)
    return None if said is None or said.error else said.flagged


def analysed(key: str, image_id: str, findings: Findings) -> tuple[str, dict[str, Any]]:
    """The detail type and detail about ``findings``. Neither words nor places are in it: EventBridge takes 256 KB."""
    tasks = {
        task: {"model": finding.model, "version": finding.version, "by": finding.by, "error": finding.error}
        for task, finding in findings.found.items()
    }
    labels = {
        task: [{"name": label.name, "score": round(label.score, 4)} for label in findings.found[task].labels]
        for task in (MODERATION, TAGS)
        if task in findings.found
    }
    detail = {
        "id": image_id,
        "key": key,
        "generation": findings.generation,
        "source_etag": findings.source_etag,
        "by": by_whom(findings.found),
        "tasks": tasks,
        "flagged": bool(verdict(findings)),
        "labels": labels,
        "pending": list(findings.pending),
    }
    return "ImageAnalysed", detail


def moderated_message(key: str, findings: Findings, sha256: str) -> dict[str, object]:
    """The message that has ingest look at the verdict on ``key``."""
    detail = {
        "object": {"key": key},
        "source_etag": findings.source_etag,
        "sha256": sha256,
        "flagged": bool(verdict(findings)),
    }
    return {"source": "darkroom", "detail-type": MODERATED, "detail": detail}
