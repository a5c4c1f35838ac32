"""Render presets from a pyramid, each from the smallest level that is large enough.

The counterpart of :mod:`.render_many`, which decodes a source once. A pyramid has been decoded while it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import pyvips

from darkroom.errors import BadOption
from darkroom.imaging.describe import ImageSummary, make_sample_plan
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render, render_sample
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import DEFAULT_QUALITY, DefaultQuality, Plan


class PyramidPresets(ImageSummary):
    """Renders of the pyramid in ``source``, equal to those of single requests.

    ``watermarks`` are the files of the plans' watermarks and overlays, by name, ``rights`` is the text of the rights.
    ``default_quality`` is that of plans without one.
    All methods raise what :func:`.pipeline.render` raises without findings.
    """

    def __init__(
        self,
        source: Source,
        plans: Iterable[Plan],
        *,
        limits: Limits,
        watermarks: Mapping[str, bytes] | None = None,
        rights: str = "",
        default_quality: DefaultQuality = DEFAULT_QUALITY,
    ) -> None:
        self._source = source
        self._plans = tuple(plans)
        self._limits = limits
        self._watermarks = watermarks or {}
        self._rights = rights
        self._default_quality = default_quality

    def render_all(self) -> Iterator[tuple[Plan, RenderedImage]]:
        """Render each plan on demand.

        Skips plans that would read more than one request may, or a region that the image does not have: such a request
        returns the error.
        """
        for plan in self._plans:
            mark = self._watermarks.get(plan.watermark.name) if plan.watermark else None
            with suppress(BadOption):
                image = render(
                    plan,
                    self._source,
                    limits=self._limits,
                    watermark=mark,
                    overlays=self._watermarks,
                    default_quality=self._default_quality,
                    rights=self._rights,
                )
                yield plan, image

    def _make_sample(self) -> pyvips.Image:
        return render_sample(make_sample_plan(Plan("")), self._source, self._limits)
