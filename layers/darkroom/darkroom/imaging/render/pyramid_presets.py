"""What ingest wants of a scene's pixels: each picture from the smallest level of the pyramid that is large enough.

The counterpart of :mod:`.series`, which decodes a source once and whole. Here it has been, while it was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import pyvips

from ...errors import BadOption
from ...plan.limits import Limits
from ...plan.model import Plan
from ..preview.describe import make_sample_plan
from ..preview.summary import ImageSummary
from ..rendered_image import RenderedImage
from ..source import Source
from .pipeline import decode, inspect_source, internal_errors, render
from .step_order import EDIT_STEPS, run_steps


class PyramidPresets(ImageSummary):
    """Pictures of the pyramid in ``source``, as they would be if they were asked for one by one.

    ``watermarks`` are the files of the plans' watermarks, by name. All of it raises what
    :func:`darkroom.imaging.render.pipeline.render` raises without findings.
    """

    def __init__(
        self, source: Source, plans: Iterable[Plan], *, limits: Limits, watermarks: Mapping[str, bytes] | None = None
    ) -> None:
        self._source = source
        self._plans = tuple(plans)
        self._limits = limits
        self._watermarks = watermarks or {}

    def render_all(self) -> Iterator[tuple[Plan, RenderedImage]]:
        """Each plan and its picture, made when it is asked for.

        None of a plan that would read more than one request may, or what the picture does not have: of those a viewer
        who asks is told.
        """
        for plan in self._plans:
            mark = self._watermarks.get(plan.watermark.name) if plan.watermark else None
            with suppress(BadOption):
                yield plan, render(plan, self._source, limits=self._limits, watermark=mark)

    def _make_sample(self) -> pyvips.Image:
        plan = make_sample_plan(Plan(""))
        header, geometry = inspect_source(plan, self._source, self._limits)
        context = decode(plan, self._source, header, geometry, self._limits, None, None, "slow")
        with internal_errors():
            run_steps(EDIT_STEPS, context)
        return context.frames[0]
