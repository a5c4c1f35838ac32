"""Pictures of a master that is there already: of a pyramid by ranges, of any other from one decode of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...aws.s3 import S3Bucket
from ...aws.s3_objects import ObjectHead
from ...errors import ObjectChanged, OverLimits
from ...imaging.formats.probe import probe
from ...imaging.rendered_image import RenderedImage
from ...imaging.source import Source
from ...plan.model import Plan
from ..deadline import Deadline
from ..range_source import open_ranges
from .claims import HOW, PYRAMID
from .examine import UploadExaminer


@dataclass(frozen=True)
class Reprints:
    """Of masters in ``source``, within the limits of ``examiner``."""

    source: S3Bucket
    examiner: UploadExaminer

    def of(
        self, master: ObjectHead, plans: Sequence[Plan], watermarks: Mapping[str, bytes]
    ) -> list[tuple[Plan, RenderedImage]]:
        """Each plan and its picture.

        Raises OverLimits, Damaged, TooSlow, TypeNotAllowed, Changed if the master is another by now, or Unavailable.
        """
        if master.metadata.get(HOW) == PYRAMID:
            from ...imaging.render.pyramid_presets import PyramidPresets  # few masters are

            limits = self.examiner.limits
            return self.examiner.render(
                PyramidPresets(open_ranges(self.source, master), plans, limits=limits, watermarks=watermarks)
            )
        data = self._read(master)
        probe(Source.from_bytes(data), self.examiner.limits)
        deadline = Deadline(self.examiner.cpu_limit)
        return self.examiner.render(self.examiner.decode(data, plans, watermarks, deadline), deadline)

    def _read(self, master: ObjectHead) -> bytes:
        if master.size_bytes > self.examiner.limits.max_bytes:
            raise OverLimits(
                f"The master has {master.size_bytes:,} bytes; the limit is {self.examiner.limits.max_bytes:,}"
            )
        opened = self.source.open(master.key)
        if opened is None:
            raise ObjectChanged(detail=f"{master.key} has gone")
        with opened.body as body:
            if opened.head.etag != master.etag:
                raise ObjectChanged(detail=f"{master.key} is {opened.head.etag}")
            return body.read()
