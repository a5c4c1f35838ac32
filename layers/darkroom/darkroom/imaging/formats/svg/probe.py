"""SVG headers: the size of the root element."""

from __future__ import annotations

from ...source import Source
from ..header import Header


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - an SVG has one page
    """The header of an SVG, which can be transparent anywhere; raises Damaged, OverLimits or TypeNotAllowed."""
    from .sanitise import read_size  # the parser is not needed for other types

    wide, tall = read_size(source.read_all())
    return Header("svg", wide, tall, has_alpha=True)
