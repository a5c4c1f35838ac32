"""Bulk operation ``presets``: render presets and mezzanines again from the current master, as ingest does."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.errors import DarkroomError, ObjectChanged
from darkroom.image_keys import DERIVATIVES, ObjectNames, mezzanine_name
from darkroom.imaging.render.output import MezzanineOf, RenderedImage
from darkroom.plan.canonical import derivative_name
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import METADATA, Plan
from darkroom.plan.presets import Presets
from darkroom.services.caching import (
    MASTER_RIGHTS,
    CachePolicy,
    derivative_headers,
    derivative_metadata,
    describe_mezzanine,
    source_version,
)

from ..aws.s3 import ObjectHead, S3Bucket
from ..services.ingest.examine import UploadExaminer
from ..services.ingest.stores import render_from_master, select_presets
from ..services.purge.stale_derivatives import DerivativePurge
from .messages import JobSpec
from .results import KeyOutcome, KeyResult

NO_PRESETS = "no-presets"
"""Reason of a key without presets that are rendered at ingest."""


@dataclass(frozen=True)
class PresetsOperation:
    """The operation. Masters are in ``source`` by ``source_names``, prints go into ``media``."""

    source: S3Bucket
    source_names: ObjectNames
    media: S3Bucket
    examiner: UploadExaminer
    presets: Presets
    always: ForcedOptions
    purge: DerivativePurge
    caching: CachePolicy
    mezzanines: bool = False
    metadata: str = METADATA[0]

    def start(self, key: str, spec: JobSpec) -> KeyResult:  # noqa: ARG002, all that it says is the keys
        """Print. What the CDN has of it by now stays there for its time. Raises DarkroomError, Changed among them."""
        plans, watermarks = select_presets(self.presets, self.always, self.media, key, self.metadata)
        mezzanines = self.mezzanines and not self.always.find(key).redact
        if not (plans or mezzanines):
            return KeyResult(KeyOutcome.UNCHANGED, NO_PRESETS)
        name = self.source_names.name(key)
        master = self.source.head(name)
        if master is None:
            return KeyResult(KeyOutcome.MISSING)
        for plan, image in render_from_master(
            self.source, self.examiner, master, plans, watermarks, mezzanines=mezzanines
        ):
            self._put(key, plan, image, master)
        found = self.source.head(name)
        if found is None or found.etag != master.etag:
            self._roll_back(key)
        return KeyResult(KeyOutcome.DONE)

    def poll(self, key: str, mark: str) -> KeyResult | None:  # noqa: ARG002
        """Raise DarkroomError: this operation has no pending keys."""
        raise DarkroomError(detail=f"presets of {key} were not requested")

    def _put(self, key: str, plan: Plan | MezzanineOf, image: RenderedImage, master: ObjectHead) -> None:
        if isinstance(plan, MezzanineOf):
            headers, marks = describe_mezzanine(plan, master.etag)
            self.media.put(mezzanine_name(key, plan.side_px), image.body, headers=headers, metadata=marks)
            return
        headers = derivative_headers(plan, image.content_type, self.caching, unrefined=True)
        version = source_version(plan, master.etag, master.metadata.get(MASTER_RIGHTS, ""))
        marks = derivative_metadata(version, "quick")
        self.media.put(DERIVATIVES + derivative_name(plan), image.body, headers=headers, metadata=marks)

    def _roll_back(self, key: str) -> None:
        """Delete presets rendered from the previous master. Raises ObjectChanged."""
        self.purge.delete_stale(key)
        raise ObjectChanged(detail=f"the master of {key} changed while its presets were made")
