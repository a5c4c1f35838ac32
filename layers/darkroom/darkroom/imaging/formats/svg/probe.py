"""Read SVG headers: the size of the root element."""

from __future__ import annotations

from ...source import Source
from ..image_format import Header


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - an SVG has one page
    """Return the header of an SVG, which may be transparent; raise DamagedSource, OverLimits or TypeNotAllowed."""
    from .document import read_size  # the parser is not needed for other types

    wide, tall = read_size(source.read_all())
    return Header("svg", wide, tall, has_alpha=True)
