"""What ingest wants of a scene's pixels: each picture from the smallest level of the pyramid that is large enough.

The counterpart of :mod:`.series`, which decodes a source once and whole. Here it has been, while it was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import pyvips

from ..errors import BadOption
from ..plan.limits import Limits
from ..plan.model import Plan
from .describe import sample_plan
from .looks import Looks
from .pipeline import RETOUCH, run
from .render import exposed, inspected, own_fault, render
from .rendered_image import RenderedImage
from .source import Source


class Proofs(Looks):
    """Pictures of the pyramid in ``source``, as they would be if they were asked for one by one.

    ``watermarks`` are the files of the plans' watermarks, by name. All of it raises what
    :func:`darkroom.imaging.render.render` raises without findings.
    """

    def __init__(
        self, source: Source, plans: Iterable[Plan], *, limits: Limits, watermarks: Mapping[str, bytes] | None = None
    ) -> None:
        self._source = source
        self._plans = tuple(plans)
        self._limits = limits
        self._watermarks = watermarks or {}

    def pictures(self) -> Iterator[tuple[Plan, RenderedImage]]:
        """Each plan and its picture, made when it is asked for.

        None of a plan that would read more than one request may, or what the picture does not have: of those a viewer
        who asks is told.
        """
        for plan in self._plans:
            mark = self._watermarks.get(plan.watermark.name) if plan.watermark else None
            with suppress(BadOption):
                yield plan, render(plan, self._source, limits=self._limits, watermark=mark)

    def _sampled(self) -> pyvips.Image:
        plan = sample_plan(Plan(""))
        header, geometry = inspected(plan, self._source, self._limits)
        work = exposed(plan, self._source, header, geometry, self._limits, None, None, "slow")
        with own_fault():
            run(RETOUCH, work)
        return work.frames[0]
