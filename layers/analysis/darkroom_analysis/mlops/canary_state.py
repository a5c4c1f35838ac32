"""State of a canary between two runs: its start, the decision, and the steps that are done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from darkroom.errors import ObjectChanged
from darkroom_pipeline.aws.documents import Document, DocumentStore

from .endpoint_variants import Variant

TRYING, DECIDED, ENDED = "trying", "decided", "ended"


@dataclass(frozen=True, slots=True)
class CanaryState:
    """A canary beside the incumbent since ``since_s`` (Unix time).

    ``action`` is the decision, for ``reasons``; ``done`` counts its completed steps. Names of fields are stored.
    """

    canary: str
    image: str
    incumbent: str
    since_s: float
    stage: str = TRYING
    action: str = ""
    reasons: Sequence[str] = ()
    figures: Sequence[Mapping[str, Any]] = ()
    done: int = 0
    version: int = field(default=0, compare=False)

    def is_about(self, canary: str, variant: Variant) -> bool:
        """Whether it is about this canary; an earlier one may have had the same name."""
        return (self.canary, self.image) == (canary, variant.image)

    def with_decision(self, action: str, reasons: Sequence[str], figures: Sequence[Mapping[str, Any]]) -> CanaryState:
        """Return the state with a decision and no completed steps."""
        return replace(self, stage=DECIDED, action=action, reasons=tuple(reasons), figures=tuple(figures), done=0)


@dataclass(frozen=True)
class CanaryStateStore:
    """The state of ``endpoint``'s canary, in one document of the index table."""

    entries: DocumentStore
    endpoint: str

    def read(self) -> CanaryState | None:
        """Return the state; None if there has never been a canary."""
        entry = self.entries.get(self._name)
        return _parse(entry) if entry.version else None

    def write(self, case: CanaryState) -> CanaryState:
        """Write ``case`` over the version that was seen; raises ObjectChanged if another run was quicker."""
        fields = {
            name: json.dumps(value) if isinstance(value, tuple | list) else value
            for name, value in asdict(case).items()
            if name != "version"
        }
        if not self.entries.put(self._name, fields, replaces=case.version):
            raise ObjectChanged(detail=f"{self._name} is written by another run")
        return replace(case, version=case.version + 1)

    @property
    def _name(self) -> str:
        return f"rollout#{self.endpoint}"


def _parse(entry: Document) -> CanaryState:
    fields = dict(entry.fields)
    return CanaryState(
        canary=str(fields["canary"]),
        image=str(fields["image"]),
        incumbent=str(fields["incumbent"]),
        since_s=float(fields["since_s"]),
        stage=str(fields["stage"]),
        action=str(fields["action"]),
        reasons=tuple(json.loads(str(fields["reasons"]))),
        figures=tuple(json.loads(str(fields["figures"]))),
        done=int(fields["done"]),
        version=entry.version,
    )
