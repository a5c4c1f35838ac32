"""The picture that models get to see."""

from __future__ import annotations

from ...imaging.render.pipeline import render
from ...imaging.source import Source
from ...plan.limits import Limits
from ...plan.model import Plan

MAX_SIDE_PX = 2048
"""Of what is sent. Of 330 words in five-point letters (a drawn page of A4, turned by 2°, as JPEG) PP-OCR read 93 % at
1024 px, 99 % at 1280, all from 1536 on (114 KB; 183 KB at 2048). The rest is for paper that was photographed, and for
small faces."""

QUALITY = 90

_PLAN = Plan("", width=MAX_SIDE_PX, height=MAX_SIDE_PX, format="jpeg", quality=QUALITY, animate=False)


def prepare_jpeg(source: Source, limits: Limits) -> bytes:
    """A JPEG of the first frame or page: sRGB, upright, white where it is transparent, no side over MAX_SIDE_PX.

    Raises what :func:`darkroom.imaging.render.pipeline.render` raises.
    """
    return render(_PLAN, source, limits=limits).body
