"""Held images as reviewers see them: the list, why each is flagged, and a rendered view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from darkroom.errors import ObjectChanged
from darkroom.findings import MODERATION, Finding, explanation_to_document
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.services.deadline import REQUEST, Deadline
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import Record
from darkroom_pipeline.services.masters import CurrentMaster, Masters

from .decisions import NotHeld

if TYPE_CHECKING:
    from darkroom.imaging.source import Source

SIDE_PX = 1024
"""Longest side of a rendered image: that of the views which moderation alone analyses."""

_RENDERED = Plan("", width=SIDE_PX, height=SIDE_PX, format="jpeg", quality=85, animate=False)


@dataclass(frozen=True)
class HeldImages:
    """``limits`` are those of one source, ``max_views`` of the views that moderation analyses."""

    index: Index
    findings: FindingsStore
    masters: Masters
    limits: Limits
    max_views: int

    def list_waiting(self) -> list[dict[str, Any]]:
        """Return images that wait for a decision, the oldest first, at most 100."""
        return [_describe(record) for record in self.index.list_flagged()]

    def explain(self, key: str) -> dict[str, Any]:
        """Return why ``key`` is flagged: labels, model and explanation, null if unknown. Raises NotHeld.

        ``error`` is why moderation has no labels: "unreadable", "failed", or "".
        """
        record = self.index.get(key)
        if record is None or not record.held:
            raise NotHeld(f"{key} is not held")
        noted = self.findings.read_record(key)
        known = noted.findings if noted.sha256_of == record.held.sha256 else None
        finding = known.found.get(MODERATION) if known is not None else None
        explanation = finding.explanation if finding is not None else None
        return {
            "key": key,
            "version": record.token,
            "labels": [{"name": label.name, "score": label.score} for label in finding.labels] if finding else None,
            "error": finding.error if finding is not None else "",
            "model": _model(finding),
            "explanation": explanation_to_document(explanation) if explanation is not None else None,
        }

    def render(self, key: str, view: int = 0) -> bytes:
        """Return the held image of ``key`` as a JPEG: the view of that number, as a model analyses it.

        Raises NotHeld if it is not held or has fewer views, and what rendering raises.
        """
        master = self.masters.find_current(key)
        if master is None or not master.is_held:
            raise NotHeld(f"{key} is not held")
        try:
            return Deadline(REQUEST).run(lambda: self._render(master, view))
        except ObjectChanged as error:
            raise NotHeld(f"{key} has just been replaced") from error

    def _render(self, master: CurrentMaster, view: int) -> bytes:
        with master.open_source() as source:
            return self._render_first(source) if view == 0 else self._render_further(master.key, source, view)

    def _render_first(self, source: Source) -> bytes:
        from darkroom.imaging.render.pipeline import render

        return render(_RENDERED, source, limits=self.limits).body

    def _render_further(self, key: str, source: Source, view: int) -> bytes:
        from ..inference.views import choose_views

        found = choose_views(source, self.limits, (MODERATION,), most=min(view + 1, self.max_views)).all
        if not view < len(found):
            raise NotHeld(f"{key} has no view {view}")
        return found[view]


def _model(finding: Finding | None) -> str | None:
    return f"{finding.model} {finding.version}" if finding is not None and finding.model else None


def _describe(record: Record) -> dict[str, Any]:
    facts = record.held.facts
    return {
        "key": record.key,
        "version": record.token,
        "since_s": datetime.fromisoformat(record.updated_at).timestamp() if record.updated_at else None,
        **{name: facts.get(name) for name in ("width", "height", "format", "frames")},
    }
