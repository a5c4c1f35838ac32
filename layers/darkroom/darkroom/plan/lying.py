"""Faces of a picture that is left lying as it is stored, whatever EXIF says.

A redacted picture never is: what covers a face reaches farther above it than beside it.
"""

from __future__ import annotations

from dataclasses import replace

from ..findings import Finding, Findings, Region
from .boxes import TURNS


def as_stored(findings: Findings, orientation: int) -> Findings:
    """``findings`` of the upright picture, with faces in fractions of the one that ``orientation`` turns upright."""
    return replace(findings, found={task: _laid(found, orientation) for task, found in findings.found.items()})


def _laid(finding: Finding, orientation: int) -> Finding:
    return replace(
        finding, faces=tuple(replace(face, region=_region(face.region, orientation)) for face in finding.faces)
    )


def _region(region: Region, orientation: int) -> Region:
    turn = TURNS[orientation]
    one, other = turn(region.left, region.top), turn(region.left + region.width, region.top + region.height)
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Region(left, top, right - left, bottom - top)
