"""Which presets are made at ingest, and what they need beside the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...aws.s3 import S3Bucket
from ...aws.telemetry import log
from ...plan.model import Plan
from ...plan.presets import Presets
from ...plan.redaction import AlwaysRedact, apply_forced_redaction, needs_findings


@dataclass(frozen=True)
class Prints:
    """The presets of this deployment. Watermarks are in ``media``."""

    presets: Presets
    always: AlwaysRedact
    media: S3Bucket

    def of(self, key: str) -> tuple[list[Plan], dict[str, bytes]]:
        """What can be made of ``key`` as soon as it is there, and the files of the watermarks by name.

        What needs findings is left to be made when it is asked for, as is what must be redacted.
        """
        watermarks = self._watermarks()
        plans = self.presets.build_ingest_plans(key).values()
        return [plan for plan in plans if self._is_at_hand(plan, watermarks)], watermarks

    def _is_at_hand(self, plan: Plan, watermarks: Mapping[str, bytes]) -> bool:
        if needs_findings(apply_forced_redaction(plan, self.always)):
            return False
        return plan.watermark is None or plan.watermark.name in watermarks

    def _watermarks(self) -> dict[str, bytes]:
        plans = self.presets.build_ingest_plans("any").values()
        keys = {
            plan.watermark.name: self.presets.watermarks.get(plan.watermark.name) for plan in plans if plan.watermark
        }
        opened = {name: self.media.open(key) for name, key in keys.items() if key}
        if missing := [name for name in keys if opened.get(name) is None]:
            log("ERROR", "watermarks are missing: presets with them are left to be made when asked for", names=missing)
        return {name: found.body.read() for name, found in opened.items() if found is not None}
