"""Faces of a picture that is left lying as it is stored, whatever EXIF says.

A redacted picture never is: what covers a face reaches farther above it than beside it.
"""

from __future__ import annotations

from dataclasses import replace

from ...findings import Finding, Findings, Region
from .boxes import STORED_POINTS


def rotate_faces_to_stored(findings: Findings, orientation: int) -> Findings:
    """``findings`` of the upright picture, with faces in fractions of the one that ``orientation`` turns upright."""
    return replace(
        findings, found={task: _rotate_finding(found, orientation) for task, found in findings.found.items()}
    )


def _rotate_finding(finding: Finding, orientation: int) -> Finding:
    return replace(
        finding, faces=tuple(replace(face, region=_rotate_region(face.region, orientation)) for face in finding.faces)
    )


def _rotate_region(region: Region, orientation: int) -> Region:
    turn = STORED_POINTS[orientation]
    one, other = turn(region.left, region.top), turn(region.left + region.width, region.top + region.height)
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Region(left, top, right - left, bottom - top)
