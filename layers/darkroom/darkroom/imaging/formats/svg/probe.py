"""SVG headers: the size of the root element."""

from __future__ import annotations

from ...source import Source
from ..header import Header


def read(source: Source, page: int) -> Header:  # noqa: ARG001 - an SVG has one page
    """The header of an SVG, which can be transparent anywhere; raises Damaged, OverLimits or TypeNotAllowed."""
    from .sanitise import size  # the parser is not needed for other types

    wide, tall = size(source.read_all())
    return Header("svg", wide, tall, has_alpha=True)
