"""Rotate and mirror as the plan says."""

from __future__ import annotations

from ..work import Work


def turn(work: Work) -> None:
    """Rotate by ``rot`` degrees clockwise, then mirror left-right."""
    rotate, flop = work.geometry.rotate, work.geometry.flop
    if not rotate and not flop:
        return
    if rotate:
        work.each(lambda frame: frame.rot(f"d{rotate}"))
    if flop:
        work.each(lambda frame: frame.fliphor())
