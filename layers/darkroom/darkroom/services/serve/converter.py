"""The interface to encoders of formats that the core does not have."""

from __future__ import annotations

from typing import Protocol

from ...imaging.render.output import RenderedImage
from ...plan.model import Plan


class Converter(Protocol):
    """Encodes rendered pixels as the format of a plan."""

    def choose_pixels(self, plan: Plan) -> Plan:
        """Return the plan, in a format of the core, by which the pixels of ``plan`` are rendered."""

    def convert(self, plan: Plan, image: RenderedImage) -> RenderedImage:
        """Return ``image``, which was rendered for ``plan``, in the format of ``plan``. Raises DarkroomError."""
